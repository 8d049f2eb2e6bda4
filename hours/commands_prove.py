"""`hours prove` makes proofs from the ledger, `hours verify` checks them with nothing but a key.

Thin: what is proven is `ledger.evidence`, in words `dashboards.proof_telling`.
"""

import re
from pathlib import Path

import click
from sqlalchemy import Connection

from dashboards.proof_telling import tell
from hours import showing
from hours.opened_ledger import reading_ledger
from hours.settings import Settings, WrongUse
from hours.signing_keys import trusted_keys
from ledger.evidence import proving
from ledger.evidence.checkpoints import Checkpoint, shard_tree, stated_checkpoint, tree_of
from ledger.evidence.growths import growth
from ledger.evidence.notes import NotANote
from ledger.evidence.records import read_record, split
from ledger.evidence.refusals import NotProven
from ledger.evidence.tlog_proofs import NotAProof

_FILE = click.Path(dir_okay=False, path_type=Path)
_MOST_BYTES = 1 << 28


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


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--key", "key", metavar="KEY", help="The public key: a vkey line, or a file of such lines."
)
@click.option("--split", "folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@click.pass_obj
def verify(
    settings: Settings, file: Path, key: str | None, folder: Path | None, as_json: bool
) -> None:
    """离线核对证明。 Check a proof, a record, a checkpoint or a certificate, offline.

    Says in words what is proven and what isn't. Exit code 0: it holds; 1: it doesn't. The key
    comes from who is trusted with it (a notice, the district's page), never from the file;
    HOURS_PUBLIC_KEY_FILE stands in for --key. --split DIR writes a record's entries as bundles
    for anyone's tools.
    """
    keys = trusted_keys(settings, key)
    if file.stat().st_size > _MOST_BYTES:
        raise WrongUse(f"{file} 太大，不会是证明。 {file} is too large to be a proof.")
    data = file.read_bytes()
    told = tell(data, keys)
    if as_json:
        showing.print_json([told._asdict()])
    else:
        for line in told.proven:
            click.echo(("✓ " if told.holds else "✗ ") + line)
        for line in told.not_proven:
            click.echo(f"· 没有证明 not proven: {line}")
    if not told.holds:
        raise click.exceptions.Exit(1)
    if folder is not None:
        _split(data, folder)


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


def _split(data: bytes, folder: Path) -> None:
    try:
        proofs = split(read_record(data))
    except NotAProof as error:
        raise WrongUse(f"只有记录可以拆分。 Only a record can be split: {error}.") from error
    folder.mkdir(parents=True, exist_ok=True)
    for number, proof in enumerate(proofs):
        name = "moment" if number == 0 else f"entry-{proof.place}"
        (folder / f"{name}.tlog-proof").write_text(proof.text, "utf-8")
        (folder / f"{name}.json").write_bytes(proof.entry)
    showing.say(f"已写入 {len(proofs)} 份到 {folder}。 {len(proofs)} bundles written to {folder}.")
