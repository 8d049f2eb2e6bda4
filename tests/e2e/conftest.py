"""Real Chromium, one for a file of tests, each test with profiles of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, expect, sync_playwright

from tests.kiosk_world import KioskWorld, world_at

CHROMIUM = next(
    (
        found
        for name in ("chromium-headless-shell", "chromium")  # without windows, in half the time
        if (found := Path("/usr/bin", name)).exists()
    ),
    None,
)
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)


expect.set_options(timeout=30_000)  # as long as for deeds: the machine may be busy


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Not for longer: while it is there, nothing else in this process may run asyncio."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium")
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
    yield browser
    browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A profile of its own, on a tablet of 1024×600 in Shanghai."""
    context = browser.new_context(
        viewport={"width": 1024, "height": 600}, locale="zh-CN", timezone_id="Asia/Shanghai"
    )
    yield context
    context.close()


@pytest.fixture(scope="module")
def district(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KioskWorld]:
    """One for all tests of a file: SQLite, which is enough where browsers are tested."""
    with world_at(tmp_path_factory.mktemp("district"), kafka) as world:
        yield world


@pytest.fixture
def world(district: KioskWorld) -> KioskWorld:
    district.begin()
    return district
