"""The commands that read the ledger, recompute it, or settle a file beside it."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import click

from dashboards.terminal import duration
from hours import offline, showing
from hours.opened_ledger import reading_ledger
from hours.settings import Settings
from ledger import queries
from ledger.policy import Policy
from ledger.queries import Filters
from ledger.roster import outbox
from producers.kafka_access import KafkaAccess
from streams.audit import AuditSource
from streams.audit import audit as run_audit
from streams.log import log_bounds

Filtered = Callable[..., None]


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def settle(settings: Settings, file: BinaryIO, as_json: bool) -> None:
    """结算一个事件文件（不需要服务）。 Settle a file of events, with no services.

    Each line is a CloudEvent; its `recordedat`, or else its `time`, is when it reached the log.
    """
    policy = Policy(shard_count=1, timezone=settings.timezone)
    settled = offline.settle(file, settings.ledger_name, policy)
    now = max(_now(), settled.head.watermark)  # a file may be ahead of the clock here
    items = [
        showing.half_item(half)
        for half in settled.halves
        if half.status != "open" or half.tap.occurred_at < now - policy.cap
    ]
    if as_json:
        for entry in settled.entries:
            click.echo(b'{"entry":' + entry.body + b"}")
        showing.print_json({"exception": showing.exception_json(item)} for item in items)
        showing.print_json(
            {"rejection": showing.rejection_json(0, rejection)} for rejection in settled.rejections
        )
        return
    showing.print_entries(entry.body for entry in settled.entries)
    showing.print_exceptions(items)
    showing.print_rejections((0, rejection) for rejection in settled.rejections)


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


@click.command()
@click.option(
    "--log",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="An archive made by `hours dump`, instead of Kafka.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    help="Shards at a time, each in a process of its own; unless told, as many as there are cores, "
    "or one where there is little to do.",
)
@click.option(
    "--key",
    metavar="KEY",
    help="A public key: audit --log or --tiles against what was signed, with no ledger at all.",
)
@click.option(
    "--tiles",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="What `hours export` wrote; with --key.",
)
@click.option(
    "--against",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Tiles that somebody else was shown: is it one ledger? With --tiles and --key.",
)
@click.option(
    "--state",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file of what is done so far: stopped, the audit goes on with the next shard.",
)
@click.option(
    "--sample", type=click.IntRange(1), help="Draw so many volunteers only; --log, --tiles, --key."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed, others drawn.")
@click.option(
    "--report", type=click.Path(dir_okay=False, path_type=Path), help="HTML or JSON file."
)
@click.option("--json", "as_json", is_flag=True, help="The result as one JSON object.")
@click.pass_obj
def audit(
    settings: Settings,
    folder: Path | None,
    workers: int | None,
    key: str | None,
    tiles: Path | None,
    against: Path | None,
    state: Path | None,
    sample: int | None,
    seed: int,
    report: Path | None,
    as_json: bool,
) -> None:
    """用日志重算账本并比较。 Recompute the ledger from the log, and compare every byte.

    Exit code 0: all is equal; 1: it isn't, and the first difference is named. From an archive
    that ends before the ledger does, 2: what it covers is equal, the rest remains to be seen.

    With --key no ledger and no Kafka is asked: --log ARCHIVE is settled again, --tiles DIR is read,
    and both must give what the district signed.
    """
    if sample is not None:
        from hours.evidence_audit import run_spot_audit  # noqa: PLC0415 - auditors alone

        run_spot_audit(settings, folder, key, tiles, sample, seed, as_json)
        return
    if key is not None or tiles is not None or against is not None:
        from hours.evidence_audit import run_evidence_audit  # noqa: PLC0415 - auditors alone

        run_evidence_audit(settings, folder, workers, key, tiles, against, state, report, as_json)
        return
    source = AuditSource(
        settings.url, settings.ledger_name, settings.policy, _log(settings, folder)
    )
    with showing.counting("审计 auditing") as moved:
        audited = run_audit(source, moved, workers)
    if as_json:
        findings = [finding._asdict() for finding in audited.findings]
        showing.print_json([{**audited._asdict(), "findings": findings}])
    else:
        showing.tell_audit(audited)
    if audited.findings or audited.uncovered:
        raise click.exceptions.Exit(1 if audited.findings else 2)


def _log(settings: Settings, folder: Path | None) -> Path | tuple[KafkaAccess, str]:
    if folder is not None:
        return folder
    streams = settings.streams()
    return streams.kafka, streams.taps_topic


def _day(text: str | None) -> str | None:
    try:
        if text is not None:
            queries.day_bounds(text, "UTC")
    except ValueError as error:
        raise click.BadParameter("日期应为 YYYY-MM-DD。 A day is YYYY-MM-DD.") from error
    return text


def _now() -> int:
    return time.time_ns() // 1_000
