"""Drilling down: any part of the district in any period, down to single entries and their taps."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from sqlalchemy import Connection, select
from starlette.responses import Response

from dashboards.board import charts
from dashboards.board.exploring import (
    Part,
    level_below,
    look,
    next_of,
    question_of,
    turned_to,
    within,
)
from dashboards.board.periods import Period, period
from dashboards.board.refusing import no_such_thing, not_yours
from dashboards.board.times import day_in
from dashboards.board.visiting import Visit, Visiting
from dashboards.board.words import Words
from ledger import queries
from ledger.browsing import (
    entries_of_session,
    entry_body,
    entry_count,
    entry_lines,
    hours_of_the_week,
)
from ledger.roster.calling import all_called
from ledger.roster.reports import Report
from ledger.roster.tables import activities
from producers.sheets import write_rows_csv, write_rows_xlsx

router = APIRouter()
_ROWS = 50
_ENTRIES = 100
_MOST_EXPORTED = 200_000
_HEAT_DAYS = 92
TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def asked_part(
    unit: str | None = None,
    team: str | None = None,
    platform: str | None = None,
    project: str | None = None,
    activity: str | None = None,
) -> Part:
    """The part that an address names."""
    given = (unit, team, platform, project, activity)
    return Part(*(one or None for one in given))


def asked_period(
    visit: Visiting,
    name: Annotated[str, Query(alias="period")] = "month",
    first: str = "",
    last: str = "",
) -> Period:
    """The period that an address names."""
    days = (day_in(first), day_in(last)) if first and last else (None, None)
    return period(name, days[0], days[1], visit.board.today())


Asked = Annotated[Part, Depends(asked_part)]
InTime = Annotated[Period, Depends(asked_period)]


@router.get("/explore", name="explore")
def explore(visit: Visiting, asked: Asked, when: InTime) -> Response:
    """The figures of a part: its whole, what it is made of, over days and hours of the week."""
    board, known = visit.board, visit.directory
    part = within(asked, visit.scope)
    with queries.reading(board.engine) as connection:
        found = look(connection, part, when, known, board.policy)
        heat = {}
        if when.days <= _HEAT_DAYS:
            heat = hours_of_the_week(connection, question_of(part, when, known), board.policy)
        title = _activity_title(connection, part.activity)
    days = [(row.groups[0].code or "", row.seconds) for row in found.reports["day"].rows]
    units = [(row.groups[0], row.seconds) for row in found.reports["unit"].rows]
    return visit.page(
        "explore.html",
        part=part,
        when=when,
        found=found,
        title=title,
        level=level_below(part, known),
        rows=_ROWS,
        bars=charts.bars(sorted(days)),
        bars_size=charts.BARS,
        tiles=charts.treemap([(label.code, label.name, value) for label, value in units]),
        tiles_size=charts.TREEMAP,
        week=charts.week(heat) if heat else [],
        tops=[(kind, code) for kind, code in visit.scope.tops],
    )


@router.get("/explore/rows.{kind}", name="explore_rows")
def explore_rows(
    visit: Visiting, kind: str, asked: Asked, when: InTime, by: str = "unit"
) -> Response:
    """One of the tables as a file."""
    part = within(asked, visit.scope)
    with queries.reading(visit.board.engine) as connection:
        found = look(connection, part, when, visit.directory, visit.board.policy)
    report = found.reports.get(by)
    if report is None:
        raise no_such_thing(Words(f"按 {by} 的表", f"table by {by}"))
    return table_file(
        visit, kind, f"hours-{by}-{when.first}-{when.last}", *_table(visit, by, report)
    )


@router.get("/explore/entries", name="entries")
def entries_page(visit: Visiting, asked: Asked, when: InTime, after: str = "") -> Response:
    """The entries that the figures are made of."""
    part = within(asked, visit.scope)
    with queries.reading(visit.board.engine) as connection:
        wanted = question_of(part, when, visit.directory)
        lines = entry_lines(connection, wanted, visit.board.policy, _ENTRIES, turned_to(after))
        count, seconds = entry_count(connection, wanted, visit.board.policy)
        called = all_called(connection, {one.volunteer for one in lines})
        title = _activity_title(connection, part.activity)
    return visit.page(
        "entries.html",
        part=part,
        when=when,
        lines=lines,
        count=count,
        seconds=seconds,
        called=called,
        title=title,
        following=next_of(lines, _ENTRIES),
    )


@router.get("/explore/entries.{kind}", name="entries_file")
def entries_file(visit: Visiting, kind: str, asked: Asked, when: InTime) -> Response:
    """All those entries as a file; volunteers by pseudonym."""
    part = within(asked, visit.scope)
    rows: list[Sequence[Any]] = []
    with queries.reading(visit.board.engine) as connection:
        wanted, after = question_of(part, when, visit.directory), None
        while lines := entry_lines(connection, wanted, visit.board.policy, 1_000, after):
            rows += lines
            after = (lines[-1].day, lines[-1].shard, lines[-1].seq)
            if len(rows) > _MOST_EXPORTED:
                raise no_such_thing(
                    Words("这么大的文件：请缩短时间段", "file as large as that: choose fewer days")
                )
    heading = (
        *("分片 shard", "序号 seq", "类型 type", "志愿者 volunteer", "队伍 team", "地点 place"),
        *(
            "活动 activity",
            "日期 day",
            "秒 seconds",
            "签到 opened_at",
            "签退 closed_at",
            "原因 reason",
        ),
    )
    return table_file(visit, kind, f"entries-{when.first}-{when.last}", heading, rows)


@router.get("/explore/entry/{shard}/{seq}", name="entry")
def entry_page(visit: Visiting, shard: int, seq: int) -> Response:
    """One entry: its canonical content, where the log has what caused it, what else was written."""
    with queries.reading(visit.board.engine) as connection:
        body = entry_body(connection, shard, seq)
        if body is None:
            raise no_such_thing(Words(f"条目 {shard}/{seq}", f"entry {shard}/{seq}"))
        team, place = body.get("team"), body.get("place")
        if not visit.scope.covers(team, place):
            raise not_yours()
        session = body.get("session")
        siblings = entries_of_session(connection, session) if session else []
        called = all_called(connection, {body["volunteer"]} if "volunteer" in body else set())
    return visit.page("entry.html", body=body, siblings=siblings, called=called)


def table_file(
    visit: Visit, kind: str, name: str, heading: Sequence[str], rows: Sequence[Sequence[Any]]
) -> Response:
    """Rows as CSV or XLSX, for keeping. Refused where it is neither."""
    if kind not in TYPES:
        raise no_such_thing(Words(f"{kind} 格式", f"format {kind}"))
    with TemporaryDirectory() as folder:
        file = Path(folder) / f"table.{kind}"
        (write_rows_csv if kind == "csv" else write_rows_xlsx)(file, heading, rows)
        content = file.read_bytes()
    headers = {
        "content-disposition": f'attachment; filename="{name}.{kind}"',
        "cache-control": "no-store",
    }
    return Response(content, 200, headers, TYPES[kind])


def _table(visit: Visit, by: str, report: Report) -> tuple[Sequence[str], list[Sequence[Any]]]:
    heading = (
        *("编号 code", "名称 name", "秒 seconds", "小时 hours", "次数 sessions", "人数 volunteers"),
        *("活动场次 activities", "服务人次 served"),
    )
    rows: list[Sequence[Any]] = [
        (
            row.groups[0].code,
            row.groups[0].name,
            row.seconds,
            round(row.seconds / 3_600, 2),
            row.sessions,
            row.volunteers,
            row.activities,
            row.served,
        )
        for row in report.rows
    ]
    return heading, rows


def _activity_title(connection: Connection, code: str | None) -> str | None:
    if code is None:
        return None
    return connection.execute(select(activities.c.title).where(activities.c.code == code)).scalar()
