"""Writing trees as folders of tiles, for any static web server and anyone's tools.

What is full is written once and never again; the checkpoint comes last, when every tile it needs is
on the disk, and only if they give its root. So a folder that was left half-way is gone on with, and
what is served from it is always whole. Nothing that this didn't write is deleted.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection

from ledger.evidence import reading
from ledger.evidence.checkpoints import stated_checkpoint
from ledger.evidence.folder import TileFolder
from ledger.evidence.proofs import tree_root
from ledger.evidence.reading import StoredCheckpoint
from ledger.evidence.refusals import EvidenceRefusal, FolderRefusal
from ledger.evidence.tiles import WIDTH, Edge, Tile, TileNodes, bundle, hashes_in
from ledger.merkle import HASH_BYTES, leaf_hash

Progress = Callable[[int, int], None]
"""Entries written so far, and in all."""


class Exported(NamedTuple):
    """What a tree's folder now holds, and how much of it is new."""

    tree: str
    size: int
    new: int


def export_tree(
    connection: Connection, tree: str, folder: Path, progress: Progress, entries: bool = True
) -> Exported | None:
    """Bring a tree's folder up to its latest checkpoint; None where nothing is signed yet.

    Without `entries` only what hides them is written: hashes and the checkpoint.
    EvidenceRefusal where the ledger doesn't give the signed root, FolderRefusal where the folder
    holds another tree.
    """
    checkpoint = reading.latest_checkpoint(connection, tree)
    if checkpoint is None:
        return None
    start = _whole_up_to(folder, tree, checkpoint)
    if entries:
        start = _bundled_up_to(folder / tree, start)
    if start < checkpoint.size:
        edge = _edge_at(folder, tree, start)
        _take_up(folder, tree, edge, checkpoint.size, entries)
        new, begun = checkpoint.size - edge.size, edge.size
        for first, bodies in _in_bundles(connection, tree, edge.size, checkpoint.size):
            _write_tiles(folder / tree, edge.extend(map(leaf_hash, bodies)))
            if entries:
                tile = Tile(None, first // WIDTH, len(bodies))
                _write(folder / tree / tile.path, bundle(bodies))
            progress(edge.size - begun, new)
        _write_tiles(folder / tree, edge.partial())
        _refuse_other_root(folder / tree, edge, checkpoint)
    _write(folder / tree / "checkpoint", checkpoint.note.encode())
    return Exported(tree, checkpoint.size, checkpoint.size - start)


def write_checkpoint(connection: Connection, tree: str, folder: Path) -> Exported | None:
    """A tree's latest checkpoint alone."""
    checkpoint = reading.latest_checkpoint(connection, tree)
    if checkpoint is None:
        return None
    _write(folder / tree / "checkpoint", checkpoint.note.encode())
    return Exported(tree, checkpoint.size, 0)


def _whole_up_to(folder: Path, tree: str, checkpoint: StoredCheckpoint) -> int:
    """How many entries the folder's checkpoint covers, in full bundles. FolderRefusal."""
    there = TileFolder(folder)
    if not (folder / tree / "checkpoint").exists():
        return 0
    before = there.checkpoint(tree)
    ours = stated_checkpoint(checkpoint.note)
    if before.origin != ours.origin or before.size > ours.size:
        raise FolderRefusal(
            f"{folder / tree} 已有 {before.origin} 的 {before.size} 个条目，账本签到 {ours.size}："
            f"请给另一个文件夹。 {folder / tree} holds {before.size} entries of {before.origin}, "
            f"and the ledger is signed up to {ours.size}: give another folder."
        )
    nodes = TileNodes(before.size, lambda tile: there.fetch(tree, tile))
    if tree_root(before.size, nodes) != before.root:
        raise FolderRefusal(
            f"{folder / tree} 的内容与它的检查点不符：请删掉它，重新导出。 What is in "
            f"{folder / tree} does not give its checkpoint: remove it, and export again."
        )
    return before.size // WIDTH * WIDTH if before.size < ours.size else before.size


def _bundled_up_to(folder: Path, size: int) -> int:
    """How many of so many entries stand in bundles: an export without entries left them out."""
    for first in range(0, size, WIDTH):
        bundled = Tile(None, first // WIDTH, min(WIDTH, size - first))
        if not (folder / bundled.path).is_file():
            return first
    return size


def _edge_at(folder: Path, tree: str, size: int) -> Edge:
    """The edge of the tree of `size`, a multiple of 256, from its tiles."""
    there, packed, level = TileFolder(folder), b"", 0
    while rest := size // WIDTH**level:
        if width := rest % WIDTH:
            packed += there.fetch(tree, Tile(level, rest // WIDTH, width))
        level += 1
    return Edge(size, packed)


def _take_up(folder: Path, tree: str, edge: Edge, size: int, entries: bool) -> None:
    """Go on behind the full tiles that an export left which was stopped before its checkpoint."""
    while edge.size + WIDTH <= size:
        number = edge.size // WIDTH
        path, its_bundle = (folder / tree / Tile(level, number).path for level in (0, None))
        if entries and not its_bundle.is_file():
            return
        hashes = path.read_bytes() if path.is_file() else b""
        if len(hashes) != WIDTH * HASH_BYTES:
            return
        _write_tiles(folder / tree, [one for one in edge.extend(hashes_in(hashes)) if one[0].level])


def _in_bundles(
    connection: Connection, tree: str, start: int, stop: int
) -> Iterator[tuple[int, list[bytes]]]:
    """Entries' bytes by full bundles from `start`, the last as long as it is."""
    first, gathered = start, list[bytes]()
    for bodies in reading.bodies(connection, tree, start, stop):
        gathered += bodies
        at = 0
        while len(gathered) - at >= WIDTH:
            yield first, gathered[at : at + WIDTH]
            first, at = first + WIDTH, at + WIDTH
        gathered = gathered[at:]
    if gathered:
        yield first, gathered


def _write_tiles(folder: Path, tiles: list[tuple[Tile, bytes]]) -> None:
    for tile, hashes in tiles:
        _write(folder / tile.path, hashes)


def _write(path: Path, content: bytes) -> None:
    """All of it or nothing; its folder is made."""
    partial = path.with_name(path.name + ".partial")
    try:
        try:
            partial.write_bytes(content)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(content)
        if path.name == "checkpoint":  # what it promises must be on the disk before it
            os.sync()
        partial.replace(path)
    except OSError as error:
        raise FolderRefusal(
            f"写不了 {path}（{error.strerror}）：请检查磁盘和权限，再运行一次。 {path} can't be "
            f"written ({error.strerror}): check the disk and its rights, and run this again."
        ) from error


def _refuse_other_root(folder: Path, edge: Edge, checkpoint: StoredCheckpoint) -> None:
    if edge.root() != checkpoint.root:
        raise EvidenceRefusal(
            f"条目给不出签名的根：账本或 {folder} 被改动过；请运行 hours audit，或换一个空文件夹。"
            "检查点没有写出。 "
            f"The entries do not give the signed root: the ledger or {folder} was altered; run "
            "hours audit, or export into an empty folder. No checkpoint was written."
        )
