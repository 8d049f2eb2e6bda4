"""The pictures of docs/board, taken anew: `python -m tests.e2e.board_screenshots`.

What leaders, offices, volunteers and the public see most, on a phone and at a desk; some in English
and some in the dark.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, sync_playwright

from hours.services import EmbeddedKafka, fetch_kafka
from tests.board_world import HOUR, LI, NEAR, WANG, ZHAO, LiveWorld, live_world, now
from tests.e2e.conftest import ARGUMENTS, CHROMIUM
from tests.e2e.pictures import make_small
from tests.e2e.test_board_in_browsers import opened, tap

FOLDER = Path(__file__).parents[2] / "docs" / "board"
COLOURS = 64
SHOTS = [
    ("phone-front", "phone-light-zh", "leader", "/"),
    ("phone-exceptions", "phone-light-zh", "leader", "/exceptions"),
    (
        "phone-exception",
        "phone-light-zh",
        "leader",
        f"/exceptions/fix?volunteer={WANG}&source=/kiosks/station-1&id=w1",
    ),
    ("phone-mine", "phone-light-zh", "volunteer", "/mine"),
    ("phone-public", "phone-light-zh", None, "/public"),
    ("desk-front", "desk-dark-en", "centre", "/"),
    ("desk-explore", "desk-dark-en", "centre", f"/explore?{NEAR}"),
    ("desk-assessment", "desk-dark-en", "centre", "/assessments/draft?period=year"),
]


def main() -> int:
    """Take them all."""
    FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        home = Path(folder)
        kafka = EmbeddedKafka(home / "kafka", fetch_kafka(print))
        kafka.start()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            with live_world(home, kafka.address, f"sqlite:///{home / 'ledger.db'}") as world:
                _fill(world)
                for shot in SHOTS:
                    _take(browser, world, *shot)
        finally:
            browser.close()
            kafka.stop()
    return 0


def _fill(world: LiveWorld) -> None:
    """Some days of service, somebody here now, a check-out that was forgotten."""
    at = now()
    for number in range(6):
        begun = at - (20 + 24 * number) * HOUR
        tap(world, "in", LI, begun, f"l{number}")
        tap(world, "out", LI, begun + (1 + number % 3) * HOUR, f"lo{number}")
        tap(world, "in", ZHAO, begun - HOUR, f"z{number}", "clinic", "station-2")
        tap(world, "out", ZHAO, begun + HOUR, f"zo{number}", "clinic", "station-2")
    tap(world, "in", WANG, at - 30 * HOUR, "w1")
    tap(world, "in", LI, at - HOUR // 2, "here")


def _take(
    browser: Browser, world: LiveWorld, name: str, dress: str, who: str | None, path: str
) -> None:
    context = opened(browser, world, dress, who)
    page = context.new_page()
    page.goto(world.board.address + path)
    page.wait_for_timeout(1_200)  # the figures come once, and the page says that they are live
    file = FOLDER / f"{name}.png"
    page.screenshot(path=file)
    context.close()
    make_small(file, COLOURS)


if __name__ == "__main__":
    sys.exit(main())
