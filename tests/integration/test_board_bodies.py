"""Whoever sends too much to the board is told so, and it is not read to its end."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.testclient import TestClient

from dashboards.board.bodies import FILES, LARGEST_FILE, Bounded
from tests.board_world import InProcess, board_in_process, district_at

CHUNK = 64 << 10
MULTIPART = {"content-type": "multipart/form-data; boundary=b"}
BEGINS = b'--b\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcess]:
    """SQLite: nothing of this reaches a database."""
    home = tmp_path_factory.mktemp("board")
    with (
        district_at(f"sqlite:///{home / 'ledger.db'}", home) as district,
        board_in_process(district) as made,
    ):
        yield made


@pytest.fixture
def stranger(board: InProcess) -> TestClient:
    return board.client()


def test_a_form_and_a_file_have_a_bound_for_strangers_too(
    board: InProcess, stranger: TestClient
) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    refused = stranger.post("/sign-in", content=b"name=" + b"x" * (2 << 20), headers=form)
    assert (refused.status_code, "太大" in refused.text) == (413, True)
    assert refused.headers["x-frame-options"] == "DENY"
    large = BEGINS + b"x" * (LARGEST_FILE + (1 << 20))
    assert stranger.post(FILES, content=large, headers=MULTIPART).status_code == 413
    asked = stranger.post("/api/v1/corrections", content=b"[" * (2 << 20))
    assert (asked.status_code, asked.headers["content-type"]) == (413, "application/json")


@pytest.mark.parametrize(("path", "most"), [(FILES, LARGEST_FILE), ("/sign-in", 1 << 20)])
def test_what_is_over_the_bound_is_not_read_and_what_is_within_it_is(path: str, most: int) -> None:
    assert read_of(path, [CHUNK] * (most // CHUNK)) == most
    with pytest.raises(HTTPException) as refused:
        read_of(path, [CHUNK] * (most // CHUNK + 2))
    assert refused.value.status_code == 413


def read_of(path: str, chunks: Sequence[int]) -> int:
    """How much an app behind the bound reads of these chunks."""
    left = [{"type": "http.request", "body": bytes(size), "more_body": True} for size in chunks]
    read = 0

    async def receive() -> Any:
        return left.pop() if left else {"type": "http.request", "body": b"", "more_body": False}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal read
        while (message := await receive())["more_body"]:
            read += len(message["body"])

    async def send(message: Any) -> None:
        raise AssertionError(message)

    asyncio.run(Bounded(app)({"type": "http", "path": path}, receive, send))
    return read
