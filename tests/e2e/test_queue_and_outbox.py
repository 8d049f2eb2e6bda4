"""The page's queue and the gateway's outbox together: whatever is lost between them, each tap once.

The page is the real one's core in Chromium, the gateway the real app on a real file; what is
between them, and when either of them dies, hypothesis says.
"""

import json
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, BrowserContext, Page, Route
from pydantic_core import from_json
from starlette.testclient import TestClient

from producers.kiosk.app import create_app
from producers.kiosk.gateway import Gateway
from producers.kiosk.outbox_rows import OutboxRows
from tests.e2e.pages import ORIGIN, blank_page, run, serve_page
from tests.gateway_inside import gateway_inside

FATES = ("passes", "lost", "unanswered", "late", "portal", "broken", "doubled", "fails")
OPEN = """
const {Station} = await load('station');
globalThis.station = await Station.open();
"""
TAP = """
const who = {volunteer: given.volunteer, how: 'number', badge: null};
const tap = given.kind === 'void'
  ? await station.undo(given.of)
  : await station.tap({kind: given.kind, who, team: 'choir'});
return tap;
"""


class Between:
    """The network and the gateway's machine: each request meets the next fate."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.fates: deque[str] = deque()
        self.late: list[tuple[bytes, dict[str, str]]] = []
        self.running = ExitStack()
        self.gateway: Gateway
        self.client: TestClient
        self.start()

    def start(self) -> None:
        self.gateway = self.running.enter_context(gateway_inside(self.file, is_connected=True))
        self.client = TestClient(create_app(self.gateway), base_url=ORIGIN)

    def crash(self) -> None:
        """The machine starts again with what is on its disk."""
        self.running.close()
        self.running = ExitStack()
        self.start()

    def api(self, route: Route, path: str) -> None:
        """Answer a request of the page's, or don't."""
        is_taps = path == "/api/taps"
        fate = self.fates.popleft() if self.fates and is_taps else "passes"
        request = route.request
        headers = {name: request.headers[name] for name in _SENT if name in request.headers}
        body = request.post_data_buffer or b""
        if fate == "lost":
            route.abort()
        elif fate == "late":
            self.late.append((body, headers))
            route.abort()
        elif fate == "portal":
            route.fulfill(status=200, content_type="text/html", body="<h1>Free Wi-Fi</h1>")
        elif fate == "broken":
            route.fulfill(status=200, content_type="application/json", body='{"taps": [{"id": "x')
        elif fate == "fails":
            route.fulfill(status=503, content_type="application/json", body=_FULL)
        else:
            answer = self.client.request(request.method, path, content=body, headers=headers)
            if fate == "doubled":
                self.client.request(request.method, path, content=body, headers=headers)
            if fate == "unanswered":
                route.abort()
            else:
                type_ = answer.headers.get("content-type", "application/json")
                route.fulfill(status=answer.status_code, content_type=type_, body=answer.content)

    def deliver_late(self) -> None:
        """What was thought lost arrives after all."""
        for body, headers in self.late:
            self.client.post("/api/taps", content=body, headers=headers)
        self.late = []

    def kept(self) -> list[dict[str, Any]]:
        """The events in the outbox, in order."""
        rows = OutboxRows(self.file)
        try:
            return [from_json(row.event) for row in rows.waiting(10_000)]
        finally:
            rows.close()


_SENT = ("authorization", "content-type", "if-none-match")
_FULL = json.dumps({"reason": "disk-full", "what": "满了。 Full."})

volunteers = st.sampled_from(["V1", "V2"])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("in"), volunteers),
        st.tuples(st.just("out"), volunteers),
        st.tuples(st.just("undo"), st.just("")),
        st.tuples(st.just("fates"), st.lists(st.sampled_from(FATES), max_size=4)),
        st.tuples(st.just("reload"), st.just("")),
        st.tuples(st.just("crash"), st.just("")),
        st.tuples(st.just("deliver late"), st.just("")),
        st.tuples(st.just("another tab"), st.just("")),
    ),
    min_size=4,
    max_size=16,
)


@given(steps=steps)
@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_whatever_is_lost_doubled_or_dies_between_them_each_tap_is_kept_once_and_in_order(
    browser: Browser, tmp_path_factory: Any, steps: list[tuple[str, Any]]
) -> None:
    between = Between(tmp_path_factory.mktemp("gateway") / "gateway.db")
    context = browser.new_context()
    try:
        saved = follow(between, context, steps)
        kept = between.kept()
    finally:
        context.close()
        between.running.close()
    assert [one["id"] for one in kept] == [one["id"] for one in saved]
    assert [one["subject"] for one in kept] == [one["volunteer"] for one in saved]


def follow(
    between: Between, context: BrowserContext, steps: list[tuple[str, Any]]
) -> list[dict[str, Any]]:
    """Do the steps, then let everything arrive; the taps that the page said were saved."""
    serve_page(context, between.api)
    pages = [opened(context)]
    kiosks = between.gateway.kiosks
    kiosks.create("k", "kiosk", "station-1", (), "test", 1)
    run(pages[0], "await station.enrol(given)", kiosks.new_code("k", 1, hours=10**6))
    saved: list[dict[str, Any]] = []
    for step, what in steps:
        if step == "fates":
            between.fates.extend(what)
        elif step == "reload":
            pages[-1].reload()
            run(pages[-1], OPEN)
        elif step == "another tab":
            pages.append(opened(context))
        elif step == "crash":
            between.crash()
        elif step == "deliver late":
            between.deliver_late()
        else:
            saved.extend(made(pages[-1], step, what, saved))
    between.fates.clear()
    between.deliver_late()
    run(pages[-1], EMPTIED)
    return saved


def made(page: Page, step: str, volunteer: str, saved: list[dict[str, Any]]) -> Iterator[Any]:
    """The tap that a step is; undoing nothing is none."""
    if step != "undo":
        yield run(page, TAP, {"kind": step, "volunteer": volunteer})
    elif saved and saved[-1]["kind"] != "void":
        yield run(page, TAP, {"kind": "void", "of": saved[-1], "volunteer": ""})


def opened(context: BrowserContext) -> Page:
    page = blank_page(context)
    run(page, OPEN)
    return page


EMPTIED = """
const [{openStore}, {Queue}] = await Promise.all([load('store'), load('queue')]);
const queue = new Queue(await openStore());
for (let tries = 0; (await queue.counts()).queued > 0; tries++) {
  if (tries > 400) throw new Error('never sent');
  dispatchEvent(new Event('online'));
  new BroadcastChannel('hours-kiosk').postMessage('tap');
  await new Promise((resolve) => setTimeout(resolve, 25));
}
"""
