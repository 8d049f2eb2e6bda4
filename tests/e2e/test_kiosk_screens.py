"""What people see at the kiosk, in real Chromium before a real gateway without Kafka."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import Browser, BrowserContext, Playwright, expect

from producers.volunteer_numbers import number_of
from tests.e2e.conftest import ARGUMENTS, CHROMIUM
from tests.e2e.pages import hindrances
from tests.e2e.screens_world import (
    LI,
    SUN,
    WANG,
    ZHAO,
    ScreensWorld,
    badge_of,
    people,
    screens_world,
)
from tests.e2e.tablet import (
    PHONE,
    TABLET,
    Tablet,
    all_targets,
    camera_of,
    film_of,
    tablet_context,
)
from tests.running import eventually

IN, OUT, VOID = "hours.checked-in.v1", "hours.checked-out.v1", "hours.tap-voided.v1"
TARGET_PIXELS = 64


@pytest.fixture
def world(tmp_path: Any) -> Iterator[ScreensWorld]:
    with screens_world(tmp_path) as world:
        yield world


@pytest.fixture
def tablet(context: BrowserContext, world: ScreensWorld) -> Iterator[Tablet]:
    tablet = Tablet(context, world).enrol()
    yield tablet
    assert tablet.faults == []


def typed(volunteer: str) -> str:
    """Their number, as it is pressed."""
    return str(number_of(volunteer)).replace("-", "")


def taken(world: ScreensWorld, count: int) -> list[dict[str, Any]]:
    """The events that the gateway has on its disk, once there are so many."""
    return eventually(
        lambda: len(events := world.events()) >= count and events, f"{count} events", 20.0
    )


def test_a_code_in_the_address_enrols_and_is_gone_from_it_at_once(tablet: Tablet) -> None:
    assert tablet.page.url == tablet.world.address + "/"


def test_a_wrong_code_is_refused_with_words_and_a_right_one_typed_after_it_works(
    context: BrowserContext, world: ScreensWorld
) -> None:
    tablet = Tablet(context, world)
    tablet.page.goto(world.address)
    code = tablet.page.get_by_label("登记这台签到机")
    code.fill("0000-0000-0000")
    tablet.press("登记")
    expect(tablet.page.locator(".wrong")).not_to_be_empty()
    code.fill(world.code())
    tablet.press("登记")
    tablet.sees("请刷志愿者证")


def test_a_badge_then_in_is_a_tap_that_is_told_as_saved_and_then_as_received(
    tablet: Tablet,
) -> None:
    tablet.scan(badge_of(WANG))
    tablet.is_asked("王*")
    tablet.tap("in")
    tablet.sees("签到成功", "王*", "已收到")
    expect(tablet.page.locator(".panel time")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d$"))
    (event,) = taken(tablet.world, 1)
    assert (event["type"], event["subject"]) == (IN, WANG)
    assert event["data"] == {"team": "choir", "place": "station-03"}


def test_offline_a_tap_is_saved_here_and_becomes_received_by_itself(tablet: Tablet) -> None:
    tablet.offline()
    tablet.scan(badge_of(WANG))
    tablet.is_asked("王*")
    tablet.tap("in")
    tablet.sees("已存在本机", "离线（")
    assert tablet.world.events() == []
    tablet.offline(False)
    tablet.page.evaluate("dispatchEvent(new Event('online'))")
    taken(tablet.world, 1)
    expect(tablet.page.locator(".notice")).to_have_count(0)


def test_the_opposite_of_the_last_tap_is_suggested_and_either_can_be_pressed(
    tablet: Tablet,
) -> None:
    for suggested, pressed in (("in", "in"), ("out", "in"), ("out", "out"), ("in", "out")):
        tablet.scan(badge_of(WANG))
        tablet.is_asked("王*")
        expect(tablet.page.locator(f"button.tap.{suggested} .mark")).to_have_count(1)
        expect(tablet.page.locator(".mark")).to_have_count(1)
        tablet.tap(pressed)
        tablet.sees("签到成功" if pressed == "in" else "签退成功")
    kinds = [event["type"] for event in taken(tablet.world, 4)]
    assert kinds == [IN, IN, OUT, OUT]


def test_a_number_is_typed_on_the_screen_and_is_taken_when_it_is_whole(tablet: Tablet) -> None:
    tablet.press("输入编号")
    for character in typed(WANG):
        tablet.page.get_by_role("button", name=character, exact=True).click()
    tablet.is_asked("王*")
    tablet.tap("out")
    (event,) = taken(tablet.world, 1)
    assert (event["type"], event["subject"]) == (OUT, WANG)


def test_a_slip_in_a_number_is_refused_at_once_and_can_be_mended(tablet: Tablet) -> None:
    number = typed(WANG)
    tablet.press("输入编号")
    for character in number[:-1] + ("0" if number[-1] != "0" else "2"):
        tablet.page.get_by_role("button", name=character, exact=True).click()
    tablet.sees("编号不对")
    tablet.press("删除")
    expect(tablet.page.locator(".wrong")).to_be_empty()
    tablet.page.get_by_role("button", name=number[-1], exact=True).click()
    tablet.is_asked("王*")


def test_200_names_are_found_in_two_touches_and_names_alike_are_told_apart(tablet: Tablet) -> None:
    volunteer, called = people()[120]
    tablet.press("名单里找")
    tablet.touch(tablet.page.locator(".head", has_text=called[0]))
    shown = tablet.page.locator(".name-choice").all_inner_texts()
    assert len(set(shown)) == len(shown)
    alike = [one for one in people() if one[1][0] == called[0] and one[0] != SUN]
    assert len(shown) == len(alike)
    ending = str(number_of(volunteer))[-5:]
    tablet.touch(tablet.page.locator(".name-choice", has_text=ending))
    tablet.is_asked(called)
    tablet.tap("in")
    assert taken(tablet.world, 1)[0]["subject"] == volunteer


def test_a_surname_of_every_person_is_on_the_list_and_nobody_who_is_paused(tablet: Tablet) -> None:
    tablet.press("名单里找")
    tablet.sees("您姓什么")
    counts = tablet.page.locator(".head .count").all_inner_texts()
    assert sum(map(int, counts)) == len(people()) - 1


def test_a_team_is_asked_for_only_where_there_is_a_choice(tablet: Tablet) -> None:
    tablet.scan(badge_of(LI))
    tablet.is_asked("李**")
    tablet.tap("in")
    tablet.sees("今天为哪个队服务")
    expect(tablet.page.locator(".choice")).to_have_text(["合唱队", "读书会"])
    tablet.press("返回")
    tablet.is_asked("李**")
    tablet.tap("in")
    tablet.press("合唱队")
    tablet.sees("签到成功")
    assert taken(tablet.world, 1)[0]["data"]["team"] == "choir"


def test_somebody_of_another_station_chooses_of_this_one_s_teams_or_of_all_while_offline(
    tablet: Tablet,
) -> None:
    tablet.offline()
    tablet.scan(badge_of("VSTRANGER01"))
    tablet.is_asked("志愿者 …")
    tablet.tap("in")
    expect(tablet.page.locator(".choice")).to_have_text(["合唱队", "读书会", "其他队（2）"])
    tablet.press("其他队")
    tablet.press("义诊队")
    tablet.sees("签到成功")
    tablet.offline(False)
    tablet.page.evaluate("dispatchEvent(new Event('online'))")
    assert taken(tablet.world, 1)[0]["data"]["team"] == "clinic"


def test_today_s_activity_is_asked_for_and_none_is_an_answer(tablet: Tablet) -> None:
    for choice in ("老年读书角", "日常服务"):
        tablet.scan(badge_of(ZHAO))
        tablet.is_asked("赵*")
        tablet.tap("in")
        tablet.sees("参加哪个活动")
        tablet.press(choice)
        tablet.sees("签到成功")
        expect(tablet.page.locator(".question")).to_have_count(0)
    assert [one["data"].get("activity") for one in taken(tablet.world, 2)] == ["A1", None]


def test_an_activity_that_everybody_comes_for_is_not_asked_for(tablet: Tablet) -> None:
    tablet.press("负责人")
    tablet.page.get_by_label("大家今天都来参加").select_option("A1")
    tablet.scan(badge_of(ZHAO))
    tablet.is_asked("赵*")
    tablet.tap("in")
    tablet.sees("签到成功")
    assert taken(tablet.world, 1)[0]["data"]["activity"] == "A1"


def test_undo_takes_the_tap_back_also_when_the_next_person_has_begun(tablet: Tablet) -> None:
    tablet.scan(badge_of(WANG))
    tablet.is_asked("王*")
    tablet.tap("in")
    tablet.sees("签到成功")
    tablet.scan(badge_of(LI))
    tablet.is_asked("李**")
    tablet.press("撤销 王*")
    tablet.sees("已撤销")
    tablet.is_asked("李**")
    first, void = taken(tablet.world, 2)
    assert void["type"] == VOID
    assert void["data"]["tap_id"] == first["id"]


def test_after_ten_seconds_nothing_can_be_undone(
    context: BrowserContext, world: ScreensWorld
) -> None:
    context.clock.install()
    tablet = Tablet(context, world).enrol()
    tablet.scan(badge_of(WANG))
    tablet.is_asked("王*")
    tablet.tap("in")
    tablet.sees("还可撤销")
    tablet.page.clock.run_for(11_000)
    expect(tablet.page.get_by_role("button", name="撤销")).to_have_count(0)
    tablet.sees("请刷志愿者证")


def test_scans_wait_in_a_row_while_somebody_chooses_and_can_be_sent_away(tablet: Tablet) -> None:
    for volunteer in (WANG, LI, ZHAO, LI):
        tablet.scan(badge_of(volunteer))
    tablet.is_asked("王*")
    expect(tablet.page.locator(".waiting li")).to_have_text(["李**", "赵*"])
    tablet.press("李** 不签了")
    expect(tablet.page.locator(".waiting li")).to_have_text(["赵*"])
    tablet.tap("in")
    tablet.is_asked("赵*")
    tablet.tap("out")
    tablet.sees("签退成功")
    assert [event["subject"] for event in taken(tablet.world, 2)] == [WANG, ZHAO]


PRESS_AGAIN = """() => {
  let at = null;
  addEventListener('pointerdown', ({clientX, clientY}) => { at = {clientX, clientY}; });
  new MutationObserver(() => {
    if (document.querySelector('.panel.done') === null || at === null) return;
    const hit = document.elementFromPoint(at.clientX, at.clientY);
    hit.dispatchEvent(new MouseEvent('click', {...at, detail: 1, bubbles: true, cancelable: true}));
    globalThis.hit = hit.closest('button')?.textContent;
    at = null;
  }).observe(document.querySelector('main'), {childList: true, subtree: true});
}"""
"""A hand that presses once more where it is, as soon as the next screen is there."""


def test_a_second_press_of_a_trembling_hand_is_nobody_s_tap(tablet: Tablet) -> None:
    tablet.scan(badge_of(WANG))
    tablet.is_asked("王*")
    tablet.page.evaluate(PRESS_AGAIN)
    tablet.page.locator("button.tap.out").dblclick()
    expect(tablet.page.locator(".panel.done.out")).to_have_count(1)
    assert tablet.page.evaluate("globalThis.hit")  # there was a button under the hand
    tablet.scan(badge_of(LI))
    tablet.is_asked("李**")
    assert [event["subject"] for event in taken(tablet.world, 1)] == [WANG]


def test_30_people_at_a_scanner_each_press_once_and_each_is_one_tap(tablet: Tablet) -> None:
    volunteers = [volunteer for volunteer, _ in people()[4:34]]
    assert len(set(volunteers)) == 30
    for volunteer in volunteers:
        tablet.scan(badge_of(volunteer))
        asked = tablet.page.locator(f'.person[data-volunteer="{volunteer}"]')
        expect(asked).to_have_count(1)
        tablet.tap("in")
    events = taken(tablet.world, 30)
    assert [event["subject"] for event in events] == volunteers
    assert {event["type"] for event in events} == {IN}


def test_scans_before_the_first_press_are_as_many_taps_in_their_order(tablet: Tablet) -> None:
    volunteers = [volunteer for volunteer, _ in people()[4:10]]
    for volunteer in volunteers:
        tablet.scan(badge_of(volunteer))
    expect(tablet.page.locator(".waiting li")).to_have_count(5)
    for volunteer in volunteers:
        asked = tablet.page.locator(f'.person[data-volunteer="{volunteer}"]')
        expect(asked).to_have_count(1)
        tablet.tap("out")
    assert [event["subject"] for event in taken(tablet.world, 6)] == volunteers


@pytest.mark.parametrize("spelling", ["lower", "ime", "tab"])
def test_a_scanner_is_read_wherever_the_focus_is(tablet: Tablet, spelling: str) -> None:
    text = badge_of(WANG).lower() if spelling == "lower" else badge_of(WANG)
    tablet.press("输入编号")
    tablet.page.locator("#number").fill("V7")
    tablet.scan(text, end="Tab" if spelling == "tab" else "Enter", process=spelling == "ime")
    tablet.is_asked("王*")
    tablet.press("不是我")
    expect(tablet.page.locator("#number")).to_have_value("V7")
    assert tablet.world.events() == []


def test_the_end_of_a_scan_presses_no_button_that_has_the_focus(tablet: Tablet) -> None:
    tablet.scan(badge_of(WANG))
    tablet.is_asked("王*")
    tablet.page.locator("button.tap.in").focus()
    tablet.scan(badge_of(LI))
    tablet.sees("等候 1")
    tablet.is_asked("王*")
    assert tablet.world.events() == []


def test_what_somebody_types_slowly_stays_in_its_field(tablet: Tablet) -> None:
    tablet.press("输入编号")
    tablet.page.keyboard.type("V7K2-", delay=30)
    expect(tablet.page.locator("#number")).to_have_value("V7K2-")
    tablet.page.keyboard.press("Enter")
    tablet.sees("编号不对")
    expect(tablet.page.locator("#number")).to_have_value("V7K2-")


REFUSALS: dict[str, tuple[Callable[[], str], str]] = {
    "no badge": (lambda: "6901234567892/9", "这不是志愿者证的二维码"),
    "cut off": (lambda: badge_of(WANG)[:-5], "这不是志愿者证的二维码"),
    "altered": (lambda: badge_of(WANG).replace("-1-", "-2-"), "签名不对"),
    "another's key": (lambda: badge_of(WANG, key=Ed25519PrivateKey.generate()), "没有这张"),
    "paused": (lambda: badge_of(SUN), "已暂停或退出"),
    "replaced": (lambda: badge_of(WANG, generation=0), "已经换过新证"),
    "markup": (lambda: "<img src=x onerror=alert(1)>", "这不是志愿者证的二维码"),
}


@pytest.mark.parametrize("is_offline", [False, True], ids=["online", "offline"])
def test_a_scan_that_is_no_good_badge_is_refused_with_words(
    tablet: Tablet, is_offline: bool
) -> None:
    tablet.offline(is_offline)
    for text, words in REFUSALS.values():
        tablet.scan(text())
        expect(tablet.page.locator(".panel.refused")).to_contain_text(words)
        expect(tablet.page.locator("#alarm")).to_contain_text(words)
        tablet.press("知道了")
        expect(tablet.page.locator(".panel.refused")).to_have_count(0)


def test_a_refusal_while_somebody_chooses_takes_nothing_from_them(tablet: Tablet) -> None:
    tablet.scan(badge_of(WANG))
    tablet.is_asked("王*")
    tablet.scan("not-a-badge-at-all")
    expect(tablet.page.locator("#bars .notice")).to_contain_text("这不是志愿者证")
    tablet.is_asked("王*")
    tablet.press("关闭")
    expect(tablet.page.locator("#bars .notice")).to_have_count(0)


def test_a_tap_that_the_gateway_refuses_is_told_and_stays_until_it_is_dealt_with(
    tablet: Tablet,
) -> None:
    tablet.offline()
    tablet.scan(badge_of(WANG))
    tablet.is_asked("王*")
    tablet.page.evaluate("Date.now = (real => () => real() + 3600_000)(Date.now)")
    tablet.tap("in")
    tablet.sees("签到成功")
    body = {
        "time": "2026-01-01T00:00:00Z",
        "taps": [],
    }

    def refuse(route: Any) -> None:
        sent = route.request.post_data_json["taps"]
        answer = {
            "state": "refused",
            "reason": "unknown-team",
            "what": "没有这个队。 No such team.",
        }
        route.fulfill(json={**body, "taps": [{"id": one["id"], **answer} for one in sent]})

    tablet.page.route("**/api/taps", refuse)
    tablet.offline(False)
    tablet.page.evaluate("dispatchEvent(new Event('online'))")
    expect(tablet.page.locator("#bars .notice")).to_contain_text("没有这个队")
    tablet.press("负责人")
    tablet.sees("没有被接受的签到（1）", "没有这个队")
    tablet.press("已处理")
    tablet.sees("没有被接受的签到（0）")


def test_a_person_who_has_walked_off_is_asked_and_then_goes_and_nothing_is_noted(
    context: BrowserContext, world: ScreensWorld
) -> None:
    context.clock.install()
    tablet = Tablet(context, world).enrol()
    tablet.scan(badge_of(WANG))
    tablet.is_asked("王*")
    tablet.scan(badge_of(LI))
    tablet.sees("等候 1")
    tablet.page.clock.run_for(31_000)
    tablet.sees("您还在吗")
    tablet.page.clock.run_for(20_000)
    tablet.is_asked("李**")
    tablet.sees("王* 没有按签到或签退")
    assert world.events() == []


def test_a_touch_is_enough_to_go_on(context: BrowserContext, world: ScreensWorld) -> None:
    context.clock.install()
    tablet = Tablet(context, world).enrol()
    tablet.scan(badge_of(WANG))
    tablet.is_asked("王*")
    tablet.page.clock.run_for(40_000)
    tablet.sees("您还在吗")
    tablet.page.locator("main h1").click()
    tablet.page.clock.run_for(15_000)
    expect(tablet.page.locator(".last-call")).to_be_hidden()
    tablet.is_asked("王*")


def test_english_is_a_switch_that_is_remembered_and_names_stay_chinese(tablet: Tablet) -> None:
    tablet.press("English")
    tablet.sees("Show your badge", "Find your name")
    expect(tablet.page.locator("html")).to_have_attribute("lang", "en")
    tablet.page.reload()
    expect(tablet.page.locator("html")).to_have_attribute("lang", "en")
    tablet.scan(badge_of(WANG))
    tablet.is_asked("王*")
    expect(tablet.page.locator(".person .name")).to_have_attribute("lang", "zh-CN")
    tablet.tap("in")
    tablet.sees("You are in")


def test_everything_is_done_with_the_keyboard_alone(tablet: Tablet) -> None:
    keyboard = tablet.page.keyboard

    def reach(selector: str) -> None:
        for _ in range(60):
            if tablet.page.evaluate("s => document.activeElement.matches(s)", selector):
                return
            keyboard.press("Tab")
        raise AssertionError(f"the keyboard never reached {selector}")

    reach(".way:nth-of-type(2)")
    keyboard.press("Enter")
    expect(tablet.page.locator("#number")).to_be_focused()
    keyboard.type(typed(WANG))
    keyboard.press("Enter")
    tablet.is_asked("王*")
    expect(tablet.page.locator(".person h1")).to_be_focused()
    reach("button.tap.in")
    keyboard.press("Enter")
    tablet.sees("签到成功")
    reach("button.undo")
    keyboard.press("Space")
    tablet.sees("已撤销")
    assert [event["type"] for event in taken(tablet.world, 2)] == [IN, VOID]


def test_settings_are_switches_and_are_remembered(tablet: Tablet) -> None:
    tablet.press("负责人")
    for name in ("声音", "大字"):
        switch = tablet.page.get_by_role("switch", name=name)
        before = switch.get_attribute("aria-checked")
        tablet.touch(switch)
        expect(switch).not_to_have_attribute("aria-checked", before or "")
    tablet.page.reload()
    expect(tablet.page.locator("html")).to_have_class("large")


def test_names_from_outside_are_text_and_never_markup(
    context: BrowserContext, world: ScreensWorld
) -> None:
    evil = "<img src=x onerror=window.evil=1>"
    tablet = Tablet(context, world)
    roster = re.compile("/api/roster")

    def poisoned(route: Any) -> None:
        told = route.fetch().json()
        for one in told["people"]:
            one["called"] = evil
        for one in told["teams"]:
            one["name"] = {"zh": evil, "en": evil}
        told["kiosk"]["place_name"] = {"zh": "张芝山" + evil, "en": evil}
        route.fulfill(json=told)

    context.route(roster, poisoned)
    tablet.enrol()
    tablet.scan(badge_of(LI))
    tablet.is_asked(evil)
    tablet.tap("in")
    tablet.sees("今天为哪个队服务", evil)
    assert tablet.page.locator("img").count() == 0
    assert tablet.page.evaluate("window.evil") is None


def test_a_camera_that_the_browser_does_not_allow_is_told_in_words_with_other_ways(
    tablet: Tablet,
) -> None:
    tablet.press("用摄像头扫")
    expect(tablet.page.locator(".panel.refused")).to_contain_text("摄像头")
    tablet.press("名单里找")
    tablet.sees("您姓什么")


def test_a_badge_held_to_the_camera_is_read_once_and_the_light_goes_out(
    playwright: Playwright, world: ScreensWorld, tmp_path: Path
) -> None:
    film = tmp_path / "badge.y4m"
    film.write_bytes(film_of(badge_of(WANG)))
    browser = playwright.chromium.launch(
        executable_path=CHROMIUM, args=[*ARGUMENTS, *camera_of(film)]
    )
    context = tablet_context(browser)
    context.grant_permissions(["camera"], origin=world.address)
    context.add_init_script(KEEP_TRACKS)
    tablet = Tablet(context, world).enrol()
    tablet.press("用摄像头扫")
    tablet.is_asked("王*")
    expect(tablet.page.locator("video")).to_have_count(0)
    assert tablet.page.evaluate(LIVE_TRACKS) == 0
    tablet.tap("in")
    tablet.sees("签到成功")
    assert [event["subject"] for event in taken(world, 1)] == [WANG]
    browser.close()
    assert tablet.faults == []


def test_the_camera_shows_what_it_sees_until_it_is_switched_off(
    playwright: Playwright, world: ScreensWorld, tmp_path: Path
) -> None:
    film = tmp_path / "blurred.y4m"
    film.write_bytes(film_of(badge_of(WANG), blur=9))
    browser = playwright.chromium.launch(
        executable_path=CHROMIUM, args=[*ARGUMENTS, *camera_of(film)]
    )
    context = tablet_context(browser)
    context.grant_permissions(["camera"], origin=world.address)
    context.add_init_script(KEEP_TRACKS)
    tablet = Tablet(context, world).enrol()
    tablet.press("用摄像头扫")
    tablet.page.wait_for_function("() => document.querySelector('video')?.videoWidth > 0")
    tablet.page.wait_for_function("() => !document.querySelector('video').paused")
    tablet.press("关摄像头")
    expect(tablet.page.locator("video")).to_have_count(0)
    assert tablet.page.evaluate(LIVE_TRACKS) == 0
    browser.close()


KEEP_TRACKS = """globalThis.tracks = [];
const media = navigator.mediaDevices, ask = media.getUserMedia.bind(media);
media.getUserMedia = async (wanted) => {
  const stream = await ask(wanted);
  globalThis.tracks.push(...stream.getTracks());
  return stream;
};"""
LIVE_TRACKS = """() => globalThis.tracks.filter(one => one.readyState === 'live').length"""


@pytest.fixture(scope="module")
def shared(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScreensWorld]:
    with screens_world(tmp_path_factory.mktemp("shared")) as world:
        yield world


def walk(tablet: Tablet) -> Iterator[str]:
    """Every screen, one after the other, with the name of each."""
    yield "home"
    tablet.scan(badge_of(LI))
    tablet.is_asked("李**")
    tablet.scan(badge_of(WANG))
    expect(tablet.page.locator(".waiting li")).to_have_count(1)
    yield "person"
    tablet.tap("in")
    expect(tablet.page.locator(".question")).to_have_count(1)
    yield "team"
    tablet.touch(tablet.page.locator(".choice").nth(1))
    yield "activity"
    tablet.touch(tablet.page.locator(".choice").nth(1))
    tablet.is_asked("王*")
    yield "next"
    tablet.tap("out")
    expect(tablet.page.locator(".panel.done")).to_have_count(1)
    yield "done"
    tablet.touch(tablet.page.locator("button.undo"))
    expect(tablet.page.locator(".panel.undone")).to_have_count(1)
    yield "undone"
    tablet.scan("not-a-badge-at-all")
    expect(tablet.page.locator(".panel.refused")).to_have_count(1)
    yield "refused"
    tablet.touch(tablet.page.locator(".way").nth(1))
    tablet.page.locator("#number").fill("V7K2M9QXTA1Q")
    tablet.page.keyboard.press("Enter")
    expect(tablet.page.locator(".wrong")).not_to_be_empty()
    yield "number"
    tablet.touch(tablet.page.locator("main .quiet"))
    tablet.touch(tablet.page.locator(".way").nth(2))
    expect(tablet.page.locator(".heads")).to_have_count(1)
    yield "list"
    tablet.touch(tablet.page.locator(".head").nth(3))
    yield "names"
    tablet.touch(tablet.page.locator(".corner button").nth(1))
    expect(tablet.page.locator(".refusals h2")).to_have_count(1)
    yield "in charge"
    tablet.touch(tablet.page.locator("main .quiet").last)
    expect(tablet.page.locator("#code")).to_have_count(1)
    yield "enrolment"


@pytest.mark.parametrize(
    ("viewport", "theme", "language"),
    [
        (TABLET, "light", "zh"),
        (TABLET, "dark", "en"),
        (PHONE, "dark", "zh"),
        (PHONE, "light", "en"),
    ],
    ids=["tablet-light-zh", "tablet-dark-en", "phone-dark-zh", "phone-light-en"],
)
def test_on_every_screen_axe_finds_nothing_nothing_overflows_and_targets_are_large(
    browser: Browser, shared: ScreensWorld, viewport: dict[str, int], theme: str, language: str
) -> None:
    context = tablet_context(browser, viewport, theme == "dark", reduced_motion="reduce")
    tablet = Tablet(context, shared).enrol()
    if language == "en":
        tablet.press("English")
    for screen in walk(tablet):
        assert (screen, hindrances(tablet.page)) == (screen, [])
        width = tablet.page.evaluate("document.documentElement.scrollWidth")
        assert width <= viewport["width"], f"{screen} overflows: {width}"
        small = [
            one
            for one in all_targets(tablet.page)
            if min(one["width"], one["height"]) < TARGET_PIXELS - 0.5
        ]
        assert small == [], screen
    context.close()
    assert tablet.faults == []


def test_in_large_type_at_320_pixels_nothing_is_lost(
    browser: Browser, shared: ScreensWorld
) -> None:
    context = tablet_context(browser, {"width": 320, "height": 256}, reduced_motion="reduce")
    tablet = Tablet(context, shared).enrol()
    tablet.page.evaluate("document.documentElement.classList.add('large')")
    for screen in walk(tablet):
        width = tablet.page.evaluate("document.documentElement.scrollWidth")
        assert width <= 320, f"{screen} overflows: {width}"
    context.close()
