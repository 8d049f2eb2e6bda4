"""A change of the roster from a page: drafted, checked, within what the account may change, kept.

The drafting is `ledger.roster.drafting`'s. Invariant: what is refused changes nothing; what is
done has the account's name and a reason in the roster's history, and was made from what the account
saw.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Engine

from dashboards.board.refusing import Refused, bad_request, not_yours
from dashboards.board.scope import Scope
from dashboards.board.visiting import Visit
from dashboards.board.words import Words, both
from ledger import queries
from ledger.roster import disclosing, store
from ledger.roster.editing import Wrong, wrong_of
from ledger.roster.planning import checked
from ledger.roster.private_values import mentions
from ledger.roster.records import Activity, Have, Membership, Person, Record, Signup
from ledger.roster.roster import Change, Roster
from ledger.roster.store import Deed
from producers.private_numbers import has_private_number

Draft = Callable[[Roster], Sequence[Change] | Sequence[Wrong]]
Allowed = Callable[[Roster, Change], None]
"""Raises Refused for a change that isn't the account's to make."""


def keep(engine: Engine, deed: Deed, draft: Draft, allowed: Allowed) -> int:
    """Make a drafted change; the change set's number, 0 where it changes nothing. Refused."""
    with store.changing(engine) as connection:
        before = store.load(connection)
        changes = drafted(draft(before))
        if not changes:
            return 0
        for one in changes:  # first: what is wrong with another's would say how it stands
            allowed(before, one)
        refuse_flaws(before, changes)
        return store.apply(connection, before, changes, deed)


def deed_of(visit: Visit, why: str) -> Deed:
    """What the account does now, for this reason. Refused without one."""
    if not why.strip():
        raise bad_request(
            Words("请写明为什么：历史会一直留着它。", "Say why: the history keeps it.")
        )
    return Deed(visit.name, why.strip(), visit.board.clock())


def refuse_telling(visit: Visit, said: Mapping[str, str]) -> None:
    """Refused where what is kept for ever says who somebody is; texts by volunteer.

    Names only where the board can open them.
    """
    vault, tells = visit.board.vault, any(map(has_private_number, said.values()))
    if vault is not None and not tells:
        with queries.reading(visit.board.engine) as connection:
            people = disclosing.who(connection, vault, said)
        tells = any(mentions(said[volunteer], who) for volunteer, who in people.items())
    if tells:
        raise bad_request(
            Words(
                "理由里有姓名、手机或证件号码，而它会一直留着：请换个说法。",
                "The reason holds a name, phone or document number, and it is kept for ever: "
                "say it otherwise.",
            )
        )


def mark_of(record: Record) -> str:
    """What a form was made from; it brings this back, so that nobody overwrites what they never
    saw."""
    return hashlib.sha256(record.model_dump_json().encode()).hexdigest()[:16]


def refuse_unseen(record: Record | None, mark: str) -> None:
    """Refused where a record is no longer what a form was made from; no mark: nothing was shown."""
    if mark and (record is None or mark_of(record) != mark):
        raise changed_since()


def changed_since() -> Refused:
    """Somebody else was quicker."""
    return Refused(
        409,
        "changed-since",
        Words(
            "这一项在您打开页面之后被别人改过，您的改动没有保存：请重新打开页面，看看历史里改了"
            "什么，再改一次。",
            "Somebody else changed this after you opened the page, and your change was not kept: "
            "open the page again, see in its history what was changed, and change it again.",
        ),
    )


def allowed(scope: Scope) -> Allowed:
    """Refuses changes of what isn't within a scope."""

    def check(before: Roster, change: Change) -> None:
        for record in filter(None, (change.before, change.after)):
            if not covers(scope, before, record):
                raise not_yours()

    return check


def covers(scope: Scope, before: Roster, record: Record) -> bool:
    """Whether a record is within a scope: units, teams and the like are the centre's alone."""
    if scope.everything:
        return True
    if isinstance(record, Signup):
        activity = before.activities.get(record.activity)
        return activity is not None and covers(scope, before, activity)
    match record:
        case Membership():
            found = scope.covers_team(record.team)
        case Activity():
            all_ours = bool(record.teams) and all(map(scope.covers_team, record.teams))
            found = all_ours or scope.covers_unit(record.unit)
        case Have():
            found = scope.covers_unit(record.post)
        case Person():
            found = record.volunteer in scope.members or scope.covers_unit(record.unit)
        case _:
            found = False
    return found


def drafted(found: Sequence[Change] | Sequence[Wrong]) -> list[Change]:
    """The changes of a draft. Refused where something is wrong with it."""
    refuse_wrong([one for one in found if isinstance(one, Wrong)])
    return [one for one in found if isinstance(one, Change)]


def refuse_flaws(before: Roster, changes: Sequence[Change]) -> None:
    """Refused where the roster would no longer fit together."""
    refuse_wrong([wrong_of(flaw) for flaw in checked(before, changes).flaws])


def refuse_wrong(wrong: Sequence[Wrong]) -> None:
    """Refused where anything is."""
    if wrong:
        raise Refused(422, "not-so", both(" ".join(map(str, wrong[:5]))))
