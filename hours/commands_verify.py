"""`hours verify` checks proofs, checkpoints and certificates with nothing but a key.

It asks no ledger and no network. What is proven is said in words by `dashboards.proof_telling`.
"""

from pathlib import Path

import click

from dashboards.certificate_files import MOST_BYTES
from dashboards.proof_telling import tell
from hours import showing
from hours.settings import Settings, WrongUse
from hours.signing_keys import trusted_keys
from ledger.evidence.records import read_record, split
from ledger.evidence.tlog_proofs import NotAProof


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
    if file.stat().st_size > MOST_BYTES:
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
