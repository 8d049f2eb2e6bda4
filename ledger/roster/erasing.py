"""What becomes of the roster when a volunteer is erased, and the receipt for it.

Pure. Not the private data: deleting it, and making the database forget it, is `forgetting`.
What stays is the pseudonym, so that the hours still add up and prove, and the history of the
pseudonym's memberships, which names nobody. Invariant: after an erasure no record of the roster
but the person's own row, which says "erased" and nothing else, names the volunteer.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ledger.roster.records import Have, Membership, Person, Signup, Team
from ledger.roster.roster import Change, Roster

NOBODY = "erased"
"""Who checked an item of the "six haves", once that volunteer is erased."""


class Receipt(NamedTuple):
    """What an erasure removed (by table), and what stays: entries, and the seconds they come to."""

    volunteer: str
    change_set: int
    erased_at: str
    by: str
    why: str
    removed: dict[str, int]
    entries_kept: int
    seconds_kept: int
    database: str
    still_elsewhere: str


def erasure(roster: Roster, volunteer: str) -> list[Change]:
    """The changes that leave nothing of a volunteer; none where that is so already."""
    erased = Person(volunteer=volunteer, status="erased")
    before = roster.people.get(volunteer)
    changes = [] if before == erased else [Change(before, erased)]
    return changes + list(_named_elsewhere(roster, volunteer))


def removed(changes: Sequence[Change], private_versions: int) -> dict[str, int]:
    """How many rows of each table an erasure removed or cleared the volunteer from."""
    counted = Counter(_TABLES[one.kind] for one in changes)
    return {"roster_private": private_versions, **counted}


def _named_elsewhere(roster: Roster, volunteer: str) -> Iterator[Change]:
    for team in roster.all(Team):
        if volunteer in team.leaders:
            others = tuple(one for one in team.leaders if one != volunteer)
            yield Change(team, team.model_copy(update={"leaders": others}))
    for have in roster.all(Have):
        if have.checked_by == volunteer:
            yield Change(have, have.model_copy(update={"checked_by": NOBODY}))
    for membership in roster.memberships.get(volunteer, []):
        yield Change(membership, None)
    for signup in roster.all(Signup):
        if signup.volunteer == volunteer:
            yield Change(signup, None)


_TABLES = {
    Person.KIND: "roster_people",
    Team.KIND: "roster_teams",
    Have.KIND: "roster_haves",
    Membership.KIND: "roster_memberships",
    Signup.KIND: "roster_signups",
}
