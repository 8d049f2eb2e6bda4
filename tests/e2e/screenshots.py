"""The pictures of docs/kiosk, taken anew: `python -m tests.e2e.screenshots`.

Each state on a tablet of 1024×600, and the most used on a phone; some in English, some in the dark.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from tests.e2e.conftest import ARGUMENTS, CHROMIUM
from tests.e2e.pictures import make_small
from tests.e2e.screens_world import LI, WANG, ZHAO, ScreensWorld, badge_of, screens_world
from tests.e2e.tablet import PHONE, TABLET, Tablet, camera_of, film_of, tablet_context

FOLDER = Path(__file__).parents[2] / "docs" / "kiosk"
COLOURS = 64


def main() -> int:
    """Take them all."""
    FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        with screens_world(Path(folder)) as world:
            for name, viewport, dark in (
                ("tablet", TABLET, False),
                ("phone", PHONE, False),
                ("dark", TABLET, True),
            ):
                _take(browser, world, name, viewport, dark)
            _take_camera(playwright, world, Path(folder))
        browser.close()
    return 0


def _take_camera(playwright: Playwright, world: ScreensWorld, folder: Path) -> None:
    """What the camera sees, before it is sharp."""
    film = folder / "badge.y4m"
    film.write_bytes(film_of(badge_of(WANG), blur=9))
    browser = playwright.chromium.launch(
        executable_path=CHROMIUM, args=[*ARGUMENTS, *camera_of(film)]
    )
    for name, viewport in (("tablet", TABLET), ("phone", PHONE)):
        context = tablet_context(browser, viewport, reduced_motion="reduce")
        context.grant_permissions(["camera"], origin=world.address)
        tablet = Tablet(context, world).enrol()
        tablet.touch(tablet.page.locator(".way").first)
        tablet.page.wait_for_function("() => document.querySelector('video')?.videoWidth > 0")
        _keep(tablet, FOLDER / f"{name}-camera.png")
        context.close()
    browser.close()


def _take(
    browser: Browser, world: ScreensWorld, name: str, viewport: dict[str, int], dark: bool
) -> None:
    context = tablet_context(browser, viewport, dark, reduced_motion="reduce")
    tablet = Tablet(context, world)
    wanted = {"phone": _ON_PHONE, "dark": _IN_THE_DARK}.get(name)
    for state in states(tablet, english=name == "dark"):
        if wanted is None or state in wanted:
            _keep(tablet, FOLDER / f"{name}-{state}.png")
    context.close()


_ON_PHONE = {"home", "person", "waiting", "in", "number", "surname", "activity", "in-charge"}
_IN_THE_DARK = {"home", "person", "in", "refused", "in-charge"}


def states(tablet: Tablet, english: bool) -> Iterator[str]:
    """Walk through what can be seen, and say what it is."""
    page = tablet.page
    page.goto(tablet.world.address)
    expect(page.locator("#code")).to_have_count(1)
    yield "enrolment"
    tablet.enrol()
    if english:
        tablet.press("English")
    yield "home"
    yield from _of_taps(tablet)
    yield from _of_other_ways(tablet)
    yield from _of_trouble(tablet)


def _of_taps(tablet: Tablet) -> Iterator[str]:
    tablet.scan(badge_of(WANG))
    tablet.is_asked("王*")
    yield "person"
    for volunteer in (LI, ZHAO):
        tablet.scan(badge_of(volunteer))
    _comes(tablet, ".waiting li:nth-child(2)")
    yield "waiting"
    tablet.tap("in")
    tablet.is_asked("李**")
    tablet.tap("in")
    _comes(tablet, ".question")
    yield "team"
    tablet.touch(tablet.page.locator(".choice").nth(1))
    expect(tablet.page.locator(".choice.other")).to_have_count(1)
    yield "activity"
    tablet.touch(tablet.page.locator(".choice.other"))
    tablet.is_asked("赵*")
    yield "next"
    tablet.tap("in")
    tablet.touch(tablet.page.locator(".choice.other"))
    _comes(tablet, ".panel.done .standing[data-state=accepted]")
    yield "in"
    tablet.scan(badge_of(WANG))
    tablet.is_asked("王*")
    tablet.tap("out")
    _comes(tablet, ".panel.done.out .standing[data-state=accepted]")
    yield "out"
    tablet.touch(tablet.page.locator("button.undo"))
    _comes(tablet, ".panel.undone")
    yield "undone"


def _of_other_ways(tablet: Tablet) -> Iterator[str]:
    tablet.scan("HOURS1-CUT-OFF")
    _comes(tablet, ".panel.refused")
    expect(tablet.page.locator(".recent li")).to_have_count(0)
    yield "refused"
    tablet.touch(tablet.page.locator(".way").nth(1))
    _comes(tablet, ".keypad")
    yield "number"
    tablet.page.locator("#number").fill("V7K2M9QXTA2Q")
    tablet.touch(tablet.page.locator(".number .go"))
    expect(tablet.page.locator(".wrong")).not_to_be_empty()
    yield "wrong-number"
    tablet.touch(tablet.page.locator("main .quiet"))
    tablet.touch(tablet.page.locator(".way").nth(2))
    _comes(tablet, ".heads")
    yield "surname"
    tablet.touch(tablet.page.locator(".head").filter(has_text="李"))
    _comes(tablet, ".names")
    yield "names"


def _of_trouble(tablet: Tablet) -> Iterator[str]:
    tablet.touch(tablet.page.locator("main .quiet"))
    tablet.touch(tablet.page.locator("main .quiet"))
    tablet.offline()
    tablet.scan(badge_of(ZHAO))
    tablet.is_asked("赵*")
    tablet.tap("out")
    _comes(tablet, "#top .notice")
    yield "offline"
    tablet.touch(tablet.page.locator(".corner button").nth(1))
    _comes(tablet, ".refusals h2")
    yield "in-charge"
    tablet.page.evaluate("scrollTo(0, document.body.scrollHeight)")
    yield "settings"


def _comes(tablet: Tablet, selector: str) -> None:
    expect(tablet.page.locator(selector)).not_to_have_count(0)


def _keep(tablet: Tablet, file: Path) -> None:
    tablet.page.screenshot(path=file, animations="disabled")
    make_small(file, COLOURS, Image.Dither.NONE)


if __name__ == "__main__":
    sys.exit(main())
