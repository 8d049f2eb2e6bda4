"""The board in real Chromium: each role's ways, both languages, by keyboard, while it moves."""

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from ledger.accounts import volunteers
from producers.times import rfc_3339_of
from tests.board_world import HOUR, LI, NEAR, PASSWORD, WANG, ZHAO, LiveWorld, live_world, now
from tests.e2e.pages import hindrances
from tests.running import lines

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 800}
DRESSES = {
    "phone-light-zh": (PHONE, "light", "zh"),
    "desk-dark-en": (DESK, "dark", "en"),
}
BEYOND = """[...document.querySelectorAll('.stack td')]
  .filter((cell) => cell.getBoundingClientRect().right > window.innerWidth).length"""
PLACES = {
    "centre": [
        *("/", f"/explore?{NEAR}", f"/explore/entries?{NEAR}", "/explore/entry/0/0"),
        *("/exceptions", f"/exceptions/fix?volunteer={WANG}&source=/kiosks/station-1&id=w1"),
        *("/corrections", "/corrections/1", "/roster", "/roster/people"),
        *(f"/roster/people/{WANG}", "/roster/posts", f"/roster/activities?{NEAR}"),
        *("/roster/activities/concert", "/roster/import", "/assessments"),
        *("/assessments/draft?period=year", "/assessments/scheme", "/kiosks", "/me"),
    ],
    "operator": ["/accounts"],
    "leader": ["/", "/roster/activities/new", "/roster/enrol"],
    None: ["/public", "/public/embed", "/sign-in", "/mine/sign-in", "/nothing"],
    "volunteer": ["/mine"],
}


@pytest.fixture(scope="module")
def world(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveWorld]:
    home = tmp_path_factory.mktemp("board")
    with live_world(home, kafka, f"sqlite:///{home / 'ledger.db'}") as made:
        at = now()
        tap(made, "in", WANG, at - 30 * HOUR, "w1")
        tap(made, "in", LI, at - 31 * HOUR, "l1")
        tap(made, "out", LI, at - 29 * HOUR, "l2")
        tap(made, "in", ZHAO, at - HOUR, "z1", "clinic", "station-2")
        leader = made.board.client("leader")
        given = {"kind": "adjustment", "volunteer": LI, "team": "choir", "seconds": 600}
        given |= {"day": time.strftime("%Y-%m-%d"), "reason": "户外服务"}
        assert leader.post("/api/v1/corrections", json=given).status_code == 201
        yield made


def tap(
    world: LiveWorld,
    kind: str,
    volunteer: str,
    at: int,
    id: str,
    team: str = "choir",
    place: str = "station-1",
) -> None:
    event = {
        "specversion": "1.0",
        "type": f"hours.checked-{kind}.v1",
        "source": f"/kiosks/{place}",
        "id": id,
        "subject": volunteer,
        "time": rfc_3339_of(at),
        "data": {"team": team, "place": place} if kind == "in" else {},
    }
    before = world.hours.settled()
    world.hours.ok("publish", "-", input=lines([event]))
    world.hours.wait_until_settled(before + 1)


def opened(browser: Browser, world: LiveWorld, dress: str, who: str | None) -> BrowserContext:
    """A browser in a dress, signed in as somebody."""
    viewport, scheme, language = DRESSES[dress]
    context = browser.new_context(viewport=viewport, color_scheme=scheme, locale="zh-CN")
    page = context.new_page()
    if who == "volunteer":
        code = volunteers.make_code(world.district.engine, WANG, "test", now())
        page.goto(f"{world.board.address}/mine/sign-in")
        page.fill("input[name=code]", code)
        page.press("input[name=code]", "Enter")
        page.wait_for_url("**/mine")
    elif who is not None:
        sign_in(page, world, who)
    if language == "en":
        page.goto(f"{world.board.address}/public")
        page.click("button[name=lang]")
        page.wait_for_load_state()
    page.close()
    return context


def sign_in(page: Page, world: LiveWorld, who: str) -> None:
    page.goto(f"{world.board.address}/sign-in")
    page.fill("input[name=name]", who)
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(f"{world.board.address}/")


@pytest.mark.parametrize("dress", DRESSES)
@pytest.mark.parametrize("who", PLACES)
def test_axe_finds_nothing_and_nothing_runs_over_the_edge(
    who: str | None, dress: str, browser: Browser, world: LiveWorld
) -> None:
    context = opened(browser, world, dress, who)
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    for path in PLACES[who]:
        page.goto(world.board.address + path)
        assert (path, hindrances(page)) == (path, [])
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, path
        if dress.startswith("phone"):  # a list is read without moving it sideways
            assert page.evaluate(BEYOND) == 0, path
    assert [one for one in faults if "404" not in one] == []
    context.close()


def test_a_page_moves_by_itself_as_people_tap(browser: Browser, world: LiveWorld) -> None:
    context = opened(browser, world, "phone-light-zh", "leader")
    page = context.new_page()
    page.goto(world.board.address)
    expect(page.locator("#fresh")).to_have_attribute("data-mood", "live")
    here = page.locator("[data-figure=here]")
    before = int(here.inner_text())
    tap(world, "in", LI, now() - 600_000_000, "l3")
    expect(here).to_have_text(str(before + 1))
    expect(page.locator("#live")).to_contain_text("李*")
    tap(world, "out", LI, now(), "l4")
    expect(here).to_have_text(str(before))
    expect(page.locator(".news")).to_contain_text("0:10")
    context.close()


def test_a_page_says_when_it_is_cut_off_and_recovers_by_itself(
    browser: Browser, world: LiveWorld
) -> None:
    context = opened(browser, world, "desk-dark-en", "centre")
    page = context.new_page()
    page.goto(world.board.address)
    fresh = page.locator("#fresh")
    expect(fresh).to_have_text("Live")
    world.board.kill()
    expect(fresh).to_contain_text("Cut off from the board")
    expect(fresh).to_have_attribute("data-mood", "old")
    world.board.start()
    tap(world, "in", LI, now() - 120_000_000, "l5")
    expect(fresh).to_have_text("Live")
    expect(page.locator("#live")).to_contain_text("李*")
    tap(world, "out", LI, now(), "l6")
    context.close()


def test_a_leader_puts_right_a_forgotten_check_out_in_three_touches_and_another_approves(
    browser: Browser, world: LiveWorld
) -> None:
    tap(world, "in", WANG, now() - 50 * HOUR, "w0")
    context = opened(browser, world, "phone-light-zh", "leader")
    page = context.new_page()
    page.goto(f"{world.board.address}/exceptions")
    page.locator("tr", has_text="没有签退").first.get_by_role("link", name="没有签退").click()
    page.get_by_role("button", name="看看会怎样").first.click()
    expect(page.locator("[data-figure=change]")).to_contain_text("1:00")
    page.get_by_role("button", name="提出，请人批准").click()
    expect(page.locator("[data-state]")).to_have_attribute("data-state", "proposed")
    expect(page.get_by_role("button", name="批准", exact=True)).to_have_count(0)
    address = page.url

    other = opened(browser, world, "desk-dark-en", "officer")
    approving = other.new_page()
    approving.goto(address)
    approving.get_by_role("button", name="Approve").click()
    expect(approving.locator("[data-state]")).to_have_attribute("data-state", "settled")
    page.goto(address)
    expect(page.locator("[data-state]")).to_have_text("已入账")
    context.close()
    other.close()


def test_everything_on_the_way_is_done_by_keyboard_alone(
    browser: Browser, world: LiveWorld
) -> None:
    context = browser.new_context(viewport=DESK, locale="zh-CN")
    page = context.new_page()
    page.goto(f"{world.board.address}/sign-in")
    _tab_to(page, "name")
    page.keyboard.type("centre")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{world.board.address}/")
    page.keyboard.press("Tab")
    assert "跳到正文" in page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    _tab_to(page, None, "条异常等您处理")
    page.keyboard.press("Enter")
    page.wait_for_url("**/exceptions")
    _tab_to(page, None, "没有签退")
    page.keyboard.press("Enter")
    page.wait_for_url("**/exceptions/fix**")
    _tab_to(page, "when")
    page.keyboard.press("ArrowDown")
    _tab_to(page, None, "看看会怎样")
    page.keyboard.press("Enter")
    expect(page.locator("[data-figure=change]")).to_be_visible()
    outline = page.evaluate("getComputedStyle(document.body).getPropertyValue('--focus')")
    assert outline
    context.close()


def _tab_to(page: Page, name: str | None, said: str = "") -> None:
    """Press Tab until something of that name, or that says that, has the focus."""
    for _ in range(120):
        page.keyboard.press("Tab")
        at: dict[str, Any] = page.evaluate(
            "() => ({name: document.activeElement.name || '',"
            " said: document.activeElement.matches('a, button')"
            " ? document.activeElement.textContent : ''})"
        )
        if (name is not None and at["name"] == name) or (said and said in at["said"]):
            visible = page.evaluate("document.activeElement.getClientRects().length > 0")
            assert visible
            return
    raise AssertionError(f"Tab never came to {name or said}")


def test_pages_work_without_script(browser: Browser, world: LiveWorld) -> None:
    context = browser.new_context(viewport=PHONE, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, world, "officer")
    assert re.search(r"\d+:\d\d", page.locator("[data-figure=year]").inner_text())
    expect(page.locator("#fresh")).to_contain_text("读取于")
    page.click("nav >> text=查看")
    expect(page.locator("h1")).to_contain_text("–")
    context.close()


def test_a_volunteer_signs_up_and_thinks_better_of_it(browser: Browser, world: LiveWorld) -> None:
    context = opened(browser, world, "phone-light-zh", "volunteer")
    page = context.new_page()
    page.goto(f"{world.board.address}/mine")
    page.get_by_role("button", name="报名").first.click()
    expect(page.get_by_role("status")).to_contain_text("已报名")
    page.get_by_role("button", name="取消报名").first.click()
    expect(page.get_by_role("status")).to_contain_text("已取消报名")
    context.close()


def test_the_front_page_is_light_on_a_slow_line(browser: Browser, world: LiveWorld) -> None:
    context = opened(browser, world, "phone-light-zh", "centre")
    page = context.new_page()
    done: list[Any] = []

    def note(request: Any) -> None:  # the stream's is never finished
        done.append(request)

    page.on("requestfinished", note)
    page.goto(world.board.address)
    expect(page.locator("#fresh")).to_have_attribute("data-mood", "live")
    loaded = [one for one in done if not one.url.endswith("/live")]
    assert any(one.url.rstrip("/") == world.board.address for one in loaded)
    sizes = [one.sizes() for one in loaded]
    assert sum(one["responseBodySize"] + one["responseHeadersSize"] for one in sizes) < 60_000
    context.close()
