"""The commands that set something going: services, ledger, worker, events, demo."""

import signal
import sys
from pathlib import Path
from typing import BinaryIO, NoReturn

import click
from rich.console import Console

from hours import kafka_users, showing
from hours.archived_evidence import evidence_as_it_stands
from hours.services import run_services
from hours.settings import Settings
from ledger import roles
from ledger.store import open_store
from producers.publishing import (
    Account,
    Trouble,
    open_producer,
    publish_lines,
    refuse_missing,
)
from streams.dump import dump as run_dump
from streams.principals import Role, grant, set_passwords
from streams.restore import restore as run_restore
from streams.topics import create_topics


@click.command()
@click.option("--postgres", is_flag=True, help="PostgreSQL too, not only Kafka.")
@click.option("--secured", is_flag=True, help="Kafka asks for a user, one for each role.")
@click.pass_obj
def services(settings: Settings, postgres: bool, secured: bool) -> None:
    """启动内置 Kafka。 Run an embedded Kafka (and PostgreSQL) until stopped.

    With --secured a line is printed for each user: `owner` may do everything, the others what
    `hours init --grant ROLE:NAME` has granted them.
    """
    signal.signal(signal.SIGTERM, lambda *_: _interrupt())
    home = settings.home.absolute() / "services"
    users = list(Role) if secured else []
    with run_services(home, postgres=postgres, users=users, say=showing.say) as running:
        try:
            for line in running.kafka_settings:
                click.echo(line)
            if running.ledger_url:
                click.echo(f"HOURS_LEDGER_URL={running.ledger_url}")
            showing.say("就绪；按 Ctrl-C 停止。 Ready; Ctrl-C stops.")
            signal.pause()
        except KeyboardInterrupt:
            showing.say("正在停止… Stopping…")


@click.command()
@click.option(
    *("--user", "users"),
    metavar="NAME:FILE",
    multiple=True,
    help="Make this user of Kafka, or change its password, to the first line of FILE.",
)
@click.option(
    *("--grant", "grants"),
    metavar="ROLE:NAME",
    multiple=True,
    help=f"Let this user of Kafka do what its role may: {', '.join(Role)}.",
)
@click.pass_obj
def init(settings: Settings, users: tuple[str, ...], grants: tuple[str, ...]) -> None:
    """创建主题和表（可重复运行）。 Create topics and tables; safe to repeat.

    --user and --grant take an administrator of Kafka. What else a user held of this ledger is
    taken back; of users that aren't named nothing changes.
    """
    streams = settings.streams()
    passwords, roles_of = kafka_users.passwords(users), kafka_users.roles(grants)
    store = open_store(streams.ledger_url, streams.ledger_name, streams.policy)
    try:
        store.init()
        missing = roles.grant(store.engine)
    finally:
        store.engine.dispose()
    if missing:
        showing.say(
            f"缺少角色 {'、'.join(missing)}，也无权创建：它们的事只有表的所有者能做。 "
            f"There is no role {', '.join(missing)}, and this user may not make it: only the "
            "owner of the tables can do what its members would."
        )
    create_topics(streams)
    if passwords:
        set_passwords(streams.kafka, passwords)
    if roles_of:
        grant(streams, roles_of)
    showing.say(
        f"账本 {settings.ledger_name} 已就绪，{settings.shards} 个分片。 "
        f"Ledger {settings.ledger_name} is ready, with {settings.shards} shards."
    )


@click.command()
@click.option(
    "--log-level",
    type=click.Choice(["error", "warning", "info", "debug"]),
    default="info",
    show_default=True,
)
@click.pass_obj
def worker(settings: Settings, log_level: str) -> None:
    """运行结算进程。 Run a Faust worker: settle taps into the ledger until stopped.

    HOURS_WEB_PORT serves /metrics, /health/live and /health/ready on HOURS_WEB_HOST
    (127.0.0.1). HOURS_SESSION_SECONDS (6) is how long Kafka waits for a silent worker.
    """
    from streams.worker import run_worker  # noqa: PLC0415 - Faust takes half a second to import

    run_worker(settings.streams(), log_level)


@click.command()
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--json", "as_json", is_flag=True, help="The account, and each refusal, as JSON.")
@click.pass_obj
def publish(settings: Settings, file: BinaryIO, as_json: bool) -> None:
    """发布事件。 Publish CloudEvents, one JSON a line, from FILE or standard input.

    A bad line is refused and named, and stops nothing. Exit code 1: some lines were refused;
    2: Kafka did not take all of them.
    """
    streams = settings.streams()

    def refused(trouble: Trouble) -> None:
        if as_json:
            showing.print_json([{"refused": trouble._asdict()}])
        else:
            where = f"第 {trouble.line} 行 line {trouble.line}"
            showing.say(f"{where}: {trouble.reason}: {trouble.detail}")

    refuse_missing(streams.kafka, streams.taps_topic)
    with open_producer(streams.kafka) as producer, showing.counting("发布 publishing") as moved:
        account = publish_lines(
            file, producer, streams.taps_topic, lambda so_far: moved(so_far.sent), refused
        )
    _tell_account(account, as_json)


@click.command()
@click.argument("folder", metavar="FILE", type=click.Path(file_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="What the archive now holds, as JSON.")
@click.pass_obj
def dump(settings: Settings, folder: Path, as_json: bool) -> None:
    """存档日志。 Archive the log of record, compressed and hashed, in the folder FILE.

    Run again, it checks what is there and adds what is new; stopped at any moment, it goes on
    where it stands. `hours audit --log FILE` audits from the archive, with no Kafka. Where the
    ledger is at hand, what was signed is copied into FILE/evidence: then an auditor needs nothing
    else but the public key (`hours audit --log FILE --key KEY`).
    """
    with evidence_as_it_stands(settings) as copy:
        with showing.counting("存档 archiving") as moved:
            dumped = run_dump(settings.streams(), folder, moved)
        signed = copy(folder)
    if as_json:
        showing.print_json([{**dumped._asdict(), "signed": signed}])
        return
    click.echo(
        f"新存 {dumped.added_records} 条记录；存档共 {dumped.records} 条，"
        f"{dumped.segments} 个文件，{dumped.bytes} 字节，均已核对。 "
        f"{dumped.added_records} records added; the archive holds {dumped.records} in "
        f"{dumped.segments} files of {dumped.bytes} bytes, all of them checked."
    )


@click.command()
@click.argument(
    "folder", metavar="FILE", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    help="Partitions at a time; unless told, as many as there are cores, or one for a small one.",
)
@click.pass_obj
def restore(settings: Settings, folder: Path, workers: int | None) -> None:
    """把存档恢复到空的 Kafka。 Put an archive back into an empty Kafka, each record at its time.

    Then `hours init` and `hours worker` make the same ledger of it, byte for byte. Stopped at any
    moment, it goes on where it stands; a topic that holds anything else is left alone.
    """
    with showing.counting("恢复 restoring") as moved:
        restored = run_restore(settings.streams(), folder, moved, workers)
    click.echo(
        f"已恢复：共 {restored.records} 条记录，本次 {restored.added} 条。接着运行 hours init 和 "
        f"hours worker。 Restored: {restored.records} records in all, {restored.added} of them "
        "now. Next: hours init, hours worker."
    )


@click.command()
@click.option("--seed", default=1, show_default=True, help="Another seed, another district.")
@click.option(
    "--stay/--leave",
    default=None,
    help="Leave a kiosk running at the end, to be tried (default: where a person looks on).",
)
@click.pass_context
def demo(context: click.Context, seed: int, stay: bool | None) -> None:
    """一次看全。 See everything at once: a district enrolled, its evening live, the audit.

    In the end there is a kiosk to tap on, with a badge, until Ctrl-C.

    Starts its own Kafka, ledger and worker under HOURS_HOME/demo, and stops them at the end.
    """
    from hours.demo import run_demo  # noqa: PLC0415 - a picture that only the demo needs

    settings: Settings = context.obj
    signal.signal(signal.SIGTERM, lambda *_: _interrupt())
    if stay is None:
        stay = sys.stdin.isatty() and sys.stdout.isatty()
    audited = run_demo(settings, seed, showing.say, Console(), stay)
    demo_home = settings.home / "demo"
    command = f"HOURS_HOME={demo_home} {sys.argv[0]}"
    click.echo(
        "\n什么都没有留着运行；账本还在，可以再看。 Nothing is left running; the ledger stays:\n"
        f"  {command} totals\n  {command} exceptions\n  {command} report --by platform\n"
        f"  HOURS_ROSTER_KEY_FILE={demo_home / 'roster.key'} {command} roster search 王\n"
        "自己运行见 README.md。 To run your own, README.md goes on from here."
    )
    if audited.findings:
        context.exit(1)


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
    if account.first_failure is not None:
        failure = account.first_failure
        showing.say(
            f"Kafka 未确认，首先是第 {failure.line} 行：请重新发布，重复的不会重复计时。 "
            f"Kafka did not acknowledge, first line {failure.line} ({failure.detail}): "
            "publish again, nothing is counted twice."
        )
        raise click.exceptions.Exit(2)
    if account.refused:
        raise click.exceptions.Exit(1)


def _interrupt() -> NoReturn:
    raise KeyboardInterrupt
