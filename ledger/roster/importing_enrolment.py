"""What enrolling somebody makes of the roster: their record, and their memberships.

Pure. Not who is meant: that is for `importing_people`. Invariant: a person's open memberships are
those that their row lists, where it lists any.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from ledger.roster.importing_doubles import Enrolled
from ledger.roster.importing_reasons import Reason, Wrong
from ledger.roster.importing_records import Cause, Reading, Wanted
from ledger.roster.importing_tables import PEOPLE
from ledger.roster.importing_values import refused
from ledger.roster.records import Membership, Person

_KEPT = ("status", "consent", "unit")
_FIELDS = {"since": "joined", "team": "teams", "until": "teams"}


def want_people(
    enrolled: Iterable[Enrolled],
    reading: Reading,
    versions: Mapping[str, int],
    new_serial: Callable[[], str],
    wanted: Wanted,
) -> None:
    """Add the people and memberships that rows want.

    `versions` is the newest version that there is of each volunteer's private data.
    """
    written = _by_volunteer(one for one in wanted.of("membership") if isinstance(one, Membership))
    for one in enrolled:
        cause = Cause(one.row, _FIELDS)
        wanted.want(_person(one, reading, versions, new_serial), cause)
        if "teams" in one.values:
            _want_teams(one, reading, written.get(one.volunteer, []), wanted)


def _person(
    one: Enrolled,
    reading: Reading,
    versions: Mapping[str, int],
    new_serial: Callable[[], str],
) -> Person:
    """Its codes were found, and its words are those of the choices."""
    said = {name: one.values[name] for name in _KEPT if name in one.values}
    before = reading.roster.people.get(one.volunteer)
    person = before or Person(
        volunteer=one.volunteer, badge_serial=new_serial(), badge_generation=1
    )
    if one.private != one.before:
        said["private_version"] = versions.get(one.volunteer, 0) + 1
    return person.model_copy(update=said)


def _want_teams(
    one: Enrolled, reading: Reading, written: Iterable[Membership], wanted: Wanted
) -> None:
    """Begin the memberships that are missing, end those that are not listed."""
    cause, today = Cause(one.row, _FIELDS), reading.today
    there = {each.key: each for each in reading.roster.memberships.get(one.volunteer, [])}
    stated = {each.key: each for each in written}
    all_of_them = [*{**there, **stated}.values()]
    is_open = {each.team for each in all_of_them if each.until is None or each.until > today}
    for team in one.values["teams"]:
        if team not in is_open:
            since = _since(one, team, all_of_them, today)
            wanted.want(Membership(volunteer=one.volunteer, team=team, since=since), cause)
    for each in all_of_them:
        if each.team in is_open and each.team not in one.values["teams"]:
            if each.key in stated:
                wrong = Wrong(Reason.TEAMS_CONTRADICT, each.team)
                wanted.refused.append(refused(one.row, PEOPLE.by_name["teams"], wrong))
            else:
                _end(each, today, cause, wanted)


def _since(one: Enrolled, team: str, memberships: Iterable[Membership], today: str) -> str:
    """When somebody joined; who was in the team before, and left, comes back today."""
    joined = str(one.values.get("joined", today))
    left = max((each.until or "" for each in memberships if each.team == team), default="")
    return joined if joined >= left else today


def _end(membership: Membership, today: str, cause: Cause, wanted: Wanted) -> None:
    if membership.until is not None and membership.until <= today:
        return
    if membership.since >= today:
        wanted.unwanted.append(membership)  # it never held
    else:
        wanted.want(membership.model_copy(update={"until": today}), cause)


def _by_volunteer(memberships: Iterable[Membership]) -> dict[str, list[Membership]]:
    found: dict[str, list[Membership]] = defaultdict(list)
    for one in memberships:
        found[one.volunteer].append(one)
    return found
