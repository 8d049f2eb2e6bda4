"""`hours prove` makes proofs from the ledger. Thin: what is proven is `ledger.evidence`."""

import re
from pathlib import Path

import click
from sqlalchemy import Connection

from hours import showing
from hours.opened_ledger import reading_ledger
from hours.settings import Settings, WrongUse
from ledger.evidence import proving
from ledger.evidence.checkpoints import Checkpoint, shard_tree, stated_checkpoint, tree_of
from ledger.evidence.growths import growth
from ledger.evidence.notes import NotANote
from ledger.evidence.refusals import NotProven

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option("--entry", metavar="SHARD/SEQ", help="That one entry is in the ledger.")
@click.option("--session", metavar="ID", help="A session: its credit, and what took it back.")
@click.option("--volunteer", metavar="ID", help="A volunteer's whole record, none left out.")
@click.option(
    "--growth",
    "checkpoints",
    metavar="FILE",
    type=_FILE,
    multiple=True,
    help="That the ledger only grew since this checkpoint; twice: from the one to the other.",
)
@click.option("--out", metavar="FILE", type=_FILE, help="Where to write it; else it is printed.")
@click.pass_obj
def prove(
    settings: Settings,
    entry: str | None,
    session: str | None,
    volunteer: str | None,
    checkpoints: tuple[Path, ...],
    out: Path | None,
) -> None:
    """出具证明，可离线核对。 Make a proof that anyone can check offline, with a public key.

    An entry's is a .tlog-proof bundle (C2SP), for anyone's tools; a record is a JSON file with
    each hash in it once, and `hours verify --split` takes it apart into such bundles.
    """
    if sum(map(bool, (entry, session, volunteer, checkpoints))) != 1:
        raise WrongUse(
            "请只给出一项：--entry、--session、--volunteer 或 --growth。 Give one of --entry, "
            "--session, --volunteer and --growth."
        )
    with reading_ledger(settings) as connection:
        if entry:
            text = _entry(connection, entry)
        elif session:
            text = proving.session_record(connection, settings.ledger_name, session).text
        elif volunteer:
            text = proving.volunteer_record(connection, settings.ledger_name, volunteer).text
        else:
            text = _growth(connection, settings.ledger_name, checkpoints)
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, "utf-8")
        showing.say(f"已写入 {out}。 Written to {out}.")


def _entry(connection: Connection, entry: str) -> str:
    found = re.fullmatch(r"(\d{1,6}|district)/(\d{1,18})", entry)
    if found is None:
        raise WrongUse(f"--entry 应为 分片/序号，不是 {entry}。 --entry is SHARD/SEQ, not {entry}.")
    tree = found[1] if found[1] == "district" else shard_tree(int(found[1]))
    return proving.entry_proof(connection, tree, int(found[2])).text


def _growth(connection: Connection, ledger: str, files: tuple[Path, ...]) -> str:
    if len(files) > 2:
        raise WrongUse("--growth 最多两次。 --growth is given once or twice.")
    notes = [file.read_text("utf-8") for file in files]
    (tree, old), *later = [
        _checkpoint(ledger, file, note) for file, note in zip(files, notes, strict=True)
    ]
    new = later[0][1] if later else None
    if later and later[0][0] != tree:
        raise WrongUse("两个检查点不是同一棵树的。 The two checkpoints are of different trees.")
    hashes = proving.growth_proof(connection, tree, old.size, new)
    return growth(
        notes[0], notes[1] if new else proving.latest_signed(connection, tree).note, hashes
    ).text


def _checkpoint(ledger: str, file: Path, note: str) -> tuple[str, Checkpoint]:
    try:
        checkpoint = stated_checkpoint(note)
    except NotANote as error:
        raise WrongUse(f"{file} 不是检查点：{error}。 {file} is no checkpoint: {error}.") from error
    tree = tree_of(ledger, checkpoint.origin)
    if tree is None:
        raise NotProven(
            f"{file} 是另一个账本的检查点（{checkpoint.origin}）。 {file} is another ledger's "
            f"checkpoint ({checkpoint.origin})."
        )
    return tree, checkpoint
