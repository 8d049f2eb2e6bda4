"""Reports as tables, spreadsheets and JSON lines.

Not what they say. Invariant: the same figures in each, in the same order; seconds are whole
everywhere, and a decimal hour is rounded from them once, half up.
"""

from collections.abc import Callable, Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any

from dashboards.terminal import duration
from hours import showing
from hours.settings import WrongUse
from ledger.roster.reports import Report, ReportRow
from ledger.roster.reports_grouping import Label
from ledger.roster.reports_question import TIMES, Grouping

_HEADINGS = {
    **{"unit": "单位 unit", "team": "队伍 team", "platform": "平台 platform"},
    **{"project": "项目 project", "activity": "活动 activity", "volunteer": "志愿者 volunteer"},
    **{"day": "日期 day", "week": "周 week", "month": "月份 month"},
}
FIGURES = (
    *("时长 hours", "次数 sessions", "志愿者 volunteers", "活动 activities held"),
    "服务人数 people served",
)
_TOTAL = "合计 total"
_BY_CODE_ALONE = {*TIMES, "volunteer"}
"""Dimensions whose codes are what they are called."""
_HOUR = Decimal(3600)

Hours = Callable[[int], Any]
"""From seconds to what is shown of them."""


def decimal_hours(seconds: int) -> Decimal:
    """Hours with two places."""
    return (seconds / _HOUR).quantize(Decimal("0.01"), ROUND_HALF_UP)


def report_json(by: Sequence[Grouping], row: ReportRow) -> dict[str, Any]:
    """Each grouping's code and name (no code: unknown, or none), then the figures.

    A volunteer has no name here, and a day needs none.
    """
    found: dict[str, Any] = {}
    for grouping, label in zip(by, row.groups, strict=True):
        found[grouping.dimension] = label.code
        if grouping.dimension not in _BY_CODE_ALONE:
            found[f"{grouping.dimension}_name"] = label.name
    return {
        **found,
        "seconds": row.seconds,
        "sessions": row.sessions,
        "volunteers": row.volunteers,
        "activities": row.activities,
        "served": row.served,
    }


def print_report(by: Sequence[Grouping], found: Report, hours: Hours = duration) -> None:
    """A table with the whole as its last row."""
    headings = [_HEADINGS[one.dimension] for one in by] or [""]
    rows = ([*map(named, row.groups), *figures(row, hours)] for row in found.rows)
    whole = [_TOTAL, *[""] * (len(headings) - 1), *figures(found.whole, hours)]
    showing.print_table((*headings, *FIGURES), [*rows, whole], "")


def write_report(
    by: Sequence[Grouping], found: Report, hours: Hours, csv: Path | None, xlsx: Path | None
) -> None:
    """All rows and the whole, codes and names in columns of their own. WrongUse, TooManyRows."""
    headings = [*chain.from_iterable(_columns(one) for one in by), "秒 seconds", *FIGURES]
    width = len(headings) - len(FIGURES) - 1
    rows = [[*_cells(by, row), row.seconds, *figures(row, hours, None)] for row in found.rows]
    total = [_TOTAL, *[None] * (width - 1)][:width]
    rows.append([*total, found.whole.seconds, *figures(found.whole, hours, None)])
    write_rows(headings, rows, csv, xlsx)


def write_rows(
    headings: Sequence[str], rows: Sequence[Sequence[Any]], csv: Path | None, xlsx: Path | None
) -> None:
    """To the files that are named. WrongUse where one can't be written, TooManyRows."""
    sheets = import_module("producers.sheets.reports")  # a report on a screen needs no workbooks
    for path, write in ((csv, sheets.write_rows_csv), (xlsx, sheets.write_rows_xlsx)):
        if path is None:
            continue
        try:
            write(path, headings, rows)
        except OSError as error:
            raise WrongUse(
                f"写不了文件 {path}：请检查路径和权限。 "
                f"The file {path} can't be written ({error.strerror}): check the path and its "
                "rights."
            ) from error
        showing.say(f"已写入 {path}：{len(rows)} 行。 Wrote {path}: {len(rows)} rows.")


def tell_rest(found: Report, skipped: int, page: int) -> None:
    """How many rows come after those shown."""
    rest = found.row_count - skipped - len(found.rows)
    if rest > 0:
        showing.say(
            f"还有 {rest} 行，共 {found.row_count} 行：--page {page + 1}，或 --limit。 "
            f"{rest} more rows of {found.row_count}: --page {page + 1}, or --limit."
        )


def named(label: Label) -> str:
    """A name with its code, where they differ."""
    return label.name if label.code in (None, label.name) else f"{label.name} {label.code}"


def figures(row: ReportRow, hours: Hours, absent: str | None = "–") -> list[Any]:
    """A row's figures, in the order of FIGURES."""
    held = (absent if figure is None else figure for figure in (row.activities, row.served))
    return [hours(row.seconds), row.sessions, row.volunteers, *held]


def _columns(grouping: Grouping) -> list[str]:
    heading = _HEADINGS[grouping.dimension]
    if grouping.dimension in _BY_CODE_ALONE:
        return [heading]
    chinese, _, english = heading.partition(" ")
    return [f"{chinese}编号 {english} code", heading]


def _cells(by: Sequence[Grouping], row: ReportRow) -> Iterator[str | None]:
    for grouping, label in zip(by, row.groups, strict=True):
        if grouping.dimension not in _BY_CODE_ALONE:
            yield label.code
        yield label.name
