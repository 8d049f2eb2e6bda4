"""What `hours.roster` says of the roster: the newest state of each thing, for kiosks and boards.

One key for a thing, its whole state as the value, nothing (a tombstone) once it is gone; so that
saying it again is harmless. `revision` is the change set it is as of: readers drop an older one.
Invariant: no full name, phone or document number; of a person only status, badge, teams, and a name
with nothing left but its first character.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from ledger.roster.records import (
    Activity,
    Have,
    HaveItem,
    Membership,
    Person,
    Platform,
    Project,
    Record,
    Signup,
    Team,
    Unit,
    as_json,
)
from ledger.roster.roster import Change, Roster

Message = tuple[str, str | None]
"""A Kafka key and its value; None: a tombstone."""

Called = Mapping[str, str]
NOBODY: Called = MappingProxyType({})

_TOLD_AS = {
    Unit.KIND: "unit",
    Have.KIND: "post",
    HaveItem.KIND: "have-item",
    Platform.KIND: "platform",
    Team.KIND: "team",
    Project.KIND: "project",
    Activity.KIND: "activity",
    Person.KIND: "volunteer",
    Membership.KIND: "volunteer",
    Signup.KIND: "signups",
}


def messages(
    roster: Roster, changes: Iterable[Change], revision: int, called: Called = NOBODY
) -> list[Message]:
    """What to say after changes have led to this roster, each thing once.

    `called` is what volunteers are called at a kiosk (`calling.all_called`).
    """
    things = dict.fromkeys((_TOLD_AS[one.kind], one.key[0]) for one in changes)
    index = _Index(roster, called)
    return [_message(index, thing, code, revision) for thing, code in things]


def everything(roster: Roster, revision: int, called: Called = NOBODY) -> Iterator[Message]:
    """All there is to say."""
    things = {
        (_TOLD_AS[kind], key[0]): None for kind, found in roster.records.items() for key in found
    }
    index = _Index(roster, called)
    return (_message(index, thing, code, revision) for thing, code in things)


def anew(
    roster: Roster, revision: int, on_topic: Mapping[str, int], called: Called = NOBODY
) -> list[Message]:
    """Everything, for a topic that holds these keys, each with the revision of its value.

    What isn't there any more goes; and so does, before it is said again, what is of this revision
    or a later one, as when the database was restored from before it: readers would keep it.
    """
    said = dict(everything(roster, revision, called))
    first = [key for key, of in on_topic.items() if key not in said or of >= revision]
    return [*((key, None) for key in first), *said.items()]


class _Index:
    """A roster, with its lists by the code they belong to."""

    def __init__(self, roster: Roster, called: Called) -> None:
        self.roster = roster
        self.called = called
        self.haves: dict[str, list[Record]] = {}
        self.signups: dict[str, list[Record]] = {}
        for have in roster.all(Have):
            self.haves.setdefault(have.post, []).append(have)
        for signup in roster.all(Signup):
            self.signups.setdefault(signup.activity, []).append(signup)


def _message(index: _Index, thing: str, code: str, revision: int) -> Message:
    said = _said(index, thing, code)
    if said is None:
        return f"{thing}/{code}", None
    value = {"revision": revision, **said}
    return f"{thing}/{code}", json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _said(index: _Index, thing: str, code: str) -> dict[str, Any] | None:
    roster = index.roster
    if thing == "volunteer":
        return _volunteer(roster, code, index.called.get(code))
    if thing in ("platform", "activity", "have-item"):
        one = {
            "platform": roster.platforms.get(code),
            "activity": roster.activities.get(code),
            "have-item": roster.get(HaveItem, code),
        }[thing]
        return None if one is None else as_json(one)
    rows: Sequence[Record] = {
        "unit": roster.units.get(code, ()),
        "post": index.haves.get(code, ()),
        "team": roster.teams.get(code, ()),
        "project": roster.projects.get(code, ()),
        "signups": index.signups.get(code, ()),
    }[thing]
    return {"rows": [as_json(row) for row in rows]} if rows else None


def _volunteer(roster: Roster, code: str, called: str | None) -> dict[str, Any] | None:
    person = roster.people.get(code)
    if person is None or person.status == "erased":
        return None
    return {
        "volunteer": code,
        "called": called,
        "status": person.status,
        "badge": {"serial": person.badge_serial, "generation": person.badge_generation},
        "teams": [
            {"team": one.team, "since": one.since, "until": one.until}
            for one in roster.memberships.get(code, ())
        ],
    }
