"""Trees written as folders of tiles: whole at every moment, gone on with, and nobody else's."""

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest

from ledger import queries
from ledger.evidence import exporting, reading
from ledger.evidence.checkpoints import DISTRICT, shard_tree
from ledger.evidence.exporting import Exported, export_tree, write_checkpoint
from ledger.evidence.folder import TileFolder
from ledger.evidence.proofs import tree_root
from ledger.evidence.refusals import EvidenceRefusal, FolderRefusal
from ledger.evidence.tiles import Edge, TileNodes, tiles_of
from ledger.merkle import leaf_hash
from tests.evidence_world import Evidence, evidence_at

TREE = shard_tree(1)


@pytest.fixture
def evidence(sqlite_url: str, tmp_path: Path) -> Iterator[Evidence]:
    with evidence_at(sqlite_url, tmp_path) as made:
        yield made


class Exporting:
    """Exports of one tree into a folder; `progress` is what was told of the last one."""

    def __init__(self, evidence: Evidence, folder: Path, tree: str = TREE) -> None:
        self._evidence, self.folder, self.tree = evidence, folder, tree
        self.progress: list[tuple[int, int]] = []

    def __call__(self, *, entries: bool = True) -> Exported | None:
        self.progress = []
        with queries.reading(self._evidence.engine) as connection:
            return export_tree(
                connection,
                self.tree,
                self.folder,
                lambda *told: self.progress.append(told),
                entries,
            )

    def files(self) -> dict[str, bytes]:
        """Each by its path in the tree's folder."""
        root = self.folder / self.tree
        return {
            str(path.relative_to(root)): path.read_bytes()
            for path in root.rglob("*")
            if path.is_file()
        }


@pytest.fixture
def exported(evidence: Evidence, tmp_path: Path) -> Exporting:
    return Exporting(evidence, tmp_path / "tiles")


def fresh(evidence: Evidence, tmp_path: Path, *, entries: bool = True) -> dict[str, bytes]:
    """What an export into an empty folder comes to."""
    whole = Exporting(evidence, tmp_path / f"fresh-{random.random()}")
    assert whole(entries=entries) is not None
    return whole.files()


def grow(evidence: Evidence, sessions: int) -> int:
    """More entries, signed: how many the tree then has."""
    evidence.serve(sessions)
    evidence.seal()
    with queries.reading(evidence.engine) as connection:
        latest = reading.latest_checkpoint(connection, TREE)
    assert latest is not None
    return latest.size


def test_an_export_goes_on_where_the_last_one_ended_and_says_what_is_new(
    evidence: Evidence, exported: Exporting, tmp_path: Path
) -> None:
    assert exported() is None
    assert not exported.folder.exists()
    first = grow(evidence, 1_500)
    assert first > 300
    assert exported() == Exported(TREE, first, first)
    assert exported.progress[0] == (256, first)
    assert exported.progress[-1] == (first, first)
    before = exported.files()
    assert exported() == Exported(TREE, first, 0)
    assert (exported.progress, exported.files()) == ([], before)
    second = grow(evidence, 1_500)
    kept = first // 256 * 256
    assert exported() == Exported(TREE, second, second - kept)
    assert exported.progress[-1] == (second - kept, second - kept)
    assert [done for done, _ in exported.progress] == sorted(
        {done for done, _ in exported.progress}
    )
    after = exported.files()
    assert after.items() >= fresh(evidence, tmp_path).items()
    assert {path for path in before if ".p/" not in path} <= after.keys()


def test_what_was_exported_without_entries_gets_them_when_they_are_asked_for(
    evidence: Evidence, exported: Exporting, tmp_path: Path
) -> None:
    first = grow(evidence, 1_500)
    assert exported(entries=False) == Exported(TREE, first, first)
    assert not [path for path in exported.files() if "entries" in path]
    assert exported(entries=False) == Exported(TREE, first, 0)
    assert exported() == Exported(TREE, first, first)
    assert exported.files() == fresh(evidence, tmp_path)
    assert exported() == Exported(TREE, first, 0)
    last = next(path for path in exported.files() if "entries" in path and ".p/" in path)
    (exported.folder / TREE / last).unlink()
    assert exported() == Exported(TREE, first, first % 256)
    second = grow(evidence, 1_500)
    assert exported(entries=False) == Exported(TREE, second, second - first // 256 * 256)
    assert exported() == Exported(TREE, second, second - first // 256 * 256)
    assert exported.files().items() >= fresh(evidence, tmp_path).items()


def test_stopped_before_its_checkpoint_it_reads_no_entry_again_whose_tile_and_bundle_are_there(
    evidence: Evidence, exported: Exporting
) -> None:
    size = grow(evidence, 3_600)
    full = size // 256 * 256
    assert full >= 768
    exported()
    tree, whole = exported.folder / TREE, exported.files()
    tile, bundled = tree / "tile/0/001", tree / "tile/entries/001"
    spoiling: list[tuple[Callable[[], object], int]] = [
        (lambda: None, full),
        (bundled.unlink, 256),
        (lambda: tile.write_bytes(tile.read_bytes()[:-32]), 256),
        (tile.unlink, 256),
    ]
    for spoil, taken_up in spoiling:
        spoil()
        (tree / "checkpoint").unlink()
        assert exported() == Exported(TREE, size, size)
        assert exported.progress[-1] == (size - taken_up, size - taken_up)
        assert exported.files() == whole
    bundled.unlink()
    (tree / "checkpoint").unlink()
    exported(entries=False)  # which asks for no bundle
    assert exported.progress[-1] == (size - full, size - full)


class Killed(BaseException):
    """As by SIGKILL: nothing is put in order."""


def test_killed_at_any_write_the_folder_stays_what_its_checkpoint_says(
    evidence: Evidence, exported: Exporting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance, really = random.Random(3), exporting._write
    for _ in range(8):
        size = grow(evidence, chance.randrange(200, 900))
        steps, fatal = count(), chance.randrange(12)

        def mortal(path: Path, content: bytes) -> None:
            if next(steps) == fatal:  # noqa: B023 - called within this turn
                raise Killed
            really(path, content)

        monkeypatch.setattr(exporting, "_write", mortal)
        with suppress(Killed):
            exported()
        monkeypatch.setattr(exporting, "_write", really)
        if (exported.folder / TREE / "checkpoint").exists():
            agrees(exported)
        if chance.random() < 0.5:
            assert exported() is not None
            assert TileFolder(exported.folder).checkpoint(TREE).size == size
    assert exported() is not None
    agrees(exported)
    assert exported.files().items() >= fresh(evidence, tmp_path).items()


def agrees(exported: Exporting) -> None:
    """The folder's tiles give its checkpoint's root, and its bundles the tiles' hashes."""
    there = TileFolder(exported.folder)
    _, size, root = there.checkpoint(TREE)
    assert tree_root(size, TileNodes(size, lambda tile: there.fetch(TREE, tile))) == root
    leaves = [leaf_hash(body) for part in there.entries(TREE, size) for body in part]
    tiles = [there.fetch(TREE, tile) for tile in tiles_of(size) if tile.level == 0]
    assert b"".join(leaves) == b"".join(tiles)


def test_the_edge_of_a_tree_is_found_in_its_tiles_however_many_levels_it_has(
    tmp_path: Path,
) -> None:
    edge = Edge()
    for size in (0, 256, 768, 65_536, 65_792, 2 * 65_536 + 512):
        leaves = (leaf_hash(b"%d" % number) for number in range(edge.size, size))
        exporting._write_tiles(tmp_path / TREE, edge.extend(leaves))
        exporting._write_tiles(tmp_path / TREE, edge.partial())
        found = exporting._edge_at(tmp_path, TREE, size)
        assert (found.size, found.pack()) == (size, edge.pack())


SPOILING: list[tuple[Callable[[Path], object], str]] = [
    (
        lambda tree: next(tree.glob("tile/0/001.p/*")).write_bytes(bytes(32 * 81)),
        "does not give its checkpoint",
    ),
    (lambda tree: (tree / "checkpoint").write_bytes(b"rubbish"), "checkpoint"),
    (lambda tree: next(tree.glob("tile/1/000.p/*")).write_bytes(bytes(32)), "checkpoint"),
]


@pytest.mark.parametrize(("spoil", "said"), SPOILING)
def test_a_folder_that_is_not_what_its_checkpoint_says_is_left_alone(
    evidence: Evidence, exported: Exporting, spoil: Callable[[Path], object], said: str
) -> None:
    grow(evidence, 1_500)
    exported()
    grow(evidence, 1_500)
    spoil(exported.folder / TREE)
    before = exported.files()
    with pytest.raises((FolderRefusal, EvidenceRefusal), match=said):
        exported()
    assert exported.files() == before


def test_a_folder_of_another_tree_or_of_a_larger_one_is_left_alone(
    evidence: Evidence, exported: Exporting, tmp_path: Path
) -> None:
    size = grow(evidence, 400)
    exported()
    (exported.folder / TREE).rename(exported.folder / shard_tree(2))
    other = Exporting(evidence, exported.folder, shard_tree(2))
    with pytest.raises(
        FolderRefusal, match=f"holds {size} entries of .*/{TREE}, .* another folder"
    ):
        other()
    (exported.folder / shard_tree(2)).rename(exported.folder / TREE)
    smaller = tmp_path / "smaller"
    smaller.mkdir()
    with evidence_at(f"sqlite:///{smaller / 'ledger.db'}", smaller) as lesser:
        lesser.key = evidence.key
        grow(lesser, 40)
        with pytest.raises(FolderRefusal, match=f"holds {size} entries"):
            Exporting(lesser, exported.folder)()


def test_an_entry_that_was_altered_is_not_exported_as_if_it_were_signed(
    evidence: Evidence, exported: Exporting
) -> None:
    grow(evidence, 400)
    evidence.sql("UPDATE entries SET body = leaf WHERE shard = 1 AND seq = 20")
    with pytest.raises(EvidenceRefusal, match="do not give the signed root"):
        exported()
    assert "checkpoint" not in exported.files()


def test_a_disk_that_can_not_be_written_is_said_in_a_line(
    evidence: Evidence, exported: Exporting
) -> None:
    grow(evidence, 10)
    exported.folder.write_text("no folder")
    with pytest.raises(FolderRefusal, match=r"can't be written .*check the disk"):
        exported()


def test_a_checkpoint_alone_can_be_written(evidence: Evidence, tmp_path: Path) -> None:
    with queries.reading(evidence.engine) as connection:
        assert write_checkpoint(connection, DISTRICT, tmp_path / "tiles") is None
    size = grow(evidence, 10)
    with queries.reading(evidence.engine) as connection:
        assert write_checkpoint(connection, TREE, tmp_path / "tiles") == Exported(TREE, size, 0)
        latest = reading.latest_checkpoint(connection, TREE)
    assert latest is not None
    assert [path.name for path in (tmp_path / "tiles" / TREE).iterdir()] == ["checkpoint"]
    assert TileFolder(tmp_path / "tiles").note(TREE) == latest.note
