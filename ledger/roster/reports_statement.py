"""A report as one SQL statement: entries with their groups, summed, and the rows asked for.

What was served is grouped by the groups
and the volunteer first, then by the groups: so sums and distinct volunteers come from one pass.
Invariant: sums are of integers, and every entry within the filters is in exactly one row.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    String,
    case,
    cast,
    collate,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)

from ledger.roster.reports_grouping import Plan
from ledger.roster.reports_question import TIMES
from ledger.roster.reports_source import codes_given, each_entry, given_rows

Sort = Literal["time", "hours"]
SUMS = ("seconds", "sessions", "volunteers", "activities", "served")
_HELD = "held"


class Page(NamedTuple):
    """Which of the rows, in which order; `limit` None: all.

    `people`: whether volunteers are counted, which takes most of the time.
    """

    sort: Sort
    skip: int = 0
    limit: int | None = None
    people: bool = True


def statement(plan: Plan, dialect: str, below: Mapping[int, int] | None, page: Page) -> Select[Any]:
    """Rows of (part, place, groups, a column for each grouping, `SUMS`), by part and place.

    A part is one of the plan's; groupings that aren't its own are null. Place 0 says how many
    groups the part has, and in part 0 the sums of the whole, without what was held. `below`: only
    each shard's entries of a smaller seq. A volunteer is an id, "" all whom the roster lacks.
    """
    each = each_entry(plan, dialect, below).cte("each")
    parts: list[Select[Any]] = []
    for number, names in enumerate(plan.parts):
        served = _served(each, (*names, "person") if page.people else names).cte(f"served_{number}")
        grouped = _grouped(plan, number, served, dialect).cte(f"grouped_{number}")
        parts.append(_whole(plan, number, served, grouped))
        if names:
            parts.append(_paged(plan, number, grouped, dialect, page))
    rows = union_all(*parts).subquery("report")
    return select(rows).order_by(rows.c.part, rows.c.place)


def parameters(plan: Plan) -> dict[str, Any]:
    """The values of the statement's parameters."""
    given = codes_given(plan)
    for number, held in enumerate(plan.held):
        names = (*plan.parts[number], "activities", "served")
        rows = ((*one.groups, one.activities, one.served) for one in held)
        given[f"{_HELD}_{number}"] = [dict(zip(names, row, strict=True)) for row in rows]
    return given


def _served(each: CTE, names: Sequence[str]) -> Select[Any]:
    """Sessions and seconds of each group; of each volunteer in it, where people are counted."""
    keys = [each.c[name] for name in names]
    return select(*keys, _sum(each.c.sessions), _sum(each.c.seconds)).group_by(*keys)


def _grouped(plan: Plan, number: int, served: CTE, dialect: str) -> Select[Any]:
    """The sums of each group, served and held; groups of nothing are left out."""
    names = plan.parts[number]
    zero = literal(0, BigInteger())
    parts = [
        select(
            *(served.c[name] for name in names),
            *(served.c.seconds, served.c.sessions, _counts(served).label("volunteers")),
            *(zero.label("activities"), zero.label("served")),
        )
    ]
    if plan.held and plan.held[number]:
        numbers = dict.fromkeys((*names, "activities", "served"), BigInteger())
        held = given_rows(f"{_HELD}_{number}", numbers, dialect)
        groups = (held.c[name] for name in names)
        parts.append(select(*groups, zero, zero, zero, held.c.activities, held.c.served))
    both = union_all(*parts).subquery("both")
    keys = [both.c[name] for name in names]
    nonzero = or_(*(func.sum(both.c[name]) != 0 for name in ("seconds", "sessions", "activities")))
    return select(*keys, *(_sum(both.c[name]) for name in SUMS)).group_by(*keys).having(nonzero)


def _whole(plan: Plan, number: int, served: CTE, grouped: CTE) -> Select[Any]:
    """How many groups there are; in part 0 all there is, each volunteer once."""
    zero = literal(0, BigInteger())
    how_many = select(func.count()).select_from(grouped).scalar_subquery()
    begin = (
        literal(number, Integer()).label("part"),
        zero.label("place"),
        how_many.label("groups"),
        *_padded(plan, {}),
    )
    if number:
        return select(*begin, *(zero.label(name) for name in SUMS))
    sums = select(_sum(served.c.seconds), _sum(served.c.sessions))
    # Each volunteer once, where there are volunteers.
    who = [one for one in served.c if one.name == "person"]
    person = sums.add_columns(*who).group_by(*who).subquery("person")
    return select(
        *begin,
        *(_sum(person.c.seconds), _sum(person.c.sessions), _sum(_counts(person), "volunteers")),
        *(zero.label("activities"), zero.label("served")),
    )


def _paged(plan: Plan, number: int, grouped: CTE, dialect: str, page: Page) -> Select[Any]:
    names = plan.parts[number]
    rows = select(grouped).order_by(*_order(grouped, names, dialect, page.sort)).offset(page.skip)
    limited = rows if page.limit is None else rows.limit(page.limit)
    chosen = limited.subquery(f"chosen_{number}")
    order = _order(chosen, names, dialect, page.sort)
    return select(
        literal(number, Integer()).label("part"),
        func.row_number().over(order_by=order).label("place"),
        cast(null(), BigInteger).label("groups"),
        *_padded(plan, {name: chosen.c[name] for name in names}),
        *(chosen.c[name] for name in SUMS),
    )


def _padded(plan: Plan, given: Mapping[str, ColumnElement[Any]]) -> list[ColumnElement[Any]]:
    """A column for each grouping of the question."""
    types = {name: String() if name == "volunteer" else BigInteger() for name in plan.names}
    return [cast(given.get(name, null()), type_).label(name) for name, type_ in types.items()]


def _order(
    rows: FromClause, names: Sequence[str], dialect: str, sort: Sort
) -> list[ColumnElement[Any]]:
    """By the hours where asked; then by time, then by the other groupings."""
    times = [name for name in names if name in TIMES]
    others = [name for name in names if name not in TIMES]
    keys = [_ordered(rows.c[name], dialect) for name in (*times, *others)]
    return [rows.c.seconds.desc(), *keys] if sort == "hours" else keys


def _ordered(key: ColumnElement[Any], dialect: str) -> ColumnElement[Any]:
    """Ids in the order of their bytes, whatever order the database was made with."""
    return collate(key, "C") if key.name == "volunteer" and dialect == "postgresql" else key


def _counts(sums: FromClause) -> ColumnElement[int]:
    """1 for a volunteer who served: sessions that were taken back leave nobody."""
    if "person" not in sums.c:
        return literal(0, BigInteger())
    return case((or_(sums.c.sessions > 0, sums.c.seconds > 0), 1), else_=0)


def _sum(summed: ColumnElement[Any], name: str = "") -> ColumnElement[int]:
    return cast(func.coalesce(func.sum(summed), 0), BigInteger).label(name or summed.name)
