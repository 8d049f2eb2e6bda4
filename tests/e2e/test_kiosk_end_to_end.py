"""A kiosk from the badge to the ledger, in real Chromium, whatever goes away in between."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Error, Playwright, expect

from tests.e2e.conftest import ARGUMENTS, CHROMIUM
from tests.e2e.kiosk_page import KioskPage
from tests.e2e.pages import kill_browser, run
from tests.e2e.tablet import camera_of, film_of
from tests.kiosk_world import CHOIR, LEFT, VISITOR, KioskWorld
from tests.running import eventually


@pytest.fixture
def kiosk(world: KioskWorld, context: BrowserContext) -> KioskPage:
    kiosk = KioskPage.enrolled(context.new_page(), world, "--team", "choir")
    kiosk.can_do_without_network()
    return kiosk


def test_a_badge_scanned_and_a_button_pressed_are_hours_in_the_ledger(
    world: KioskWorld, kiosk: KioskPage
) -> None:
    one, _ = world.two()
    kiosk.tap("in", world.badge(one))
    world.wait_until_settled(1)
    assert world.present()[one] == "choir"
    kiosk.page.wait_for_timeout(1_100)  # an hour of a second
    kiosk.tap("out", world.badge(one))
    expect(kiosk.page.get_by_text("已收到").first).to_be_visible()
    world.wait_until_settled(2)
    (entry,) = world.credits(one)
    assert entry["team"] == "choir"
    assert entry["opened_by"]["source"].startswith("/kiosks/station-03-07")
    assert entry["seconds"] >= 1


def test_a_tap_undone_is_no_tap(world: KioskWorld, kiosk: KioskPage) -> None:
    one, _ = world.two()
    kiosk.tap("in", world.badge(one))
    kiosk.page.get_by_role("button", name="撤销").first.click()
    world.wait_until_settled(2)
    assert one not in world.present()
    assert world.ends() == Counter(accepted=2)


def test_with_the_network_gone_the_page_loads_takes_taps_and_sends_them_when_it_is_back(
    world: KioskWorld, kiosk: KioskPage, context: BrowserContext
) -> None:
    one, two = world.two()
    context.set_offline(True)
    kiosk.tap("in", world.badge(one))
    expect(kiosk.page.get_by_text("已存在本机").first).to_be_visible()
    kiosk.page.reload()
    kiosk.is_ready()
    assert kiosk.queued() == 1
    kiosk.tap("in", world.badge(two))
    assert kiosk.queued() == 2
    context.set_offline(False)
    world.wait_until_settled(2)
    assert {one, two} <= world.present().keys()
    eventually_sent(kiosk)


def test_a_gateway_killed_and_started_again_doubles_and_loses_no_tap(
    world: KioskWorld, kiosk: KioskPage
) -> None:
    one, two = world.two()
    kiosk.tap("in", world.badge(one))
    world.gateway.kill()
    kiosk.tap("in", world.badge(two))
    kiosk.page.reload()  # the page needs no gateway
    kiosk.is_ready()
    kiosk.tap("out", world.badge(one))
    world.gateway.start()
    world.wait_until_settled(3)
    eventually_sent(kiosk)
    assert world.ends()["accepted"] == 3
    assert two in world.present()
    assert one not in world.present()


def test_three_days_of_taps_with_the_gateway_away_settle_once_each(
    world: KioskWorld, kiosk: KioskPage
) -> None:
    world.gateway.kill()
    worth = run(kiosk.page, THREE_DAYS, {"taps": 5_000, "volunteers": 50})
    assert kiosk.queued() == 5_000
    world.gateway.start()
    world.wait_until_settled(5_000)
    eventually_sent(kiosk)
    ends = world.ends()
    assert ends["accepted"] == 5_000
    assert ends["rejected"] == 0
    served = [row for row in world.hours.rows("entries") if row["type"] == "credit"]
    of_three_days = [one for one in served if one["volunteer"].startswith("VTHREEDAYS")]
    assert sum(one["seconds"] for one in of_three_days) == worth
    assert "Equal" in world.hours.ok("audit")


THREE_DAYS = """
const {Station} = await load('station');
const station = await Station.open();
const real = Date.now.bind(Date);
const step = Math.floor(3 * 86400000 / given.taps);
const begun = real() - 3 * 86400000;
const opened = new Map();
let worth = 0;
for (let n = 0; n < given.taps; n++) {
  Date.now = () => begun + n * step;
  const volunteer = `VTHREEDAYS${n % given.volunteers}`;
  const kind = opened.has(volunteer) ? 'out' : 'in';
  const who = {volunteer, how: 'number', badge: null};
  await station.tap({kind, who, team: kind === 'in' ? 'choir' : null});
  if (kind === 'in') opened.set(volunteer, Date.now());
  else {
    worth += Math.floor((Date.now() - opened.get(volunteer)) / 1000);
    opened.delete(volunteer);
  }
}
Date.now = real;
return worth;
"""


def test_a_browser_killed_in_the_middle_still_has_what_it_said_was_saved(
    world: KioskWorld, playwright: Playwright, tmp_path: Path
) -> None:
    one, two = world.two()
    with profile(playwright, tmp_path / "profile") as context:
        kiosk = KioskPage.enrolled(context.new_page(), world)
        kiosk.can_do_without_network()
        world.gateway.kill()
        kiosk.tap("in", world.badge(one))
        kiosk.tap("in", world.badge(two))
        kill_browser(tmp_path / "profile")
    with profile(playwright, tmp_path / "profile") as context:
        page = context.new_page()
        page.goto(world.gateway.address)
        kiosk = KioskPage(page)
        kiosk.is_ready()
        assert kiosk.queued() == 2
        world.gateway.start()
        world.wait_until_settled(2)
    assert {one, two} <= world.present().keys()
    assert world.ends()["accepted"] == 2


def test_two_tabs_are_one_kiosk(
    world: KioskWorld, kiosk: KioskPage, context: BrowserContext
) -> None:
    one, two = world.two()
    other = KioskPage(context.new_page())
    other.page.goto(world.gateway.address)
    other.is_ready()
    kiosk.tap("in", world.badge(one))
    other.tap("in", world.badge(two))
    kiosk.page.close()  # whichever tab was sending
    other.tap("out", world.badge(one))
    world.wait_until_settled(3)
    eventually_sent(other)
    assert world.ends() == Counter(accepted=3)


def test_forged_replaced_and_foreign_badges_and_those_who_left_are_refused_in_words_also_offline(
    world: KioskWorld, kiosk: KioskPage, context: BrowserContext
) -> None:
    forged = world.badge(CHOIR[1]).replace(f"-{CHOIR[1]}-", f"-{CHOIR[2]}-")
    refusals = {
        world.badge(CHOIR[0], generation=1): "已经换过新证",
        world.badge(LEFT): "已暂停或退出",
        forged: "签名不对",
        "HTTPS://EXAMPLE.COM/TICKET": "不是志愿者证",
    }
    for offline in (False, True):
        context.set_offline(offline)
        for text, words in refusals.items():
            kiosk.scan(text)
            expect(kiosk.page.get_by_text(words).first).to_be_visible()
    assert kiosk.counts()["queued"] == 0


def test_a_visitor_is_greeted_by_a_masked_name_and_served_for_their_own_team(
    world: KioskWorld, kiosk: KioskPage
) -> None:
    kiosk.scan(world.badge(VISITOR))
    expect(kiosk.page.get_by_role("heading", name="赵*")).to_be_visible()
    kiosk.press("in")
    world.wait_until_settled(1)
    assert world.present()[VISITOR] == "clinic"


def test_the_camera_reads_a_badge_through_the_gateway_where_the_browser_can_not(
    world: KioskWorld, playwright: Playwright, tmp_path: Path
) -> None:
    film = tmp_path / "badge.y4m"
    film.write_bytes(film_of(world.badge(CHOIR[1])))
    with profile(playwright, tmp_path / "profile", *camera_of(film)) as context:
        kiosk = KioskPage.enrolled(context.new_page(), world)
        assert run(kiosk.page, "return 'BarcodeDetector' in globalThis") is False
        kiosk.page.get_by_role("button", name="用摄像头扫").click()
        expect(kiosk.page.get_by_role("heading", name="李*")).to_be_visible()
        kiosk.press("in")
        world.wait_until_settled(1)
    assert CHOIR[1] in world.present()


def test_the_page_can_be_installed_and_starts_without_a_network(
    world: KioskWorld, playwright: Playwright, tmp_path: Path
) -> None:
    with profile(playwright, tmp_path / "profile") as context:  # private windows install nothing
        kiosk = KioskPage.enrolled(context.new_page(), world)
        kiosk.can_do_without_network()
        session = context.new_cdp_session(kiosk.page)
        assert session.send("Page.getInstallabilityErrors")["installabilityErrors"] == []
        assert session.send("Page.getAppManifest")["errors"] == []
        world.gateway.kill()
        page = context.new_page()
        page.goto(f"{world.gateway.address}/")
        KioskPage(page).is_ready()


@contextmanager
def profile(playwright: Playwright, folder: Path, *arguments: str) -> Iterator[BrowserContext]:
    """A browser of its own, whose profile outlives it."""
    context = playwright.chromium.launch_persistent_context(
        folder,
        executable_path=CHROMIUM,
        args=[*ARGUMENTS, *arguments],
        viewport={"width": 1024, "height": 600},
        locale="zh-CN",
    )
    try:
        yield context
    finally:
        with suppress(Error):  # it was killed
            context.close()


def eventually_sent(kiosk: KioskPage) -> None:
    eventually(lambda: kiosk.queued() == 0, "an empty queue")
