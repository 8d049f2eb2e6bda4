"""Pages beside reports: half a year's figures, one volunteer's history, codes that nobody knows.

Not what they say. Invariant: no volunteer's name is in them.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click

from dashboards.terminal import duration
from hours import showing
from hours.report_showing import FIGURES, decimal_hours, figures, named, report_json
from ledger.roster.records import Project, Team, Unit
from ledger.roster.reports import ReportRow
from ledger.roster.reports_half_year import HalfYear
from ledger.roster.reports_history import Served
from ledger.roster.reports_question import Grouping, groupings
from ledger.roster.reports_unknown import UnknownCode
from ledger.roster.words import CHOICES

_TABLES = {"platform": "平台 platform", "unit": "所 office", "month": "月份 month"}
_KINDS = {
    "unit": "地点 place",
    "team": "队伍 team",
    "activity": "活动 activity",
    "person": "志愿者 volunteer",
}


def print_half_year(found: HalfYear) -> None:
    """The page."""
    whole = found.tables["platform"].whole
    click.echo(f"半年报 half-year report  {found.first} – {found.last}\n")
    for heading, figure in zip(FIGURES, figures(whole, duration), strict=True):
        click.echo(f"{heading}: {figure}")
    for heading, kinds in _counts(found):
        listed = "，".join(f"{name} {count}" for name, count in kinds)
        click.echo(f"{heading}: {sum(count for _, count in kinds)} ({listed})")
    for name, heading in _TABLES.items():
        click.echo()
        rows = [[named(row.groups[0]), *figures(row, duration)] for row in found.tables[name].rows]
        total = ["合计 total", *figures(whole, duration)]
        showing.print_table((heading, *FIGURES), [*rows, total], "")


def half_year_rows(found: HalfYear) -> tuple[list[str], list[list[Any]]]:
    """The same as one table: headings, and rows of a section each."""
    headings = ["部分 section", "编号 code", "名称 name", "数量 count", "秒 seconds", *FIGURES]
    whole = found.tables["platform"].whole
    rows = [[f"{found.first} – {found.last}", None, "合计 total", None, *_cells(whole)]]
    for heading, kinds in _counts(found):
        rows += [[heading, None, name, count, *[None] * 6] for name, count in kinds]
    for dimension, heading in _TABLES.items():
        for row in found.tables[dimension].rows:
            label = row.groups[0]
            rows.append([heading, label.code, label.name, None, *_cells(row)])
    return headings, rows


def half_year_json(found: HalfYear) -> dict[str, Any]:
    """The same as one object."""
    return {
        "first": found.first,
        "last": found.last,
        **report_json((), found.tables["platform"].whole),
        "units": dict(found.units),
        "teams": dict(found.teams),
        "projects": dict(found.projects),
        **{
            f"by_{name}": [report_json(_by(name), row) for row in found.tables[name].rows]
            for name in _TABLES
        },
    }


def print_history(shown: Sequence[Served], found: Sequence[Served], zone: ZoneInfo) -> None:
    """Sessions in the ledger's time, and what all of them come to."""
    total = sum(one.seconds for one in found)
    last = ["合计 total", "", "", "", "", "", duration(total)]
    showing.print_table(
        (
            *("日期 day", "开始 from", "结束 to", "队伍 team", "地点 place", "活动 activity"),
            "时长 hours",
        ),
        [*(_served(one, zone) for one in shown), *([last] if found else [])],
        "账本里没有这名志愿者的时长。 The ledger has no hours of this volunteer.",
    )


def print_unknown(shown: Sequence[UnknownCode]) -> None:
    """Each code, what is under it, and below what to do."""
    showing.print_table(
        (
            *("类别 kind", "编号 code", "次数 sessions", "时长 hours", "未配对 open taps"),
            *("从 from", "到 to"),
        ),
        [
            (_KINDS[one.kind], one.code, one.sessions, duration(one.seconds), one.halves, *one[5:])
            for one in shown
        ],
        "名册认识账本里的每个编号。 The roster knows every code in the ledger.",
    )
    for kind in dict.fromkeys(one.kind for one in shown):
        click.echo(_to_do(kind))


def unknown_json(one: UnknownCode) -> dict[str, Any]:
    return one._asdict()


def _to_do(kind: str) -> str:
    name, english = _KINDS[kind].split(" ")
    return (
        f"{name}：在名册里添加（hours roster add {kind}，或 hours import），时长随即归位；"
        "如果是签到机写错了编号，请改正签到机的设置。 "
        f"{english}: add it to the roster (hours roster add {kind}, or hours import) and its "
        "hours are in their place; where a kiosk sends a wrong code, correct its settings."
    )


def _counts(found: HalfYear) -> Iterator[tuple[str, list[tuple[str, int]]]]:
    """What there was at the end, by kind, in the kinds' order."""
    for heading, counts, model in (
        ("单位 units", found.units, Unit),
        ("队伍 teams", found.teams, Team),
        ("项目 projects", found.projects, Project),
    ):
        kinds = CHOICES[model.KIND, "kind"]
        yield heading, [(f"{kinds[one]} {one}", counts[one]) for one in kinds if counts.get(one)]


def _cells(row: ReportRow) -> list[Any]:
    return [row.seconds, *figures(row, decimal_hours, None)]


def _by(name: str) -> tuple[Grouping, ...]:
    return groupings([name])


def _served(one: Served, zone: ZoneInfo) -> tuple[str, ...]:
    return (
        one.day,
        _clock(one.opened_at, zone),
        _clock(one.closed_at, zone),
        one.team_name or one.team,
        one.place_name or one.place or f"补录 {one.reason}",
        one.activity_name or one.activity or "",
        duration(one.seconds),
    )


def _clock(instant: str | None, zone: ZoneInfo) -> str:
    return "" if instant is None else f"{datetime.fromisoformat(instant).astimezone(zone):%H:%M:%S}"
