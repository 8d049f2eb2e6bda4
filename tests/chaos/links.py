"""A line between workers and a service, which can be cut, slowed, silenced, or lose answers.

A TCP proxy in a thread of its own. Invariant: mended, it passes every byte on unchanged.
"""

import asyncio
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

_CHUNK_BYTES = 65_536


class Link:
    """Listens at `port` on loopback, and passes on to `target`, a port that may come later."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.target = 0
        self._delay_seconds = 0.0
        self._loses_answers = False
        self._ends: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._speaking = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._listening = threading.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._listening.wait(10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._do(self._loop.stop)
        self._thread.join(10)

    def cut(self) -> None:
        """Reset every connection there is; new ones are let through."""
        self._do(self._cut)

    def slow_down(self, seconds: float) -> None:
        """From now on let every piece wait so long."""
        self._delay_seconds = seconds

    def silence(self) -> None:
        """Let nothing through any more, and close nothing."""
        self._do(self._speaking.clear)

    def lose_answers(self) -> None:
        """Let what is asked through, and none of the answers."""
        self._loses_answers = True

    def mend(self) -> None:
        """Let everything through again. Connections whose answers were lost are cut."""
        self._delay_seconds = 0.0
        if self._loses_answers:
            self.cut()
            self._loses_answers = False
        self._do(self._speaking.set)

    def _do(self, deed: object) -> None:
        assert callable(deed)
        done = threading.Event()
        self._loop.call_soon_threadsafe(lambda: (deed(), done.set()))
        done.wait(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(self._listen())
        self._loop.run_forever()
        server.close()
        self._cut()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _listen(self) -> asyncio.Server:
        self._speaking.set()
        server = await asyncio.start_server(self._connect, "127.0.0.1", self.port)
        self._listening.set()
        return server

    async def _connect(self, asks: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        self._ends.add(to_client)
        try:
            await self._speaking.wait()
            answers, to_service = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            self._drop(to_client)
            return
        self._ends.add(to_service)
        try:
            await asyncio.gather(
                self._pass_on(asks, to_service, are_answers=False),
                self._pass_on(answers, to_client, are_answers=True),
            )
        finally:
            self._drop(to_client)
            self._drop(to_service)

    async def _pass_on(
        self, source: asyncio.StreamReader, goal: asyncio.StreamWriter, *, are_answers: bool
    ) -> None:
        with suppress(OSError):
            while piece := await source.read(_CHUNK_BYTES):
                if self._delay_seconds:
                    await asyncio.sleep(self._delay_seconds)
                await self._speaking.wait()
                if not (are_answers and self._loses_answers):
                    goal.write(piece)
                    await goal.drain()
        goal.close()

    def _cut(self) -> None:
        for end in list(self._ends):
            self._drop(end)

    def _drop(self, end: asyncio.StreamWriter) -> None:
        end.transport.abort()
        self._ends.discard(end)
