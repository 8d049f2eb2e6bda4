"""The commands of `hours roster` about keys and forgetting: new-key, rotate-key, erase.

Invariant: no key is printed; what an erasure removed is made to be forgotten by the database
before the receipt says so.
"""

import json
from datetime import datetime
from pathlib import Path

import click
from sqlalchemy import Connection, Engine

from hours import roster_names, showing
from hours.commands_roster_edit import tell_made
from hours.new_files import write_secret
from hours.roster_options import by_and_why, deed, roster_engine, zone_of
from hours.settings import Settings, WrongUse
from ledger import queries
from ledger.roster import forgetting, store
from ledger.roster.disclosing import who
from ledger.roster.drafting import records_of
from ledger.roster.erasing import Receipt, erasure, removed
from ledger.roster.private_values import mentions
from ledger.roster.records import Person
from ledger.roster.store import Deed
from ledger.roster.vault import new_key


@click.command("new-key")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def new_key_(file: Path) -> None:
    """新密钥。 Write a new key for people's names to FILE, which only you may read.

    An existing file is never overwritten: what its key has sealed can be opened by nothing else.
    """
    write_secret(file, f"{new_key()}\n")
    click.echo(f"export HOURS_ROSTER_KEY_FILE={file.absolute()}")
    showing.say(
        "请设置上面一行，并把密钥另存一份，与备份分开：没有它，姓名再也打不开。 "
        "Set the line above, and keep a copy of the key apart from the backups: without it no name "
        "can be opened again."
    )


@click.command("rotate-key")
@by_and_why(required=False)
@click.pass_obj
def rotate_key(settings: Settings, by: str | None, why: str | None) -> None:
    """换密钥。 Seal all names anew with the first key of HOURS_ROSTER_KEY_FILE.

    The file holds the new key in its first line, and the old one behind it until this has run. One
    transaction; run again, it only does what isn't done.
    """
    vault = settings.vault()
    done = deed(by, why or "rotate-key")
    with roster_engine(settings) as engine, showing.counting("重新封存 sealing") as moved:
        with store.changing(engine) as connection:
            count = forgetting.seal_anew(connection, vault, moved)
            if count:
                store.begin_change_set(connection, done)
        forgetting.forget(engine)
    click.echo(
        f"已用新密钥重新封存 {count} 份；旧密钥现在可以从文件里去掉（旧备份还要用它）。 "
        f"{count} sealed anew; the old key may now leave the file (old backups still need it)."
    )


@click.command()
@click.argument("volunteer")
@by_and_why()
@click.option(
    "--receipt",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the receipt goes (default: HOURS_HOME/erasures).",
)
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option("--json", "as_json", is_flag=True, help="The receipt as JSON.")
@click.pass_obj
def erase(
    settings: Settings,
    volunteer: str,
    by: str | None,
    why: str,
    file: Path | None,
    yes: bool,
    as_json: bool,
) -> None:
    """删除一个人。 Erase a volunteer: all that says who it is, teams, sign-ups, badge. For ever.

    The hours stay under the pseudonym, and still prove. Run again, it finishes what was cut short.
    """
    done = deed(by, why)
    with roster_engine(settings) as engine:
        _refuse_names_in(engine, settings, volunteer, done)
        if not yes:
            _confirm(volunteer)
        with store.changing(engine) as connection:
            receipt = _erase(connection, settings, volunteer, done)
        forgetting.forget(engine)
    kept = _keep(settings, receipt, file)
    if as_json:
        showing.print_json([receipt._asdict()])
    else:
        _tell(receipt)
    tell_made(receipt.change_set)
    showing.say(f"回执 receipt: {kept}")


COMMANDS = (new_key_, rotate_key, erase)


def _erase(connection: Connection, settings: Settings, volunteer: str, done: Deed) -> Receipt:
    before = store.load(connection)
    if not store.latest_version(connection, volunteer):
        records_of(before, Person.KIND, (volunteer,))  # NoSuchRecord, for a wrong id
    changes = erasure(before, volunteer)
    forgetting.delete_waiting(connection, volunteer)
    number = store.apply(connection, before, changes, done)
    versions = forgetting.delete_private(connection, volunteer)
    entries, seconds = queries.kept_of(connection, volunteer)
    at = datetime.fromtimestamp(done.at // 1_000_000, zone_of(settings))
    return Receipt(
        volunteer=volunteer,
        change_set=number,
        erased_at=at.isoformat(),
        by=done.by,
        why=done.why,
        removed=removed(changes, versions),
        entries_kept=entries,
        seconds_kept=seconds,
        database=forgetting.FORGOTTEN[connection.dialect.name],
        still_elsewhere=forgetting.ELSEWHERE[connection.dialect.name],
    )


def _refuse_names_in(engine: Engine, settings: Settings, volunteer: str, done: Deed) -> None:
    """Why somebody is erased is kept for ever: it must not say who it was."""
    with queries.reading(engine) as connection:
        vault = roster_names.vault_if_allowed(connection, settings)
        found = {} if vault is None else who(connection, vault, [volunteer])
    data = found.get(volunteer)
    if data is not None and (mentions(done.why, data) or mentions(done.by, data)):
        raise WrongUse(
            "--why 或 --by 里有此人的姓名、电话或证件号码，历史会永远保留它：请改写。 "
            "--why or --by says who it is, and history keeps it for ever: say it otherwise."
        )


def _confirm(volunteer: str) -> None:
    typed = click.prompt(
        f"不能恢复。输入 {volunteer} 确认 There is no way back; type {volunteer} to confirm",
        default="",
        show_default=False,
        err=True,
    )
    if typed.strip() != volunteer:
        raise WrongUse("没有确认，什么都没有删除。 Not confirmed: nothing was erased.")


def _keep(settings: Settings, receipt: Receipt, file: Path | None) -> Path:
    """Write the receipt; it stands in the history too, so that a full disk loses nothing."""
    path = file or settings.home / "erasures" / f"{receipt.volunteer}-{receipt.change_set}.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(receipt._asdict(), ensure_ascii=False, indent=2) + "\n")
    except OSError as error:
        _tell(receipt)
        raise WrongUse(
            f"已删除（变更 {receipt.change_set}），但回执写不进 {path}：请保存上面的内容。 "
            f"Erased (change set {receipt.change_set}), but the receipt can't be written to {path} "
            f"({error.strerror}): keep what stands above."
        ) from error
    return path


def _tell(receipt: Receipt) -> None:
    counts = "、".join(f"{table} {count}" for table, count in receipt.removed.items())
    for line in (
        f"志愿者 {receipt.volunteer} 已删除。 Volunteer {receipt.volunteer} is erased.",
        f"时间 when: {receipt.erased_at}",
        f"谁、为何 by and why: {receipt.by}: {receipt.why}",
        f"变更 change set: {receipt.change_set}",
        f"已移除 removed: {counts}",
        f"保留 kept: {receipt.entries_kept} 条账目 entries, {receipt.seconds_kept} 秒 seconds "
        "（编号之下，仍可证明 under the pseudonym, and they still prove）",
        f"数据库 database: {receipt.database}",
        f"别处 elsewhere: {receipt.still_elsewhere}",
    ):
        click.echo(line)
