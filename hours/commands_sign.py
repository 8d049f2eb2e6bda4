"""The signer's commands: `sign` signs what grew, `checkpoint` shows it, `export` writes it out.

Thin: settings and keys are read here; the rest is `ledger.evidence`.
"""

import logging
import signal
import threading
from pathlib import Path

import click
from sqlalchemy import Connection, Engine

from hours import showing
from hours.new_files import write_secret
from hours.opened_ledger import opened_store, reading_ledger
from hours.settings import Settings, WrongUse
from hours.signing_keys import signing_keys, verifier_keys
from ledger import queries, roles
from ledger.evidence import proving, reading
from ledger.evidence.checkpoints import (
    DISTRICT,
    SignedCheckpoint,
    one_line,
    origin_of,
    trees_of,
    verified_checkpoint,
)
from ledger.evidence.exporting import Exported, export_tree
from ledger.evidence.memory import Memory, remembering
from ledger.evidence.notes import NotAKey, NotANote
from ledger.evidence.refusals import NotProven
from ledger.evidence.sealing import Signer
from ledger.evidence.signing import SignerMetrics, SignerProcess
from ledger.evidence.witnesses import Witness, read_witnesses
from producers.badge_keys import new_private_key
from streams.collecting import collecting_rarely

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option("--once", is_flag=True, help="One turn, instead of one a minute until stopped.")
@click.option(
    "--every", type=click.FloatRange(0.1), default=60, show_default=True, help="Seconds a turn."
)
@click.option("--new-key", metavar="FILE", type=_FILE, help="Write a new signing key; no turn.")
@click.option("--public", is_flag=True, help="Print the public keys (vkey lines); no turn.")
@click.option(
    "--adopt",
    metavar="FILE",
    type=_FILE,
    help="With no memory: take up this checkpoint of the district, all of it recomputed.",
)
@click.pass_obj
def sign(
    settings: Settings,
    once: bool,
    every: float,
    new_key: Path | None,
    public: bool,
    adopt: Path | None,
) -> None:
    """签名检查点。 Sign what grew: each shard's tree, and the district's over them.

    A process of its own, with a key that workers don't have (HOURS_SIGNING_KEY_FILE) and a memory
    of its own (HOURS_SIGNER_FOLDER). It signs only what grew from what it signed before; anything
    else it refuses, keeps both sides under `refused/`, and says so until it is put right.
    """
    if new_key is not None:
        _make_key(settings, new_key)
        return
    keys = signing_keys(settings.signing_key_files, settings.ledger_name)
    if public:
        for tree in trees_of(settings.shards):
            for key, _ in keys:
                click.echo(key.named(origin_of(settings.ledger_name, tree)).vkey)
        return
    logging.basicConfig(format="[%(asctime)s] [%(levelname)s] %(message)s", level=logging.INFO)
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    folder, witnesses, metrics = settings.signer_home, _witnesses(settings), SignerMetrics()
    with opened_store(settings) as store:
        roles.refuse_unprivileged(store.engine, roles.SIGNER)
        signer = Signer(store.engine, settings.ledger_name, settings.policy, keys)
        with remembering(folder, settings.ledger_name) as memory, collecting_rarely():
            process = SignerProcess(signer, memory, folder, witnesses, metrics)
            if adopt is not None:
                _adopt(settings, process, memory, adopt)
            else:
                _refuse_lost_memory(store.engine, memory)
            _run(settings, process, metrics, once, every)


@click.command()
@click.option("--tree", default=DISTRICT, show_default=True, metavar="district|shard-N")
@click.option("--line", is_flag=True, help="In one line, for a notice on paper.")
@click.option("--pdf", metavar="FILE", type=_FILE, help="A page to put up: the line, and its code.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@click.pass_obj
def checkpoint(settings: Settings, tree: str, line: bool, pdf: Path | None, as_json: bool) -> None:
    """最新的签名检查点。 The latest signed checkpoint: the district's pins the whole ledger."""
    with reading_ledger(settings) as connection:
        found = proving.latest_signed(connection, tree)
    if pdf is not None:
        from dashboards.checkpoint_notice import write_checkpoint_notice  # noqa: PLC0415

        write_checkpoint_notice(found, settings.timezone, pdf)
        showing.say(f"已写入 {pdf}。 Written to {pdf}.")
    elif as_json:
        showing.print_json(
            [{"tree": found.tree, "size": found.size, "root": found.root.hex(), "note": found.note}]
        )
    elif line:
        click.echo(one_line(found.note))
    else:
        click.echo(found.note, nl=False)


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--without-entries", is_flag=True, help="Hashes alone: nobody's hours.")
@click.pass_obj
def export(settings: Settings, folder: Path, without_entries: bool) -> None:
    """导出 tlog-tiles 树。 Write every tree as tiles (C2SP tlog-tiles), for any web server.

    Again later: what is new is added. Stopped half-way: run it again. Entries say which volunteer
    was where and when, by number: give them to auditors, put hashes alone on the open web.
    """
    with reading_ledger(settings) as connection:
        found = [
            _export(connection, tree, folder, with_entries=not without_entries)
            for tree in trees_of(settings.shards)
        ]
    if not any(found):
        raise NotProven(
            "还没有签名的检查点：请运行 hours sign。 No checkpoint is signed yet: run hours sign."
        )
    if settings.public_key_file is not None:
        keys = verifier_keys(str(settings.public_key_file))
        (folder / "key").write_text("".join(f"{key.vkey}\n" for key in keys), "utf-8")
    for one in found:
        if one is not None:
            showing.say(
                f"{one.tree}：{one.size} 个条目，新 {one.new}。 "
                f"{one.tree}: {one.size} entries, {one.new} new."
            )


def _export(
    connection: Connection, tree: str, folder: Path, *, with_entries: bool
) -> Exported | None:
    with showing.counting(f"导出 exporting {tree}") as moved:
        return export_tree(
            connection, tree, folder, moved, entries=with_entries or tree == DISTRICT
        )


def _make_key(settings: Settings, file: Path) -> None:
    write_secret(file, new_private_key())
    ((key, _),) = signing_keys([file], settings.ledger_name)
    showing.say(
        f"签名密钥已写入 {file}，只放在签名的机器上。公钥（可公开，请印在公告上）： "
        f"The signing key is in {file}; keep it on the signer's machine alone. Its public key, "
        "to be published:"
    )
    click.echo(key.vkey)


def _witnesses(settings: Settings) -> list[Witness]:
    file = settings.witnesses_file
    if file is None:
        return []
    try:
        return read_witnesses(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, NotAKey) as error:
        raise WrongUse(
            f"HOURS_WITNESSES_FILE 的文件 {file} 不能用：{error}。 The file {file} of "
            f"HOURS_WITNESSES_FILE can't be used: {error}."
        ) from error


def _refuse_lost_memory(engine: Engine, memory: Memory) -> None:
    """Without its memory a signer can't tell whether the ledger only grew since it last signed."""
    with queries.reading(engine) as connection:
        latest = reading.latest_checkpoint(connection, DISTRICT)
    if latest is not None and memory.is_empty:
        raise WrongUse(
            "签名者没有记忆，而账本里已有签名：请恢复 HOURS_SIGNER_FOLDER；若已丢失，用 "
            "hours sign --adopt 文件 给出您所知的最新区级检查点（公告上的、审计员的）。 "
            "This signer has no memory, and the ledger holds signed checkpoints: restore "
            "HOURS_SIGNER_FOLDER, "
            "or, if it is lost, give the last checkpoint of the district that you know of (from a "
            "notice, an auditor) by hours sign --adopt FILE."
        )


def _adopt(settings: Settings, process: SignerProcess, memory: Memory, file: Path) -> None:
    if not memory.is_empty:
        raise WrongUse(
            "签名者有记忆，不需要 --adopt。 This signer has its memory, and needs no --adopt."
        )
    signed = _district_checkpoint(settings, file)
    with showing.counting("重新计算 recomputing") as moved:
        done = 0

        def progress(entries: int) -> None:
            nonlocal done
            done += entries
            moved(done)

        _, size, root = signed.checkpoint
        process.sealing.adopt(signed.note, size, root, progress)
    showing.say(f"已接续 {size} 处的检查点。 Taken up at {size}.")


def _district_checkpoint(settings: Settings, file: Path) -> SignedCheckpoint:
    keys = [key for key, _ in signing_keys(settings.signing_key_files, settings.ledger_name)]
    try:
        signed = verified_checkpoint(file.read_text("utf-8"), keys)
    except (OSError, UnicodeDecodeError, NotANote) as error:
        raise WrongUse(
            f"{file} 不是本签名者的检查点：{error}。 {file} is no checkpoint by this signer's "
            f"key: {error}."
        ) from error
    if signed.checkpoint.origin != settings.ledger_name:
        raise WrongUse(
            f"{file} 是 {signed.checkpoint.origin} 的检查点，要区级的。 {file} is a checkpoint of "
            f"{signed.checkpoint.origin}: the district's is needed."
        )
    return signed


def _run(
    settings: Settings, process: SignerProcess, metrics: SignerMetrics, once: bool, every: float
) -> None:
    if once:
        sealed = process.turn()
        showing.say(f"已签名，新条目 {sealed.entries}。 Signed, {sealed.entries} new entries.")
        click.echo(sealed.checkpoint or "", nl=False)
        return
    if settings.web_port is not None:
        metrics.serve(settings.web_host, settings.web_port)
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    showing.say("正在签名；按 Ctrl-C 停止。 Signing; Ctrl-C stops.")
    process.run(every, over)
