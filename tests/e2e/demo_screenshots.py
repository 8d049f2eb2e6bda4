"""The README's picture of the board, from `hours demo`: `python -m tests.e2e.demo_screenshots`."""

import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

from tests.e2e.conftest import ARGUMENTS, CHROMIUM
from tests.e2e.pictures import make_small
from tests.integration.test_commands import signing_in, tried
from tests.running import environment, eventually

FILE = Path(__file__).parents[2] / "docs" / "board" / "demo.png"
COLOURS = 128


def main() -> int:
    """Let the demo come to its end, and look at what it shows then."""
    with TemporaryDirectory() as folder:
        shown = Path(folder) / "shown"
        with shown.open("wb") as out, subprocess.Popen(
            [sys.executable, "-m", "hours", "demo", "--stay"],
            env=environment(Path(folder)), stdout=out, stderr=out,
        ) as demo:  # fmt: skip
            try:
                eventually(lambda: tried(shown), "a kiosk to try", 300)
                _take(*signing_in(shown))
            finally:
                demo.send_signal(signal.SIGINT)
    return 0


def _take(board: str, password: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(
            viewport={"width": 1024, "height": 600}, locale="zh-CN", timezone_id="Asia/Shanghai"
        )
        page.goto(f"{board}/sign-in")
        page.fill("input[name=name]", "centre")
        page.fill("input[name=password]", password)
        page.press("input[name=password]", "Enter")
        page.wait_for_timeout(3_000)  # the figures come, and the page says that they are live
        page.screenshot(path=FILE)
        browser.close()
    make_small(FILE, COLOURS)


if __name__ == "__main__":
    sys.exit(main())
