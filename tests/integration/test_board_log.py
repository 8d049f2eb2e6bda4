"""The board serves trees as other programs read them; entries to who may see everybody's."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dashboards.board.verifier import verifier_page
from ledger.evidence.checkpoints import verified_checkpoint
from ledger.evidence.notes import Key
from ledger.evidence.proofs import tree_root
from ledger.evidence.tiles import Tile, TileNodes, tiles_of, unbundle
from ledger.merkle import leaf_hash
from tests.board_world import (
    HOUR,
    LEDGER,
    WANG,
    InProcess,
    as_a_board_may,
    board_in_process,
    came,
    district_at,
    left,
    now,
)
from tests.integration.test_certificates import sign


@pytest.fixture
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


@pytest.fixture
def board(ledger_url: str, tmp_path: Path, key: Ed25519PrivateKey) -> Iterator[InProcess]:
    with district_at(ledger_url, tmp_path) as district:
        for number in range(300):
            at = now() - (320 - number) * HOUR
            district.settle(came(WANG, at, f"i{number}"), left(WANG, at + HOUR // 2, f"o{number}"))
        sign(district, key)
        district.settle(came(WANG, now() - HOUR, "late"), left(WANG, now(), "latest"))
        with as_a_board_may(district) as url, board_in_process(district, ledger_url=url) as made:
            yield made


def test_a_tree_is_served_as_tiles_that_give_the_signed_root(
    board: InProcess, key: Ed25519PrivateKey
) -> None:
    public, auditor = board.client(), board.client("auditor")
    keys = [Key(LEDGER, key.public_key().public_bytes_raw())]
    for tree in ("district", "shard-0", "shard-1", "shard-2", "shard-3"):
        answer = public.get(f"/log/{tree}/checkpoint")
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        _, size, root = verified_checkpoint(answer.text, keys).checkpoint
        tiles = {
            tile: public.get(f"/log/{tree}/{tile.path}").raise_for_status().content
            for tile in tiles_of(size)
        }
        assert tree_root(size, TileNodes(size, tiles.__getitem__)) == root
        leaves = b""
        for number in range(-(-size // 256)):
            part = Tile(None, number, min(256, size - number * 256))
            bundle = auditor.get(f"/log/{tree}/{part.path}").raise_for_status()
            leaves += b"".join(map(leaf_hash, unbundle(bundle.content)))
        assert leaves == b"".join(content for tile, content in tiles.items() if tile.level == 0)


def test_entries_of_shards_are_not_the_public_s_and_what_is_unsigned_is_nobody_s(
    board: InProcess,
) -> None:
    public, leader, auditor = board.client(), board.client("leader"), board.client("auditor")
    assert public.get("/log/district/tile/entries/000.p/1").status_code == 200
    for client in (public, leader):
        answer = client.get("/log/shard-0/tile/entries/000.p/1", follow_redirects=False)
        assert answer.status_code in (303, 403)
        assert WANG not in answer.text
    notes = [public.get(f"/log/shard-{shard}/checkpoint").text for shard in range(4)]
    sizes = [int(note.split("\n")[1]) for note in notes]
    shard = sizes.index(max(sizes))
    beyond = max(sizes) % 256 + 1
    for path in (
        f"/log/shard-{shard}/tile/entries/{Tile(None, max(sizes) // 256, beyond).path[13:]}",
        f"/log/shard-{shard}/tile/0/{Tile(0, max(sizes) // 256, beyond).path[7:]}",
        "/log/shard-9/checkpoint", "/log/elsewhere/checkpoint", "/log/shard-0/tile/0/0",
        "/log/shard-0/tile/64/000", "/log/shard-0/tile/0/000.p/300", "/log/district/tile/9/000",
    ):  # fmt: skip
        assert auditor.get(path).status_code == 404, path


def test_the_verifier_is_the_public_s_and_runs_nothing_but_its_own(board: InProcess) -> None:
    answer = board.client().get("/verify")
    assert answer.content == verifier_page()
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "connect-src" not in policy
    assert "unsafe" not in policy
    kept = board.client().get("/verify?download=true")
    assert "verify.html" in kept.headers["content-disposition"]
