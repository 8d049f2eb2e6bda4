"""Browsers that tap: the page's real queue in Chromium, closed, reloaded, killed, cut off.

One thread drives them all. Invariant: `saved` holds each tap that a page said was on its disk, and
no other.
"""

import random
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Error, Page, Playwright

from tests.e2e.conftest import ARGUMENTS, CHROMIUM
from tests.e2e.pages import kill_browser

_OPEN = """
const {Station} = await import('/page/station.js');
globalThis.station = await Station.open();
"""
_ENROLLED = """
async () => {
  const {openStore} = await import('/page/store.js');
  const store = await openStore();
  while (!(await store.fact('enrolment'))) await new Promise((go) => setTimeout(go, 50));
  await navigator.serviceWorker.ready;
}
"""
_TAPS = """
async (taps) => {
  const saved = [];
  for (const {kind, volunteer} of taps) {
    const who = {volunteer, how: 'number', badge: null};
    const tap = await station.tap({kind, who, team: kind === 'in' ? 'choir' : null});
    saved.push({id: tap.id, volunteer});
  }
  return saved;
}
"""
_CLOCK = """
{
  const real = Date.now.bind(Date);
  Date.now = () => real() + Number(localStorage.getItem('shift') ?? 0);
}
"""
"""A clock that somebody may set; it stays so when the page is loaded again."""

_MEASURED = """
async () => {
  const {openStore} = await import('/page/store.js');
  const store = await openStore();
  const newest = async () => ((await store.fact('measurements')) ?? []).at(-1)?.mono ?? 0;
  const before = await newest();
  for (let tries = 0; tries < 200; tries++) {
    dispatchEvent(new Event('online'));
    await new Promise((go) => setTimeout(go, 50));
    if ((await newest()) > before && station.state.queued === 0) return true;
  }
  return false;
}
"""

_QUEUED = """
async () => {
  dispatchEvent(new Event('online'));
  const [{openStore}, {Queue}] = await Promise.all(
    [import('/page/store.js'), import('/page/queue.js')]);
  return (await new Queue(await openStore()).counts()).queued;
}
"""


@dataclass
class Browser:
    """One kiosk's browser, with a profile that outlives it."""

    playwright: Playwright
    profile: Path
    url: str
    saved: list[dict[str, Any]] = field(default_factory=list)

    def enrol(self, code: str) -> None:
        """Open it for the first time, at the address that an operator gave out."""
        self._launch()
        self._page.goto(f"{self.url}/#code={code}")
        self._page.evaluate(_ENROLLED)
        self._open()

    def start(self) -> None:
        """Open it again, on what is in its profile."""
        self._launch()
        self._open()

    def _launch(self) -> None:
        self._context: BrowserContext = self.playwright.chromium.launch_persistent_context(
            self.profile, executable_path=CHROMIUM, args=[*ARGUMENTS]
        )
        self._context.add_init_script(_CLOCK)
        self._page: Page = self._context.pages[0]

    def tap(self, chance: random.Random, count: int) -> None:
        """Tap for some volunteers of its own, in or out as it comes."""
        name = self.profile.name.upper()
        taps = [
            {"kind": chance.choice(("in", "out")), "volunteer": f"V{name}{chance.randrange(40)}"}
            for _ in range(count)
        ]
        self.saved += self._page.evaluate(_TAPS, taps)

    def set_clock(self, ahead: int) -> bool:
        """By so many milliseconds ahead, from now on; not while taps wait (then it is False).

        A clock set twice with no gateway in between can't be told from what it was.
        """
        if not self._measures():
            return False
        self._page.evaluate("(ahead) => localStorage.setItem('shift', String(ahead))", ahead)
        return self._measures()

    def _measures(self) -> bool:
        """Whether all was sent, and the clock measured, within a while."""
        return bool(self._page.evaluate(_MEASURED))

    def reload(self) -> None:
        self._open()

    def set_offline(self, offline: bool) -> None:
        self._context.set_offline(offline)

    def kill(self) -> None:
        """SIGKILL to all its processes, in the middle of whatever it is at."""
        kill_browser(self.profile)
        self.close()

    def refused(self) -> list[Any]:
        """What the gateway refused of it."""
        found: list[Any] = self._page.evaluate("() => station.refusedTaps()")
        return found

    def queued(self) -> int:
        """What waits in it; it is told that the network is there."""
        return int(self._page.evaluate(_QUEUED))

    def close(self) -> None:
        with suppress(Error):  # it was killed
            self._context.close()

    def _open(self) -> None:
        """A file of the page's, so that its station is ours alone, cached or not."""
        self._page.goto(f"{self.url}/page/style.css")
        self._page.evaluate(f"async () => {{ {_OPEN} }}")
