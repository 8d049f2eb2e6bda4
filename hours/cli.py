"""The `hours` command: each subcommand reads its settings, calls one function, says what came.

Exit codes: 0 done, 1 the answer is no, 2 wrong use or a missing service.
"""

import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, NoReturn

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from hours import offline, showing
from hours.services import ServiceUnavailable, run_services
from hours.settings import Settings, WrongUse, read_settings
from ledger import queries
from ledger.engine import open_engine
from ledger.policy import Policy
from ledger.queries import Filters
from ledger.refusals import LedgerRefusal
from ledger.store import Store
from producers.publishing import Account, NoBroker, Trouble, open_producer, publish_lines
from streams.audit import audit as run_audit
from streams.log import log_bounds
from streams.topics import TopicRefusal, create_topics
from streams.worker import SecondWorker, run_worker

EXPECTED = (*(LedgerRefusal, NoBroker, SecondWorker, ServiceUnavailable, TopicRefusal, WrongUse),)

Filtered = Callable[..., None]


def main() -> None:
    """Run the command; expected trouble is one line and exit code 2."""
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(2)
    except click.exceptions.Exit as left:
        sys.exit(left.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except EXPECTED as refusal:
        click.echo(str(refusal), err=True)
        sys.exit(2)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="volunteer-hours-ledger", prog_name="hours")
@click.pass_context
def cli(context: click.Context) -> None:
    """志愿服务时长账本。 The ledger of volunteer hours.

    Kiosks publish events, team leaders see live totals, auditors replay the ledger.

    \b
    HOURS_KAFKA        bootstrap servers of Kafka
    HOURS_LEDGER_URL   the ledger's database (default: SQLite in HOURS_HOME)
    HOURS_HOME         data folder (default: .hours)
    HOURS_LEDGER_NAME  the ledger's name (default: tongzhou.hours.example)
    HOURS_TIMEZONE     whose days are counted (default: Asia/Shanghai)
    HOURS_SHARDS       partitions of the log (default: 4)
    HOURS_TOPIC_PREFIX first part of the topics' names (default: hours)
    """
    context.obj = read_settings(os.environ)


@cli.command()
@click.option("--postgres", is_flag=True, help="PostgreSQL too, not only Kafka.")
@click.pass_obj
def services(settings: Settings, postgres: bool) -> None:
    """启动内置 Kafka。 Run an embedded Kafka (and PostgreSQL) until stopped."""
    signal.signal(signal.SIGTERM, lambda *_: _interrupt())
    with run_services(
        settings.home.absolute() / "services", postgres=postgres, say=_say
    ) as running:
        click.echo(f"HOURS_KAFKA={running.kafka}")
        if running.ledger_url:
            click.echo(f"HOURS_LEDGER_URL={running.ledger_url}")
        _say("就绪；按 Ctrl-C 停止。 Ready; Ctrl-C stops.")
        try:
            signal.pause()
        except KeyboardInterrupt:
            _say("正在停止… Stopping…")


@cli.command()
@click.pass_obj
def init(settings: Settings) -> None:
    """创建主题和表（可重复运行）。 Create topics and tables; safe to repeat."""
    streams = settings.streams()
    with _store(settings) as store:
        store.init()
    create_topics(
        streams.bootstrap,
        streams.taps_topic,
        [streams.team_totals_topic, streams.roster_topic],
        settings.shards,
    )
    _say(
        f"账本 {settings.ledger_name} 已就绪，{settings.shards} 个分片。 "
        f"Ledger {settings.ledger_name} is ready, with {settings.shards} shards."
    )


@cli.command()
@click.option("--log-level", default="info", show_default=True, help="error, warning, info, debug")
@click.pass_obj
def worker(settings: Settings, log_level: str) -> None:
    """运行结算进程。 Run a Faust worker: settle taps into the ledger until stopped.

    HOURS_WEB_PORT serves /metrics, /health/live and /health/ready on HOURS_WEB_HOST
    (127.0.0.1). HOURS_SESSION_SECONDS (6) is how long Kafka waits for a silent worker.
    """
    run_worker(settings.streams(), log_level)


@cli.command()
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--json", "as_json", is_flag=True, help="The account, and each refusal, as JSON.")
@click.pass_obj
def publish(settings: Settings, file: BinaryIO, as_json: bool) -> None:
    """发布事件。 Publish CloudEvents, one JSON a line, from FILE or standard input."""
    streams = settings.streams()

    def refused(trouble: Trouble) -> None:
        if as_json:
            showing.print_json([{"refused": trouble._asdict()}])
        else:
            _say(f"第 {trouble.line} 行 line {trouble.line}: {trouble.reason}: {trouble.detail}")

    with open_producer(streams.bootstrap) as producer, _counting("发布 publishing") as moved:
        account = publish_lines(
            file, producer, streams.taps_topic, lambda so_far: moved(so_far.sent), refused
        )
    _tell_account(account, as_json)


@cli.command()
@click.argument("file", type=click.File("rb"))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def settle(settings: Settings, file: BinaryIO, as_json: bool) -> None:
    """结算一个事件文件（不需要服务）。 Settle a file of events, with no services.

    Each line is a CloudEvent; its `recordedat`, or else its `time`, is when it reached the log.
    """
    policy = Policy(shard_count=1, timezone=settings.timezone)
    settled = offline.settle(file, settings.ledger_name, policy)
    now = _now()
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
    _print_entries(entry.body for entry in settled.entries)
    _print_exceptions(items)
    _print_rejections((0, rejection) for rejection in settled.rejections)


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def status(settings: Settings, as_json: bool) -> None:
    """各分片的状态。 Where each shard stands, beside the end of its log."""
    with _reading(settings) as connection:
        statuses = queries.status(connection)
    ends: dict[int, int] = {}
    if settings.kafka:
        streams = settings.streams()
        bounds = log_bounds(streams.bootstrap, streams.taps_topic, range(len(statuses)))
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


@cli.command()
@_filters
@click.pass_obj
def totals(
    settings: Settings, team: str | None, volunteer: str | None, day: str | None, as_json: bool
) -> None:
    """各队每日时长。 Sessions and hours by team and day."""
    with _reading(settings) as connection:
        found = queries.totals(connection, Filters(team, volunteer, day))
    if as_json:
        showing.print_json(map(showing.total_json, found))
        return
    showing.print_table(
        ("日期 day", "队伍 team", "次数 sessions", "时长 hours"),
        [(one.day, one.team, one.sessions, showing.duration(one.seconds)) for one in found],
        "还没有时长。 No hours yet.",
    )


@cli.command()
@_filters
@click.pass_obj
def entries(
    settings: Settings, team: str | None, volunteer: str | None, day: str | None, as_json: bool
) -> None:
    """账本条目。 The ledger's entries, by shard and seq."""
    with _reading(settings) as connection:
        bodies = queries.entries(connection, Filters(team, volunteer, day))
        if as_json:
            for body in bodies:
                click.echo(body)
        else:
            _print_entries(bodies)


@cli.command()
@_filters
@click.pass_obj
def exceptions(
    settings: Settings, team: str | None, volunteer: str | None, day: str | None, as_json: bool
) -> None:
    """等待处理的异常。 Taps without a partner, for a leader to put right."""
    with _reading(settings) as connection:
        filters = Filters(team, volunteer, day)
        found = queries.exceptions(connection, filters, settings.policy, _now())
        if as_json:
            showing.print_json(map(showing.exception_json, found))
        else:
            _print_exceptions(found)


@cli.command()
@_filters
@click.pass_obj
def rejections(
    settings: Settings, team: str | None, volunteer: str | None, day: str | None, as_json: bool
) -> None:
    """被拒绝的记录。 Records of the log that were refused, with the reason."""
    with _reading(settings) as connection:
        filters = Filters(team, volunteer, day)
        found = queries.rejections(connection, filters, settings.policy)
        if as_json:
            showing.print_json(showing.rejection_json(one.partition, one) for one in found)
        else:
            _print_rejections((one.partition, one) for one in found)


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="The result as one JSON object.")
@click.pass_obj
def audit(settings: Settings, as_json: bool) -> None:
    """用日志重算账本并比较。 Recompute the ledger from the log, and compare every byte."""
    with _counting("审计 auditing") as moved:
        audited = run_audit(settings.streams(), moved)
    if as_json:
        findings = [finding._asdict() for finding in audited.findings]
        showing.print_json([{**audited._asdict(), "findings": findings}])
    elif not audited.findings:
        click.echo(
            f"一致：{audited.records} 条记录重算出 {audited.entries} 个条目，逐字节相同。 "
            f"Equal: {audited.records} records give {audited.entries} entries in "
            f"{audited.shards} shards, byte for byte."
        )
    else:
        click.echo(f"不一致。第一处: Not equal. First difference: {audited.findings[0]}")
        for finding in audited.findings[1:]:
            click.echo(str(finding))
    if audited.findings:
        raise click.exceptions.Exit(1)


@contextmanager
def _store(settings: Settings) -> Iterator[Store]:
    engine = open_engine(settings.url)
    try:
        yield Store(engine, settings.ledger_name, settings.policy)
    finally:
        engine.dispose()


@contextmanager
def _reading(settings: Settings) -> Iterator[Any]:
    with _store(settings) as store:
        store.check()
        with queries.reading(store.engine) as connection:
            yield connection


@contextmanager
def _counting(what: str) -> Iterator[Callable[..., None]]:
    """A progress bar on standard error, moved by (done) or (done, total)."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=None)

        def moved(done: int, total: int | None = None) -> None:
            progress.update(task, completed=done, total=total)

        yield moved


def _print_entries(bodies: Iterator[bytes]) -> None:
    showing.print_table(
        (
            *("分片 shard", "序号 seq", "类型 type", "志愿者 volunteer", "队伍 team"),
            *("开始 opened at / day", "时长 hours"),
        ),
        (showing.entry_row(json.loads(body)) for body in bodies),
        "没有条目。 No entries.",
    )


def _print_exceptions(items: Any) -> None:
    showing.print_table(
        (
            *("志愿者 volunteer", "签到签退 tap", "时间 occurred at", "队伍 team", "地点 place"),
            *("原因 reason", "事件 event"),
        ),
        map(showing.exception_row, items),
        "没有异常。 No exceptions.",
    )


def _print_rejections(found: Any) -> None:
    showing.print_table(
        ("分区 partition", "偏移 offset", "原因 reason", "说明 detail"),
        ((partition, one.offset, one.reason, one.detail) for partition, one in found),
        "没有被拒绝的记录。 No rejections.",
    )


def _tell_account(account: Account, as_json: bool) -> None:
    if as_json:
        counts = {name: getattr(account, name) for name in ("lines", "blank", "sent", "refused")}
        showing.print_json([{**counts, "failed": account.failed}])
    else:
        click.echo(
            f"{account.lines} 行：已发送 {account.sent}，空行 {account.blank}，"
            f"拒绝 {account.refused}，失败 {account.failed}。 "
            f"{account.lines} lines: {account.sent} sent, {account.blank} blank, "
            f"{account.refused} refused, {account.failed} not acknowledged."
        )
    if account.failed:
        failure = account.first_failure
        _refuse(f"Kafka 未确认。 Kafka did not acknowledge; first, line {failure}. Publish again.")
    if account.refused:
        raise click.exceptions.Exit(1)


def _day(text: str | None) -> str | None:
    try:
        if text is not None:
            queries.day_bounds(text, "UTC")
    except ValueError as error:
        raise click.BadParameter("日期应为 YYYY-MM-DD。 A day is YYYY-MM-DD.") from error
    return text


def _say(line: str) -> None:
    click.echo(line, err=True)


def _refuse(line: str) -> NoReturn:
    _say(line)
    raise click.exceptions.Exit(2)


def _interrupt() -> NoReturn:
    raise KeyboardInterrupt


def _now() -> int:
    return time.time_ns() // 1_000


logging.getLogger("kafka").addHandler(logging.NullHandler())
