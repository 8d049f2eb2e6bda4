"""Each entry with the groups it counts for, as SQL: the plan's codes joined to `entries`.

The codes go along as JSON, one parameter for each column. Not how they are summed: that is
`reports_statement`. Invariant: every entry within the filters comes once, with the groups that
`Plan.groups_of` gives.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    case,
    cast,
    column,
    func,
    or_,
    select,
)

from ledger.roster.records import EVER
from ledger.roster.reports_grouping import NONE, UNKNOWN, Codes, Plan
from ledger.roster.reports_question import LAST_DAY
from ledger.roster.tables import people
from ledger.tables import entries


def each_entry(plan: Plan, dialect: str, below: Mapping[int, int] | None) -> Select[Any]:
    """Rows of (each of the question's dimensions, person, sessions, seconds).

    `below`: only each shard's entries of a smaller seq.
    """
    source: FromClause = entries
    joined = {}
    for codes in plan.codes:
        joined[codes.column] = given = _codes(plan, codes, dialect)
        source = source.outerjoin(given, _matches(codes, given))
    groups: list[ColumnElement[Any]] = [
        _number(name, plan, joined).label(name) for name in plan.dimensions
    ]
    if "volunteer" in plan.names:
        source = source.outerjoin(people, people.c.volunteer == entries.c.volunteer)
        groups.append(func.coalesce(people.c.volunteer, "").label("volunteer"))
    wanted = (_number(name, plan, joined) == number for name, number in plan.wanted.items())
    present = (joined[one.column].c.code.is_not(None) for one in plan.codes if one.only)
    # What one entry says fits: PostgreSQL adds bigints up as numerics, in half as much time again.
    seconds = cast(entries.c.seconds, Integer).label("seconds")
    values = (entries.c.volunteer.label("person"), entries.c.sessions, seconds)
    return (
        select(*groups, *values)
        .select_from(source)
        .where(entries.c.type != "genesis", *_filters(plan, below), *wanted, *present)
    )


def codes_given(plan: Plan) -> dict[str, Any]:
    """The values of its parameters."""
    return {codes.column: list(_objects(codes, _wanted_of(plan, codes))) for codes in plan.codes}


def given_rows(name: str, columns: Mapping[str, Any], dialect: str) -> FromClause:
    """A parameter's JSON objects as rows."""
    value = bindparam(name, type_=JSON)
    if dialect == "sqlite":
        each = func.json_each(value).table_valued("value", name=f"{name}_each")
        members = (
            cast(func.json_extract(each.c.value, f"$.{one}"), type_).label(one)
            for one, type_ in columns.items()
        )
        # Materialized, so that it is read once and then looked up.
        return select(*members).cte(f"{name}_codes").prefix_with("MATERIALIZED")
    typed = (column(one, type_) for one, type_ in columns.items())
    rows = func.json_to_recordset(value).table_valued(*typed, name=f"{name}_codes")
    return rows.render_derived(with_types=True)


def _filters(plan: Plan, below: Mapping[int, int] | None) -> list[ColumnElement[bool]]:
    asked, table = plan.question, entries.c
    found: list[ColumnElement[bool]] = []
    if asked.first != EVER:
        found.append(table.day >= asked.first)
    if asked.last != LAST_DAY:
        found.append(table.day <= asked.last)
    if asked.activity is not None:
        found.append(table.activity == asked.activity)
    if asked.volunteer is not None:
        found.append(table.volunteer == asked.volunteer)
    if below is not None:
        found.append(or_(*(and_(table.shard == n, table.seq < seq) for n, seq in below.items())))
    return found


def _number(dimension: str, plan: Plan, joined: Mapping[str, FromClause]) -> ColumnElement[int]:
    """The same as `Plan.groups_of`, in the database."""
    giving = [joined[one.column].c for one in plan.codes if dimension in one.gives]
    given = [one[dimension] for one in giving]
    if len(given) == 1 and dimension != "platform":
        return func.coalesce(*given, UNKNOWN)
    is_unknown = or_(*(one.code.is_(None) for one in giving))
    return func.coalesce(*given, case((is_unknown, UNKNOWN), else_=NONE))


def _matches(codes: Codes, given: FromClause) -> ColumnElement[bool]:
    here = entries.c[codes.column] == given.c.code
    if not codes.in_time:
        return here
    return and_(here, entries.c.day >= given.c.start, entries.c.day < given.c.stop)


def _codes(plan: Plan, codes: Codes, dialect: str) -> FromClause:
    days = ("start", "stop") if codes.in_time else ()
    columns: dict[str, Any] = dict.fromkeys(("code", *days), String())
    columns |= dict.fromkeys(_wanted_of(plan, codes), Integer())
    return given_rows(codes.column, columns, dialect)


def _objects(codes: Codes, wanted: Sequence[str]) -> Iterator[dict[str, Any]]:
    places = [(name, codes.gives.index(name)) for name in wanted]
    for row in codes.rows:
        numbers = {name: row.numbers[place] for name, place in places}
        days = {"start": row.start, "stop": row.stop} if codes.in_time else {}
        yield {"code": row.code, **days, **numbers}


def _wanted_of(plan: Plan, codes: Codes) -> list[str]:
    """Those of the dimensions that codes give which the question is about."""
    return [name for name in codes.gives if name in plan.names or name in plan.wanted]
