"""The ledger as a picture in the terminal: live totals, who is here, what waits to be put right.

It asks nothing and moves nothing: values in, a rich renderable out. Invariant: every figure in
the picture is one that the ledger gave.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ledger.policy import SECOND
from ledger.queries import ExceptionItem, Present, ShardStatus, Total

_TEAMS = 8
_ITEMS = 5

Names = Callable[[str], str]
"""From the code of a team or a place to what people call it."""


@dataclass(frozen=True)
class View:
    """What one look at the ledger showed; `sent` records are on their way or settled."""

    statuses: Sequence[ShardStatus]
    totals: Sequence[Total]
    present: Sequence[Present]
    exceptions: Sequence[ExceptionItem]
    sent: int


def draw(view: View, name: Names, timezone: str) -> RenderableType:
    """The picture; instants are shown in `timezone`."""
    zone = ZoneInfo(timezone)
    lower = Table.grid(padding=(0, 4))
    lower.add_row(_present(view.present, name, zone), _exceptions(view.exceptions, name, zone))
    return Group(_headline(view), Padding(_totals(view.totals, name), (1, 0)), lower)


def duration(seconds: int) -> str:
    """Seconds as h:mm:ss, with a sign where they are taken away."""
    sign, rest = ("-", -seconds) if seconds < 0 else ("", seconds)
    return f"{sign}{rest // 3600}:{rest % 3600 // 60:02}:{rest % 60:02}"


def _headline(view: View) -> RenderableType:
    heads = [status.head for status in view.statuses]
    accepted = sum(head.accepted for head in heads)
    duplicates = sum(head.duplicates for head in heads)
    rejected = sum(head.rejected for head in heads)
    hours = duration(sum(total.seconds for total in view.totals))
    return Text.assemble(
        ("已发送 sent ", "dim"), f"{view.sent}",
        ("   接受 accepted ", "dim"), f"{accepted}",
        ("   重复 duplicates ", "dim"), f"{duplicates}",
        ("   拒绝 rejected ", "dim"), f"{rejected}",
        ("   条目 entries ", "dim"), f"{sum(head.next_seq for head in heads)}",
        ("   时长 hours ", "dim"), (hours, "bold"),
    )  # fmt: skip


def _totals(totals: Sequence[Total], name: Names) -> RenderableType:
    """The teams with the most seconds over all the days shown, each with a bar."""
    table = Table("队伍 team", box=None, header_style="bold", pad_edge=False)
    table.add_column("次数 sessions", justify="right")
    table.add_column("时长 hours", justify="right")
    table.add_column("")
    sessions, seconds = dict[str, int](), dict[str, int]()
    for total in totals:
        sessions[total.team] = sessions.get(total.team, 0) + total.sessions
        seconds[total.team] = seconds.get(total.team, 0) + total.seconds
    leading = sorted(seconds, key=lambda team: (-seconds[team], team))[:_TEAMS]
    most = max((seconds[team] for team in leading), default=0)
    for team in leading:
        bar = "█" * (24 * seconds[team] // most) if most > 0 else ""
        table.add_row(name(team), str(sessions[team]), duration(seconds[team]), Text(bar, "green"))
    if len(seconds) > _TEAMS:
        table.caption = f"共 {len(seconds)} 支队伍。 {len(seconds)} teams in all."
        table.caption_justify = "left"
    return table


def _present(present: Sequence[Present], name: Names, zone: ZoneInfo) -> RenderableType:
    table = _list(f"在场 present {len(present)}")
    for one in present[-_ITEMS:]:
        table.add_row(_clock(one.since, zone, "%H:%M"), one.volunteer, name(one.place))
    return table


def _exceptions(items: Sequence[ExceptionItem], name: Names, zone: ZoneInfo) -> RenderableType:
    forgotten = sum(item.reason == "no-check-out" for item in items)
    table = _list(f"异常 exceptions {len(items)}（忘记签退 {forgotten}）")
    for item in items[-_ITEMS:]:
        where = name(item.place) if item.place else ""
        table.add_row(_clock(item.occurred_at, zone, "%m-%d %H:%M"), item.reason, where)
    return table


def _list(title: str) -> Table:
    return Table(
        box=None, title=title, title_justify="left", title_style="bold",
        show_header=False, pad_edge=False,
    )  # fmt: skip


def _clock(instant: int, zone: ZoneInfo, form: str) -> str:
    return datetime.fromtimestamp(instant // SECOND, UTC).astimezone(zone).strftime(form)
