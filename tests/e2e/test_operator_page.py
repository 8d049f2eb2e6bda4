"""The operator's page: how the gateway and its kiosks are, in real Chromium."""

import json
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.pages import hindrances
from tests.gateways import report
from tests.kiosk_world import PLACE, KioskWorld


@pytest.fixture
def page(world: KioskWorld, context: BrowserContext) -> Page:
    page = context.new_page()
    made = json.loads(world.hours.ok("kiosks", "operator", "--json"))
    page.goto(made["address"].replace("http://127.0.0.1:8080", world.gateway.address))
    expect(page.get_by_role("heading", name="网关")).to_be_visible()
    return page


def test_kiosks_with_trouble_come_first_and_each_trouble_is_named(
    world: KioskWorld, page: Page
) -> None:
    well = world.gateway.enrol(PLACE, "--code", "a-well")
    queued = world.gateway.enrol(PLACE, "--code", "z-queued")
    revoked = world.gateway.enrol(PLACE, "--code", "m-revoked")
    version = world.gateway.hours.rows("kiosks")[0]["gateway"]["version"]
    well.post("/api/report", report(version=version, persisted=True, offset_ms=5))
    said = {"queued": 3, "oldest": "2026-01-01T00:00:00Z", "persisted": False, "version": "old"}
    queued.post("/api/report", {**said, "offset_ms": 900_000, "refused": 1})
    world.hours.ok("kiosks", "revoke", revoked.kiosk, "--why", "丢失")
    row = page.get_by_role("row", name="z-queued")
    for words in ("积压", "时钟不准", "有被拒的签到", "浏览器可能清除存储", "版本旧"):
        expect(row).to_contain_text(words)
    expect(page.get_by_role("row", name="m-revoked")).to_contain_text("已停用")
    order = [code for code in codes(page) if code in ("a-well", "z-queued", "m-revoked")]
    assert order == ["m-revoked", "z-queued", "a-well"]
    page.get_by_role("button", name="English").click()
    expect(row).to_contain_text("Clock off")


def test_it_says_how_old_it_is_once_the_gateway_is_away(world: KioskWorld, page: Page) -> None:
    world.gateway.kill()
    expect(page.get_by_role("status")).to_contain_text("网关没有回答")


def test_a_kiosks_key_or_a_wrong_code_opens_nothing(
    world: KioskWorld, context: BrowserContext
) -> None:
    page = context.new_page()
    page.goto(f"{world.gateway.address}/operator")
    page.get_by_role("textbox").fill("ABCD-EFGH-JKMN")
    page.get_by_role("button", name="进入").click()
    expect(page.get_by_role("alert")).to_contain_text("注册码不对")
    page.get_by_role("textbox").fill(
        json.loads(world.hours.ok("kiosks", "add", PLACE, "--json"))["code"]
    )
    page.get_by_role("button", name="进入").click()
    expect(page.get_by_role("alert")).to_contain_text("不能做这件事")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_and_nothing_overflows(
    world: KioskWorld, page: Page, scheme: Any, width: int
) -> None:
    world.gateway.enrol(PLACE)
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 700})
    expect(page.get_by_role("table")).to_be_visible()
    assert hindrances(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def codes(page: Page) -> list[str]:
    return [cell.inner_text() for cell in page.locator("tbody td:first-child").all()]
