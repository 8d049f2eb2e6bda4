"""The page's files without a gateway: answered by the test, as if from a secure origin."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, Route

from producers.kiosk.page_files import PageFiles

ORIGIN = "http://localhost:8017"
"""Where nothing listens: all requests are the test's to answer."""

_AXE = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],  # all that passes, told too, takes longer than to look
}

Api = Callable[[Route, str], None]


def serve_page(context: BrowserContext, api: Api | None = None) -> None:
    """Answer requests of the page's files, and hand those of /api to `api` with their path."""
    files = PageFiles().at

    def answer(route: Route) -> None:
        path = urlsplit(route.request.url).path
        if path.startswith("/api/") and api is not None:
            api(route, path)
        elif path == "/blank":
            route.fulfill(status=200, content_type="text/html", body="<!doctype html>")
        elif path in files:
            file = files[path]
            route.fulfill(status=200, content_type=file.media_type, body=file.content)
        else:
            route.abort()

    context.route(f"{ORIGIN}/**", answer)


def blank_page(context: BrowserContext) -> Page:
    """A page of the origin with nothing on it, to run modules in."""
    page = context.new_page()
    page.goto(f"{ORIGIN}/blank")
    return page


def run(page: Page, script: str, value: Any = None) -> Any:
    """What an async function body gives, with `load(name)` for modules and `value` as `given`."""
    return page.evaluate(
        "async (given) => { const load = (name) => import(`/page/${name}.js`);" + script + "}",
        value,
    )


def hindrances(page: Page) -> list[tuple[str, str]]:
    """What axe finds that would hinder somebody: its rule, and the element."""
    found = Axe().run(page, options=_AXE).response["violations"]
    return [(one["id"], one["nodes"][0]["html"][:200]) for one in found]


def kill_browser(folder: Path) -> None:
    """SIGKILL to every process of the browser with this profile; none is left."""
    victims = [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(str(folder) in word for word in process.info["cmdline"] or ())
    ]
    for process in victims:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(victims, timeout=30)
