"""The changes that somebody's deed asks for: to add, change or end one thing of the roster.

Pure. Whether they fit the rest is for `planning.checked`. Invariant: a code is never changed,
because hours name it; what ended keeps its row.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from ledger.refusals import LedgerRefusal
from ledger.roster.editing import Wrong, codes_in, written
from ledger.roster.naming import new_serial, new_volunteer
from ledger.roster.records import (
    KINDS,
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
)
from ledger.roster.roster import Change, Roster

Draft = list[Change] | Sequence[Wrong]
Given = Mapping[str, str]

_WITH_PERIODS = (Unit, Team, Project)
_REMOVED_BY_ENDING = (Signup, Have, HaveItem, Platform)


class DoesNotGo(LedgerRefusal):
    """An option that means nothing for the kind it was given with."""


class NoSuchRecord(LedgerRefusal):
    """The roster has nothing under these codes."""


def records_of(roster: Roster, kind: str, codes: Sequence[str]) -> list[Record]:
    """The records whose key begins with the codes, by key. NoSuchRecord."""
    found = roster.records[kind]
    keys = sorted(key for key in found if key[: len(codes)] == tuple(codes))
    if not keys:
        raise NoSuchRecord(
            f"名册里没有 {kind} {'/'.join(codes)}：用 hours roster search 查找。 "
            f"The roster has no {kind} {'/'.join(codes)}: look with hours roster search."
        )
    return [found[key] for key in keys]


def adding(roster: Roster, kind: str, given: Given, today: str, zone: ZoneInfo) -> Draft:
    """What adds one thing; a person comes with a badge, and into `teams` since `joined`."""
    if kind == Person.KIND:
        return _adding_person(roster, given, today, zone)
    record = written(KINDS[kind], given, zone)
    if not isinstance(record, Record):
        return record
    return _new(roster, record)


def changing(
    roster: Roster,
    kind: str,
    codes: Sequence[str],
    given: Given,
    zone: ZoneInfo,
    today: str,
    begins: str | None = None,
) -> Draft:
    """What changes one thing: the row of today, or else its last.

    With `begins`, that day's row ends, and another with the changes begins.
    """
    before = _row(roster, kind, codes, begins or today)
    if given.get(type(before).KEY[0], before.key[0]) != before.key[0]:
        return [_code_stays(type(before).KEY[0], given)]
    if begins is None:
        after = written(type(before), given, zone, before)
        return _replacing(before, after) if isinstance(after, Record) else after
    if not isinstance(before, _WITH_PERIODS):
        raise _does_not_go(kind, "--from")
    if not before.holds_on(begins):
        return [_not_then(before, begins)]
    after = written(type(before), {**given, "valid_from": begins}, zone, before)
    if not isinstance(after, Record) or before.valid_from == begins:
        return _replacing(before, after) if isinstance(after, Record) else after
    ended = before.model_copy(update={"valid_until": begins, "successor": None})
    if isinstance(before, Project):
        ended = before.model_copy(update={"valid_until": begins})
    return [Change(before, ended), Change(None, after)]


def looking(roster: Roster, post: str, item: str, given: Given, by: str, zone: ZoneInfo) -> Draft:
    """What notes how a post stands with one item, whether somebody looked before or not."""
    before = roster.get(Have, post, item)
    who = {} if "checked_by" in given else {"checked_by": by}
    after = written(Have, {**given, **who, "post": post, "item": item}, zone, before)
    return _replacing(before, after) if isinstance(after, Record) else after


def ending(
    roster: Roster, kind: str, codes: Sequence[str], day: str | None, successor: str | None
) -> Draft:
    """What ends one thing on an ISO date; what has no period is removed."""
    model = KINDS[kind]
    if successor is not None and model not in (Unit, Team):
        raise _does_not_go(kind, "--successor")
    if model in _REMOVED_BY_ENDING:
        if day is not None:
            raise _does_not_go(kind, "--on")
        (record,) = _whole(kind, codes, records_of(roster, kind, codes))
        return [Change(record, None)]
    if day is None:
        return [Wrong("", "", "请用 --on 写明哪一天。 Say on which day, with --on.")]
    if model is Person:
        return _person_leaves(roster, codes, day)
    if model is Membership:
        return _ended(_open_membership(roster, codes), {"until": day})
    if not issubclass(model, _WITH_PERIODS):
        raise _does_not_go(kind, "--on")
    last = records_of(roster, kind, codes)[-1]
    more = {} if successor is None else {"successor": successor}
    return _ended(last, {"valid_until": day, **more})


def replacing_badge(roster: Roster, volunteer: str) -> list[Change]:
    """A new badge, so that the old one no longer works. NoSuchRecord."""
    (person,) = records_of(roster, Person.KIND, (volunteer,))
    assert isinstance(person, Person)
    if person.status == "erased":
        raise NoSuchRecord(
            f"{volunteer} 已被删除，没有证件牌。 {volunteer} was erased, and has no badge."
        )
    badge = {
        "badge_serial": new_serial(_serials(roster)),
        "badge_generation": person.badge_generation + 1,
    }
    return [Change(person, person.model_copy(update=badge))]


def beyond_capacity(roster: Roster, changes: Sequence[Change]) -> Sequence[Wrong]:
    """Sign-ups among the changes for which an activity has no place left."""
    wrong = []
    for change in changes:
        if isinstance(change.after, Signup) and change.before is None:
            code = change.after.activity
            activity = roster.activities.get(code)
            taken = sum(one.activity == code for one in roster.all(Signup))
            if activity and activity.capacity is not None and taken >= activity.capacity:
                wrong.append(_full(code, taken, activity.capacity))
    return wrong


def _adding_person(roster: Roster, given: Given, today: str, zone: ZoneInfo) -> Draft:
    theirs = {name: text for name, text in given.items() if name not in ("teams", "joined")}
    volunteer = theirs.get("volunteer") or new_volunteer(roster.people)
    person = written(Person, {**theirs, "volunteer": volunteer}, zone)
    if not isinstance(person, Person):
        return person
    badge = {"badge_serial": new_serial(_serials(roster)), "badge_generation": 1}
    changes = _new(roster, person.model_copy(update=badge))
    for team in codes_in(given.get("teams", "")):
        since = given.get("joined") or today
        membership = written(
            Membership, {"volunteer": volunteer, "team": team, "since": since}, zone
        )
        if not isinstance(membership, Membership):
            return [one._replace(field="joined") for one in membership]
        changes = [*changes, Change(None, membership)]
    return changes


def _serials(roster: Roster) -> set[str]:
    return {one.badge_serial for one in roster.people.values() if one.badge_serial is not None}


def _new(roster: Roster, record: Record) -> Draft:
    if record.key in roster.records[record.KIND]:
        named = "/".join(record.key)
        what = f"{named} 已经有了：用 change 修改它。 {named} is there already: use change."
        return [Wrong(record.KEY[0], record.key[0], what)]
    return [Change(None, record)]


def _row(roster: Roster, kind: str, codes: Sequence[str], day: str) -> Record:
    rows = records_of(roster, kind, codes)
    if isinstance(rows[0], _WITH_PERIODS):
        return next((one for one in rows if one.holds_on(day)), rows[-1])  # type: ignore[attr-defined]
    if isinstance(rows[0], Membership):
        return _open_membership(roster, codes)
    return _whole(kind, codes, rows)[0]


def _open_membership(roster: Roster, codes: Sequence[str]) -> Record:
    return _whole(Membership.KIND, codes, records_of(roster, Membership.KIND, codes), 2)[-1]


def _whole(
    kind: str, codes: Sequence[str], rows: list[Record], least: int | None = None
) -> list[Record]:
    needed = KINDS[kind].KEY[:least]
    if len(codes) < len(needed):
        listed = " ".join(needed).upper()
        raise NoSuchRecord(
            f"{kind} 要用 {listed} 指明。 A {kind} is named by its {listed}, in this order."
        )
    return rows


def _replacing(before: Record | None, after: Record) -> list[Change]:
    if before is None or before.key == after.key:
        return [] if before == after else [Change(before, after)]
    return [Change(before, None), Change(None, after)]


def _ended(record: Record, update: Mapping[str, Any]) -> Draft:
    try:
        after = type(record).model_validate({**dict(record), **update})
    except ValidationError as error:
        (field, value), *_ = update.items()
        return [Wrong(field, str(value), f"不能用：{error.errors()[0]['msg']}。 It can't be used.")]
    return _replacing(record, after)


def _person_leaves(roster: Roster, codes: Sequence[str], day: str) -> Draft:
    (person,) = records_of(roster, Person.KIND, codes)
    changes = _replacing(person, person.model_copy(update={"status": "left"}))
    for membership in roster.memberships.get(codes[0], []):
        if membership.until is None or membership.until > day:
            ended = _ended(membership, {"until": day})
            wrong = [one for one in ended if isinstance(one, Wrong)]
            if wrong:
                return wrong
            changes += [one for one in ended if isinstance(one, Change)]
    return changes


def _code_stays(field: str, given: Given) -> Wrong:
    return Wrong(
        field,
        given[field],
        "编号不能改，时长里写着它：添加新的，并用 end 的 --successor 指向它。 "
        "A code isn't changed, hours name it: add another, and end this one with --successor.",
    )


def _does_not_go(kind: str, option: str) -> DoesNotGo:
    return DoesNotGo(f"{option} 不用于 {kind}。 {option} doesn't go with {kind}.")


def _not_then(record: Unit | Team | Project, day: str) -> Wrong:
    return Wrong(
        "--from",
        day,
        f"{record.code} 在这一天没有有效的行。 No row of {record.code} holds on that day.",
    )


def _full(code: str, taken: int, capacity: int) -> Wrong:
    return Wrong(
        "activity",
        code,
        f"名额 {capacity}，已报名 {taken}：已满；确要加人用 --over-capacity。 "
        f"It has {capacity} places and {taken} signed up: it is full; --over-capacity overrules.",
    )
