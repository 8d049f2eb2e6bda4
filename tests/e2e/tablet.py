"""A kiosk's page in a browser, and what hands and a scanner do to it."""

from collections.abc import Sequence
from pathlib import Path

import zxingcpp
from PIL import Image, ImageFilter
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.e2e.screens_world import ScreensWorld

TABLET = {"width": 1024, "height": 600}
PHONE = {"width": 360, "height": 740}

# Keys come at a scanner's speed only if nothing waits between them.
SCAN = """async ([text, end, process]) => {
  const key = (name, code) => {
    const target = document.activeElement ?? document.body;
    const said = {key: process ? 'Process' : name, code, bubbles: true, cancelable: true};
    return target.dispatchEvent(new KeyboardEvent('keydown', said));
  };
  const codeOf = (c) => /[A-Z]/i.test(c) ? 'Key' + c.toUpperCase()
    : /[0-9]/.test(c) ? 'Digit' + c : c === '-' ? 'Minus' : c === '+' ? 'Equal' : 'Space';
  for (const c of text) {
    const isHeld = !key(c, codeOf(c));
    const field = document.activeElement;
    if (!isHeld && field instanceof HTMLInputElement) {
      field.value += c;
      field.dispatchEvent(new InputEvent('input', {bubbles: true, data: c}));
    }
  }
  const isHeld = !key(end, end);
  const focused = document.activeElement;
  if (!isHeld && focused instanceof HTMLButtonElement) focused.click();
}"""


class Tablet:
    """One page. Its parts are found by their words and roles, as people find them."""

    def __init__(self, context: BrowserContext, world: ScreensWorld) -> None:
        self.context, self.world = context, world
        self.page: Page = context.new_page()
        self.faults: list[str] = []
        self._touched_at = 0.0
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on(
            "console",
            lambda said: (
                self.faults.append(said.text)
                if said.type == "error" and "Failed to load resource" not in said.text
                else None
            ),
        )

    def enrol(self) -> "Tablet":
        """Open what an operator's QR code opens, until the kiosk knows its roster."""
        self.page.goto(f"{self.world.address}/#code={self.world.code()}")
        self.sees("请刷志愿者证")
        expect(self.page.locator(".place")).to_contain_text("张芝山")
        return self

    def scan(self, text: str, end: str = "Enter", process: bool = False) -> None:
        """As a scanner types it: each key a millisecond after the one before."""
        self.page.evaluate(SCAN, [text, end, process])

    def press(self, name: str) -> None:
        self.touch(self.page.get_by_role("button", name=name).first)

    def tap(self, kind: str) -> None:
        self.touch(self.page.locator(f"button.tap.{kind}"))

    def touch(self, place: Locator) -> None:
        """No quicker than a hand: a second press at once is taken for a trembling one."""
        place.wait_for()
        self.page.wait_for_function("at => performance.now() - at > 400", arg=self._touched_at)
        place.click()
        self._touched_at = self.page.evaluate("performance.now()")

    def heading(self) -> Locator:
        return self.page.locator("main h1")

    def sees(self, *words: str) -> None:
        for word in words:
            expect(self.page.locator("body")).to_contain_text(word)

    def is_asked(self, name: str) -> None:
        """Whether it is this person's turn to press in or out."""
        expect(self.page.locator(".person h1")).to_contain_text(name)

    def offline(self, is_off: bool = True) -> None:
        self.context.set_offline(is_off)


def tablet_context(
    browser: Browser, viewport: dict[str, int] = TABLET, dark: bool = False, **more: object
) -> BrowserContext:
    """A profile of its own."""
    return browser.new_context(
        viewport=viewport,  # type: ignore[arg-type]
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
        color_scheme="dark" if dark else "light",
        **more,  # type: ignore[arg-type]
    )


def all_targets(page: Page, selector: str = "button, select, input") -> Sequence[dict[str, float]]:
    """Sizes of what can be touched."""
    return page.locator(selector).evaluate_all(
        "all => all.filter(e => e.checkVisibility()).map(e => {"
        " const b = e.getBoundingClientRect();"
        " return {name: e.textContent || e.id, width: b.width, height: b.height}; })"
    )


def camera_of(film: Path) -> tuple[str, ...]:
    """What lets Chromium take a film for what its camera sees."""
    return (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",  # without windows there is nobody to allow it
        f"--use-file-for-fake-video-capture={film}",
    )


def film_of(text: str, blur: int = 0) -> bytes:
    """One picture of a QR code as a film (YUV4MPEG2), for Chromium's invented camera."""
    code = Image.fromarray(
        zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode).to_image(scale=6)
    ).convert("L")
    picture = Image.new("L", (640, 480), 255)
    code.thumbnail((460, 460), Image.Resampling.NEAREST)
    picture.paste(code, ((640 - code.width) // 2, (480 - code.height) // 2))
    picture = picture.filter(ImageFilter.GaussianBlur(blur))
    grey = bytes([128]) * (640 * 480 // 2)
    return b"YUV4MPEG2 W640 H480 F10:1 Ip A1:1 C420jpeg\nFRAME\n" + picture.tobytes() + grey
