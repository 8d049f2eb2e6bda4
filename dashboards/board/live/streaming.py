"""What is sent to open pages: each page's part of the live state, rendered once for all alike.

One event loop; the state is looked at, never waited for. Invariant: a page is sent nothing that is
older than what it was sent before, and hears every few seconds how old what it shows is.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import suppress

from dashboards.board.live.state import State
from dashboards.board.live.watching import LedgerWatch

_LOOK_SECONDS = 0.1
_PAUSE_SECONDS = 0.4
_BEAT_SECONDS = 5.0
_MOST_KEPT = 2_000

Render = Callable[[State], str]
"""A state's part, as the page's markup."""


class Broadcast:
    """All pages that are open; `most` of them at once."""

    def __init__(self, watch: LedgerWatch, most: int = 2_000) -> None:
        self._watch, self._most = watch, most
        self._changed = asyncio.Event()
        self._kept: OrderedDict[Hashable, str] = OrderedDict()
        self.open = 0
        self.sent = 0

    @property
    def is_full(self) -> bool:
        """Whether no more pages can be served."""
        return self.open >= self._most

    async def look(self) -> None:
        """Wake the pages whenever the state is another; runs beside the server."""
        version = -1
        while True:
            state = self._watch.state
            if state is not None and state.version != version:
                version = state.version
                self._changed.set()
                self._changed = asyncio.Event()
            await asyncio.sleep(_LOOK_SECONDS)

    async def follow(
        self, key: Hashable, render: Render, beat: Callable[[], str]
    ) -> AsyncIterator[tuple[str, str]]:
        """Events (name, data) for one page: `figures` with markup, `beat` with how fresh it is.

        Pages of equal keys show the same. Never ends by itself.
        """
        self.open += 1
        try:
            version = -1
            while True:
                state = self._watch.state
                if state is not None and state.version != version:
                    version = state.version
                    yield "figures", self._rendered(key, state, render)
                yield "beat", beat()
                self.sent += 1
                await asyncio.sleep(_PAUSE_SECONDS)
                await self._wait(version)
        finally:
            self.open -= 1

    async def _wait(self, version: int) -> None:
        """Until there is another state, or it is time to say how old this one is."""
        changed, state = self._changed, self._watch.state
        if state is None or state.version == version:
            with suppress(TimeoutError):
                async with asyncio.timeout(_BEAT_SECONDS):
                    await changed.wait()

    def _rendered(self, key: Hashable, state: State, render: Render) -> str:
        kept = (state.version, key)
        if kept not in self._kept:
            self._kept[kept] = render(state)
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return self._kept[kept]
