"""Kiosks as a load: many connections, each sending a tap and waiting for its answer, then another.

Raw sockets, because the client shares the cores with what it measures. Invariant: what is counted
was answered; an answer that isn't 200 ends the run.
"""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ulid import ULID

from producers.times import rfc_3339_of

Body = Callable[[int], bytes]
"""The nth request's body."""


@dataclass
class Answered:
    """Seconds that each answer took, and from the first request to the last answer."""

    took: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def a_second(self) -> float:
        return len(self.took) / self.seconds

    def percentile(self, share: float) -> float:
        """In milliseconds."""
        return sorted(self.took)[int(len(self.took) * share)] * 1_000


def requests(
    port: int, path: str, keys: Sequence[str], body: Body | None, each: int, every: float = 0.0
) -> Answered:
    """Send `each` requests from every key's connection, one after another; POST if with a body.

    `every` so many seconds, the connections one after the other; 0: as fast as they are answered.
    """
    return asyncio.run(_all(port, path, keys, body, each, every))


def one_tap(number: int) -> bytes:
    """A page's request with one tap, of a few thousand volunteers in turn."""
    at = rfc_3339_of(time.time_ns() // 1_000)
    tap = {
        "id": str(ULID()),
        "kind": "in",
        "volunteer": f"V{number % 4_000:010}",
        "team": "choir",
        "how": "number",
        "time": at,
        "clock": at,
    }
    return json.dumps({"taps": [tap], "report": REPORT}).encode()


REPORT = {"queued": 1, "version": "bench", "offset_ms": 3, "persisted": True}


async def _all(
    port: int, path: str, keys: Sequence[str], body: Body | None, each: int, every: float
) -> Answered:
    answered = Answered()
    begun = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for place, key in enumerate(keys):
            first = place * each
            await asyncio.sleep(every / len(keys))
            tasks.create_task(
                _connection(port, path, key, body, range(first, first + each), every, answered)
            )
    answered.seconds = time.perf_counter() - begun
    return answered


async def _connection(
    port: int,
    path: str,
    key: str,
    body: Body | None,
    numbers: range,
    every: float,
    answered: Answered,
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for number in numbers:
            content = body(number) if body else b""
            begun = time.perf_counter()
            due = begun + every
            writer.write(_head(path, key, "POST" if body else "GET", len(content)) + content)
            await _answer(reader)
            answered.took.append(time.perf_counter() - begun)
            if every:
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
    finally:
        writer.close()


def _head(path: str, key: str, method: str, length: int) -> bytes:
    return (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


async def _answer(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 304")):
        raise RuntimeError(head.decode(errors="replace").splitlines()[0])
    name = b"content-length: "
    at = head.lower().find(name)
    if at >= 0:
        await reader.readexactly(int(head[at + len(name) :].split(b"\r\n", 1)[0]))
