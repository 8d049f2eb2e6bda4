"""Whether records fit together: every code they name exists, and periods and trees make sense.

Pure; it looks at a whole roster, as it would be after a change, and says all that is wrong with
some of its records. Invariant: a roster without flaws has no two rows of a code on one day, and no
unit or team above itself or merged into itself.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from ledger.roster.records import (
    UNIT_LEVELS,
    Activity,
    Have,
    HaveItem,
    Membership,
    Person,
    Project,
    Record,
    Signup,
    Team,
    Unit,
)
from ledger.roster.roster import Roster


class Flaw(NamedTuple):
    """What is wrong with a record: in which field, the value, a stable word, and what to do."""

    record: Record
    field: str
    value: str
    reason: str
    what: str


def flaws(roster: Roster, records: Iterable[Record]) -> Iterator[Flaw]:
    """All that is wrong with these records of a roster."""
    for record in records:
        yield from _unknown_codes(roster, record)
        yield from _erased_people(roster, record)
        if isinstance(record, Unit):
            yield from _overlaps(record, roster.units[record.code])
            yield from _unit_in_tree(roster, record)
        elif isinstance(record, Team):
            yield from _overlaps(record, roster.teams[record.code])
            yield from _in_a_circle(roster.teams, record, "parent")
            yield from _in_a_circle(roster.teams, record, "successor")
        elif isinstance(record, Project):
            yield from _overlaps(record, roster.projects[record.code])
        elif isinstance(record, Membership):
            yield from _overlapping_memberships(roster, record)
        elif isinstance(record, Have):
            yield from _not_a_post(roster, record)


def _unknown_codes(roster: Roster, record: Record) -> Iterator[Flaw]:
    for field, codes, known, what in _named(roster, record):
        for code in codes:
            if code not in known:
                yield Flaw(
                    record,
                    field,
                    code,
                    "unknown-code",
                    f"没有编号为 {code} 的{what[0]}：先添加它，或改正编号。 "
                    f"There is no {what[1]} {code}: add it first, or correct the code.",
                )


def _erased_people(roster: Roster, record: Record) -> Iterator[Flaw]:
    if isinstance(record, Team):
        field, volunteers = "leaders", record.leaders
    elif isinstance(record, Membership | Signup):
        field, volunteers = "volunteer", (record.volunteer,)
    else:
        return
    for volunteer in volunteers:
        person = roster.people.get(volunteer)
        if person is not None and person.status == "erased":
            yield Flaw(record, field, volunteer, "erased", _erased(volunteer))


def _erased(volunteer: str) -> str:
    return (
        f"{volunteer} 已被删除，编号不能再用：请另用一个志愿者编号。 "
        f"{volunteer} was erased, and the id is not used again: take another."
    )


def comes_back(before: Record | None, after: Record | None) -> Iterator[Flaw]:
    """The flaw of a change that would bring back somebody who was erased."""
    if isinstance(before, Person) and before.status == "erased" and after != before:
        yield Flaw(before, "volunteer", before.volunteer, "erased", _erased(before.volunteer))


_UNIT, _TEAM = ("单位", "unit"), ("队伍", "team")
_PERSON = ("志愿者", "volunteer")
_Named = tuple[str, Iterable[str], Collection[str], tuple[str, str]]


def _named(roster: Roster, record: Record) -> Iterator[_Named]:
    """Each field that names codes: field, codes, those there are, what they stand for."""
    if isinstance(record, Unit):
        yield "parent", _given(record.parent), roster.units, _UNIT
        yield "successor", _given(record.successor), roster.units, _UNIT
    elif isinstance(record, Team):
        yield "parent", _given(record.parent), roster.teams, _TEAM
        yield "unit", _given(record.unit), roster.units, _UNIT
        yield "platforms", record.platforms, roster.platforms, ("平台", "platform")
        yield "leaders", record.leaders, roster.people, _PERSON
        yield "successor", _given(record.successor), roster.teams, _TEAM
    elif isinstance(record, Project):
        yield "unit", _given(record.unit), roster.units, _UNIT
    elif isinstance(record, Activity):
        yield "platform", _given(record.platform), roster.platforms, ("平台", "platform")
        yield "project", _given(record.project), roster.projects, ("项目", "project")
        yield "unit", (record.unit,), roster.units, _UNIT
        yield "teams", record.teams, roster.teams, _TEAM
    elif isinstance(record, Person):
        yield "unit", _given(record.unit), roster.units, _UNIT
    elif isinstance(record, Membership):
        yield "volunteer", (record.volunteer,), roster.people, _PERSON
        yield "team", (record.team,), roster.teams, _TEAM
    elif isinstance(record, Signup):
        yield "volunteer", (record.volunteer,), roster.people, _PERSON
        yield "activity", (record.activity,), roster.activities, ("活动", "activity")
    elif isinstance(record, Have):
        yield "post", (record.post,), roster.units, ("驿站", "post")
        items = {key[0] for key in roster.records[HaveItem.KIND]}
        yield "item", (record.item,), items, ("六有项目", "have item")


def _given(code: str | None) -> tuple[str, ...]:
    return () if code is None else (code,)


def _overlaps(
    record: Unit | Team | Project, rows: Iterable[Unit | Team | Project]
) -> Iterator[Flaw]:
    for other in rows:
        if other.key != record.key and _meet(
            (record.valid_from, record.valid_until), (other.valid_from, other.valid_until)
        ):
            yield Flaw(
                record,
                "valid_from",
                record.valid_from,
                "overlap",
                f"{record.code} 在这段时间已有另一行（自 {other.valid_from} 起）："
                "先给那一行填失效日期。 "
                f"{record.code} has another row then, valid from {other.valid_from}: "
                "give that one an end first.",
            )


def _overlapping_memberships(roster: Roster, record: Membership) -> Iterator[Flaw]:
    for other in roster.memberships[record.volunteer]:
        if (
            other.team == record.team
            and other.key != record.key
            and _meet((record.since, record.until), (other.since, other.until))
        ):
            yield Flaw(
                record,
                "since",
                record.since,
                "overlap",
                f"{record.volunteer} 自 {other.since} 起已在队伍 {record.team}：先填退出日期。 "
                f"{record.volunteer} is in team {record.team} since {other.since}: "
                "end that first.",
            )


def _meet(one: tuple[str, str | None], other: tuple[str, str | None]) -> bool:
    return (one[1] is None or other[0] < one[1]) and (other[1] is None or one[0] < other[1])


def _unit_in_tree(roster: Roster, record: Unit) -> Iterator[Flaw]:
    yield from _in_a_circle(roster.units, record, "parent")
    yield from _in_a_circle(roster.units, record, "successor")
    parents = roster.units.get(record.parent or "", [])
    lower = [row for row in parents if not _may_hold(row, record)]
    if record.kind != "post" and parents and len(lower) == len(parents):
        yield Flaw(
            record,
            "parent",
            record.parent or "",
            "wrong-level",
            f"上级 {record.parent} 的类别不高于本单位：中心→所→站→点，驿站可在任何一级。 "
            f"The parent {record.parent} stands no higher than this unit: centre, office, "
            "station, point; a post may be anywhere.",
        )


def _may_hold(parent: Unit, child: Unit) -> bool:
    return UNIT_LEVELS.index(parent.kind) < UNIT_LEVELS.index(child.kind)


_Line = Literal["parent", "successor"]
_CIRCLES: Mapping[_Line, tuple[str, str]] = {
    "parent": (
        "{code} 会成为自己的上级：请改正上级编号。",
        "{code} would be above itself: correct the parent.",
    ),
    "successor": (
        "{code} 会并入自己：请改正并入编号。",
        "{code} would be merged into itself: correct the successor.",
    ),
}


def _in_a_circle(
    rows: dict[str, list[Unit]] | dict[str, list[Team]], record: Unit | Team, line: _Line
) -> Iterator[Flaw]:
    seen = set()
    following = getattr(record, line)
    waiting = [following]
    while waiting:
        code = waiting.pop()
        if code == record.code:
            what = " ".join(_CIRCLES[line]).format(code=code)
            yield Flaw(record, line, following, "cycle", what)
            return
        if code is not None and code not in seen:
            seen.add(code)
            waiting += [getattr(row, line) for row in rows.get(code, [])]


def _not_a_post(roster: Roster, record: Have) -> Iterator[Flaw]:
    rows = roster.units.get(record.post, [])
    if rows and all(row.kind != "post" for row in rows):
        yield Flaw(
            record,
            "post",
            record.post,
            "not-a-post",
            f"{record.post} 不是驿站：六有只登记驿站。 "
            f"{record.post} is no post: only posts have the checklist.",
        )
