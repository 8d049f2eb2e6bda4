"""A folder of tiles, as any static web server serves it (C2SP tlog-tiles), to read.

`<tree>/checkpoint`, `<tree>/tile/<L>/<N>[.p/<W>]`, `<tree>/tile/entries/<N>[.p/<W>]`. It comes from
outside: sizes are checked here, hashes by whoever trusts a root. Written by `exporting`.
"""

from collections.abc import Iterator
from pathlib import Path

from ledger.evidence.checkpoints import DISTRICT, Checkpoint, shard_of, stated_checkpoint
from ledger.evidence.notes import NotANote
from ledger.evidence.refusals import FolderRefusal
from ledger.evidence.tiles import WIDTH, Tile, unbundle
from ledger.merkle import HASH_BYTES


class TileFolder:
    """The trees in a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def trees(self) -> list[str]:
        """Those that have a checkpoint: the district's first, then shards by number."""
        found = [
            one.parent.name
            for one in self.path.glob("*/checkpoint")
            if one.parent.name == DISTRICT or shard_of(one.parent.name) is not None
        ]
        return sorted(found, key=lambda tree: -1 if shard_of(tree) is None else shard_of(tree) or 0)

    def note(self, tree: str) -> str:
        """A tree's checkpoint as it is signed, unverified. FolderRefusal."""
        return self._stated(tree)[0]

    def checkpoint(self, tree: str) -> Checkpoint:
        """What a tree's checkpoint says, whoever signed it. FolderRefusal."""
        return self._stated(tree)[1]

    def fetch(self, tree: str, tile: Tile) -> bytes:
        """A tile of hashes, the beginning of a wider one if need be. FolderRefusal."""
        wanted = tile.width * HASH_BYTES
        content = self._widest(tree, tile)
        if len(content) < wanted or len(content) % HASH_BYTES:
            raise self._refusal(f"{tree}/{tile.path}", f"{len(content)} bytes, not {wanted}")
        return content[:wanted]

    def entries(self, tree: str, size: int, start: int = 0) -> Iterator[list[bytes]]:
        """Entries' bytes from bundle to bundle, from `start`, a multiple of 256. FolderRefusal."""
        for number in range(start // WIDTH, -(-size // WIDTH)):
            tile = Tile(None, number, min(WIDTH, size - number * WIDTH))
            where = f"{tree}/{tile.path}"
            try:
                bodies = unbundle(self._widest(tree, tile))
            except ValueError as error:
                raise self._refusal(where, f"{error}") from error
            if len(bodies) < tile.width:
                raise self._refusal(where, f"{len(bodies)} entries, not {tile.width}")
            yield bodies[: tile.width]

    def _stated(self, tree: str) -> tuple[str, Checkpoint]:
        note = self._content(f"{tree}/checkpoint").decode(errors="replace")
        try:
            return note, stated_checkpoint(note)
        except NotANote as error:
            raise self._refusal(f"{tree}/checkpoint", f"{error}") from error

    def _widest(self, tree: str, tile: Tile) -> bytes:
        """The tile, or the full one it grew into, which is served in its place."""
        full = tile._replace(width=WIDTH)
        if tile != full and (self.path / tree / full.path).is_file():
            tile = full
        return self._content(f"{tree}/{tile.path}")

    def _content(self, name: str) -> bytes:
        try:
            return (self.path / name).read_bytes()
        except OSError as error:
            raise self._refusal(name, error.strerror or "") from error

    def _refusal(self, name: str, why: str) -> FolderRefusal:
        return FolderRefusal(
            f"{self.path / name} 不能用（{why}）：请重新导出，或换一份。 "
            f"{self.path / name} can't be used ({why}): export it again, or use another copy."
        )
