"""Browsers that tap: the page's real queue in Chromium, closed, reloaded, killed, cut off.

One thread drives them all. Invariant: `saved` holds each tap that a page said was on its disk, and
no other.
"""

import os
import random
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import BrowserContext, Error, Page, Playwright

from tests.e2e.conftest import ARGUMENTS, CHROMIUM

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
async ({taps, shift}) => {
  const real = Date.now;
  Date.now = () => real() + shift;
  const saved = [];
  for (const {kind, volunteer} of taps) {
    const who = {volunteer, how: 'number', badge: null};
    const tap = await station.tap({kind, who, team: kind === 'in' ? 'choir' : null});
    saved.push({id: tap.id, volunteer});
  }
  Date.now = real;
  return saved;
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
    shift: int = 0
    """By how many milliseconds its clock is ahead."""

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
        self._page: Page = self._context.pages[0]

    def tap(self, chance: random.Random, count: int) -> None:
        """Tap for some volunteers of its own, in or out as it comes."""
        name = self.profile.name.upper()
        taps = [
            {"kind": chance.choice(("in", "out")), "volunteer": f"V{name}{chance.randrange(40)}"}
            for _ in range(count)
        ]
        self.saved += self._page.evaluate(_TAPS, {"taps": taps, "shift": self.shift})

    def reload(self) -> None:
        self._open()

    def set_offline(self, offline: bool) -> None:
        self._context.set_offline(offline)

    def kill(self) -> None:
        """SIGKILL to all its processes, in the middle of whatever it is at."""
        for process in psutil.process_iter(["cmdline"]):
            if any(str(self.profile) in word for word in process.info["cmdline"] or ()):
                os.kill(process.pid, signal.SIGKILL)
        self.close()

    def queued(self) -> int:
        """What waits in it; it is told that the network is there."""
        return int(self._page.evaluate(_QUEUED))

    def close(self) -> None:
        with suppress(Error):  # it was killed
            self._context.close()

    def _open(self) -> None:
        """The page itself, from the service worker where the gateway is away."""
        self._page.goto(self.url)
        self._page.evaluate(f"async () => {{ {_OPEN} }}")
