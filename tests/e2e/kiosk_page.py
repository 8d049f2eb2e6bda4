"""A kiosk's page as people use it: badges scanned, buttons pressed, words read."""

import json
import re
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page, expect

from tests.e2e.pages import run
from tests.e2e.tablet import SCAN
from tests.kiosk_world import PLACE, KioskWorld

IN, OUT = re.compile("签到"), re.compile("签退")


@dataclass
class KioskPage:
    """One tab of an enrolled kiosk."""

    page: Page

    @classmethod
    def enrolled(cls, page: Page, world: KioskWorld, *options: str) -> "KioskPage":
        """Show the address that an operator gave out."""
        made = json.loads(world.hours.ok("kiosks", "add", PLACE, "--json", *options))
        page.goto(f"{world.gateway.address}/#code={made['code']}")
        kiosk = cls(page)
        kiosk.is_ready()
        return kiosk

    def is_ready(self) -> None:
        """The page shows its place's name: it has its roster, and waits for a badge."""
        expect(self.page.get_by_text("请刷志愿者证")).to_be_visible()
        expect(self.page.get_by_text("运河村站")).to_be_visible()

    def can_do_without_network(self) -> None:
        """The service worker has the whole page."""
        run(self.page, CONTROLLED)

    def scan(self, text: str) -> None:
        """A USB scanner types the text and Enter, as fast as one does on however busy a machine."""
        self.page.evaluate(SCAN, [text, "Enter", False])

    def tap(self, kind: str, badge: str) -> None:
        """Scan a badge, press the button, see that it was kept; in the tab one looks at."""
        self.page.bring_to_front()
        self.scan(badge)
        self.press(kind)

    def press(self, kind: str) -> None:
        label, done = (IN, "签到成功") if kind == "in" else (OUT, "签退成功")
        self.page.locator("main").get_by_role("button", name=label).click()
        expect(self.page.locator("#screen").get_by_text(done)).to_be_visible()

    def queued(self) -> int:
        """How many taps wait in the browser's own database."""
        return int(self.counts()["queued"])

    def counts(self) -> dict[str, Any]:
        found: dict[str, Any] = run(self.page, COUNTS)
        return found


COUNTS = """
const [{openStore}, {Queue}] = await Promise.all([load('store'), load('queue')]);
return new Queue(await openStore()).counts();
"""

CONTROLLED = """
const container = navigator.serviceWorker;
await container.ready;
if (container.controller) return;
await new Promise((resolve) => container.addEventListener('controllerchange', resolve));
"""
