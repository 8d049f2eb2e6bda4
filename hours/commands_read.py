"""The commands that read the ledger."""

import time
from collections.abc import Callable

import click

from dashboards.terminal import duration
from hours import showing
from hours.opened_ledger import reading_ledger
from hours.settings import Settings
from ledger import queries
from ledger.queries import Filters
from ledger.roster import outbox

Filtered = Callable[..., None]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def status(settings: Settings, as_json: bool) -> None:
    """各分片的状态。 Where each shard stands, beside the end of its log."""
    with reading_ledger(settings) as connection:
        statuses = queries.status(connection)
        waiting = outbox.pending(connection)
    if waiting:
        showing.say(
            f"名册有 {waiting} 条消息等待 worker 发布。 "
            f"{waiting} messages of the roster wait for a worker to publish them."
        )
    ends: dict[int, int] = {}
    if settings.kafka:
        from streams.log import log_bounds  # noqa: PLC0415 - Kafka's client takes its time to load

        streams = settings.streams()
        bounds = log_bounds(streams.kafka, streams.taps_topic, range(len(statuses)))
        ends = {shard: end for shard, (_, end) in bounds.items()}
    rows = [showing.status_json(one, ends.get(one.shard)) for one in statuses]
    if as_json:
        showing.print_json(rows)
        return
    showing.print_table(
        [
            *("分片 shard", "epoch", "下一偏移 next offset", "条目 entries", "日志末尾 log end"),
            *("接受 accepted", "重复 duplicates", "拒绝 rejected", "跳过 skipped"),
        ],
        [
            (*("–" if cell is None else cell for cell in row.values()), one.head.skipped)
            for row, one in zip(rows, statuses, strict=True)
        ],
        "没有分片。 No shards.",
    )


def _filters(command: Filtered) -> Filtered:
    for option in (
        click.option("--json", "as_json", is_flag=True, help="One JSON object a line."),
        click.option("--day", metavar="YYYY-MM-DD", callback=lambda *a: _day(a[2])),
        click.option("--volunteer", metavar="ID"),
        click.option("--team", metavar="CODE"),
    ):
        command = option(command)
    return command


@click.command()
@_filters
@click.pass_obj
def totals(
    settings: Settings, team: str | None, volunteer: str | None, day: str | None, as_json: bool
) -> None:
    """各队每日时长。 Sessions and hours by team and day."""
    with reading_ledger(settings) as connection:
        found = queries.totals(connection, Filters(team, volunteer, day))
    if as_json:
        showing.print_json(map(showing.total_json, found))
        return
    showing.print_table(
        ("日期 day", "队伍 team", "次数 sessions", "时长 hours"),
        [(one.day, one.team, one.sessions, duration(one.seconds)) for one in found],
        "还没有时长。 No hours yet.",
    )


@click.command()
@_filters
@click.pass_obj
def entries(
    settings: Settings, team: str | None, volunteer: str | None, day: str | None, as_json: bool
) -> None:
    """账本条目。 The ledger's entries, by shard and seq."""
    with reading_ledger(settings) as connection:
        bodies = queries.entries(connection, Filters(team, volunteer, day))
        if as_json:
            for body in bodies:
                click.echo(body)
        else:
            showing.print_entries(bodies)


@click.command()
@_filters
@click.pass_obj
def exceptions(
    settings: Settings, team: str | None, volunteer: str | None, day: str | None, as_json: bool
) -> None:
    """等待处理的异常。 Taps without a partner, for a leader to put right."""
    with reading_ledger(settings) as connection:
        filters = Filters(team, volunteer, day)
        found = queries.exceptions(connection, filters, settings.policy, _now())
        if as_json:
            showing.print_json(map(showing.exception_json, found))
        else:
            showing.print_exceptions(found)


@click.command()
@_filters
@click.pass_obj
def rejections(
    settings: Settings, team: str | None, volunteer: str | None, day: str | None, as_json: bool
) -> None:
    """被拒绝的记录。 Records of the log that were refused, with the reason."""
    with reading_ledger(settings) as connection:
        filters = Filters(team, volunteer, day)
        found = queries.rejections(connection, filters, settings.policy)
        if as_json:
            showing.print_json(showing.rejection_json(one.partition, one) for one in found)
        else:
            showing.print_rejections((one.partition, one) for one in found)


def _day(text: str | None) -> str | None:
    try:
        if text is not None:
            queries.day_bounds(text, "UTC")
    except ValueError as error:
        raise click.BadParameter("日期应为 YYYY-MM-DD。 A day is YYYY-MM-DD.") from error
    return text


def _now() -> int:
    return time.time_ns() // 1_000
