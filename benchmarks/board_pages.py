"""Open pages of a board, all in one process: each says when it saw which offsets of the log.

Run as `python -m benchmarks.board_pages PORT SECONDS`, with one cookie a line on standard input;
prints one JSON line. Invariant: an arrival is noted before the event is looked into.
"""

import asyncio
import json
import re
import sys
import time
from contextlib import suppress

_OFFSETS = re.compile(rb'data-offsets="([0-9: ]*)"')
_LARGEST = 1 << 20


class Page:
    """What one page saw: (seconds since the epoch, next offset by shard); how often it broke."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, dict[int, int]]] = []
        self.bytes = 0
        self.breaks = 0

    async def follow(self, port: int, cookie: str, until: float) -> None:
        """Keep the page open until then, as a browser does."""
        while time.time() < until:
            with suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
                async with asyncio.timeout(until - time.time() + 1):
                    await self._stream(port, cookie, until)
            if time.time() < until:
                self.breaks += 1
                await asyncio.sleep(1)

    async def _stream(self, port: int, cookie: str, until: float) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=_LARGEST)
        asked = f"GET /live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n\r\n"
        writer.write(asked.encode())
        try:
            while time.time() < until:
                line = await reader.readline()
                if not line:
                    return
                self.bytes += len(line)
                at, found = time.time(), _OFFSETS.search(line)
                if found:
                    pairs = (one.split(b":") for one in found[1].split())
                    self.seen.append((at, {int(shard): int(end) for shard, end in pairs}))
        finally:
            writer.close()


async def _all(port: int, cookies: list[str], seconds: float) -> list[Page]:
    until = time.time() + seconds
    pages = [Page() for _ in cookies]
    following = (page.follow(port, one, until) for page, one in zip(pages, cookies, strict=True))
    await asyncio.gather(*following)
    return pages


def main() -> None:
    """Open a page for each cookie."""
    port, seconds = int(sys.argv[1]), float(sys.argv[2])
    cookies = sys.stdin.read().split("\n")
    pages = asyncio.run(_all(port, [one for one in cookies if one], seconds))
    print(
        json.dumps(
            {
                "seen": [page.seen for page in pages],
                "bytes": sum(page.bytes for page in pages),
                "breaks": sum(page.breaks for page in pages),
            }
        )
    )


if __name__ == "__main__":
    main()
