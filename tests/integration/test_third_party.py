"""Evidence, checked unchanged by programs that nobody here wrote (Go; see tests/thirdparty)."""

import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger import queries
from ledger.evidence import proving, reading
from ledger.evidence.checkpoints import DISTRICT, origin_of, shard_tree, verified_checkpoint
from ledger.evidence.exporting import export_tree
from ledger.evidence.folder import TileFolder
from ledger.evidence.notes import (
    Key,
    NotANote,
    cosigned_text,
    read_note,
    signature_line,
    with_signatures,
)
from ledger.evidence.proofs import tree_root
from ledger.evidence.refusals import FolderRefusal
from ledger.evidence.tiles import TileNodes, tile_root, tiles_of
from ledger.merkle import leaf_hash
from tests.evidence_world import LEDGER, Evidence, evidence_at

SOURCE = Path(__file__).parents[1] / "thirdparty"
Check = Callable[..., str | None]


@pytest.fixture(scope="module")
def check(tmp_path_factory: pytest.TempPathFactory) -> Check:
    """Runs a check of the Go program: None, or what it said."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("Go is not on the PATH")
    program = tmp_path_factory.mktemp("go") / "checker"
    built = subprocess.run(
        [go, "build", "-o", str(program), "."], cwd=SOURCE, capture_output=True, check=False
    )
    if built.returncode:
        pytest.skip(f"Go modules can't be had: {built.stderr.decode()[-200:]}")

    def run(*arguments: object) -> str | None:
        done = subprocess.run(
            [program, *map(str, arguments)], capture_output=True, check=False, timeout=120
        )
        return None if done.returncode == 0 else done.stderr.decode()

    return run


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evidence]:
    home = tmp_path_factory.mktemp("signed")
    with evidence_at(f"sqlite:///{home / 'ledger.db'}", home) as made:
        for sessions in (30, 1_200, 400):
            made.serve(sessions)
            made.seal()
        yield made


@pytest.fixture(scope="module")
def folder(evidence: Evidence, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tiles")
    with queries.reading(evidence.engine) as connection:
        for tree in (DISTRICT, *map(shard_tree, range(4))):
            assert export_tree(connection, tree, made, lambda done, total: None)
    return made


def key_of(evidence: Evidence, tree: str) -> Key:
    return evidence.public.named(origin_of(LEDGER, tree))


@pytest.mark.parametrize("tree", [DISTRICT, "shard-0", "shard-3"])
def test_an_export_passes_tessera_s_fsck(
    check: Check, evidence: Evidence, folder: Path, tree: str
) -> None:
    assert check("tiles", folder / tree, key_of(evidence, tree).vkey) is None


def test_one_flipped_bit_in_any_file_fails_there_and_here(
    check: Check, evidence: Evidence, folder: Path, tmp_path: Path
) -> None:
    chance = random.Random(7)
    tree, copy = "shard-1", tmp_path / "spoiled"
    shutil.copytree(folder, copy)
    files = sorted(path for path in (copy / tree).rglob("*") if path.is_file())
    assert len(files) > 4
    for file in files:
        good = bytearray(file.read_bytes())
        bad, at = good[:], chance.randrange(len(good))
        bad[at] ^= 1 << chance.randrange(8)
        file.write_bytes(bad)
        assert check("tiles", copy / tree, key_of(evidence, tree).vkey) is not None, file
        assert not agrees(TileFolder(copy), evidence, tree), file
        file.write_bytes(good)
    assert agrees(TileFolder(copy), evidence, tree)


def agrees(folder: TileFolder, evidence: Evidence, tree: str) -> bool:
    """Whether each entry, tile and the checkpoint of a folder agree, by what this project has."""
    try:
        signed = verified_checkpoint(folder.note(tree), [evidence.public])
        size, root = signed.checkpoint.size, signed.checkpoint.root
        leaves = [leaf_hash(body) for part in folder.entries(tree, size) for body in part]
        above = [b"".join(leaves[at : at + 256]) for at in range(0, size, 256)]
        level0 = [folder.fetch(tree, tile) for tile in tiles_of(size) if tile.level == 0]
        level1 = [folder.fetch(tree, tile) for tile in tiles_of(size) if tile.level == 1]
        full = [tile_root(one) for one in above if len(one) == 256 * 32]
        nodes = TileNodes(size, lambda tile: folder.fetch(tree, tile))
        return (
            level0 == above
            and b"".join(level1) == b"".join(full)
            and (tree_root(size, nodes) == root)
        )
    except (NotANote, FolderRefusal, ValueError):
        return False


def test_bundles_pass_sumdb_s_verifier_and_another_entry_s_do_not(
    check: Check, evidence: Evidence, tmp_path: Path
) -> None:
    bundle, entry = tmp_path / "a.tlog-proof", tmp_path / "entry"
    key = key_of(evidence, "shard-2").vkey
    with queries.reading(evidence.engine) as connection:
        latest = reading.latest_checkpoint(connection, "shard-2")
        assert latest is not None
        for seq in (0, 1, 255, 256, latest.size - 1):
            proof = proving.entry_proof(connection, "shard-2", seq)
            bundle.write_text(proof.text)
            entry.write_bytes(proof.entry)
            assert check("proof", bundle, key, entry) is None
            entry.write_bytes(proof.entry + b" ")
            assert check("proof", bundle, key, entry) is not None


def test_a_cosigned_checkpoint_passes_transparency_dev_s_verifier(
    check: Check, evidence: Evidence, tmp_path: Path
) -> None:
    witness = Ed25519PrivateKey.generate()
    key = Key("witness.example", witness.public_key().public_bytes_raw(), is_witness=True)
    with queries.reading(evidence.engine) as connection:
        note = proving.latest_signed(connection, DISTRICT).note
    at, file = 1_790_000_000, tmp_path / "checkpoint"
    signature = witness.sign(cosigned_text(read_note(note).text, at))
    for said, holds in ((at, True), (at + 1, False)):
        line = signature_line(key, said.to_bytes(8, "big") + signature)
        file.write_text(with_signatures(note, line))
        assert check("note", file, evidence.public.vkey) is None
        assert (check("witness", file, key.vkey) is None) is holds
