"""The demo: a district enrolled, its evening through real Kafka and a real worker, the audit.

It is the product's own commands and no second way of doing anything (`demo_commands`); taps are
published by `producers`, the picture is `dashboards.terminal`. It is a world of its own: whom a
deployment's settings would have told, signed in or signed for hears nothing of it.
Invariant: what it started ends with it; what it wrote stays in its folder, to be looked at.
"""

import os
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rich.console import Console, RenderableType
from rich.live import Live

from dashboards.terminal import View, draw
from hours.demo_commands import beside, show_hours
from hours.demo_evidence import prove_it
from hours.demo_kiosk import let_people_tap
from hours.demo_roster import enrol
from hours.services.guard import Guarded
from hours.services.running import Services, run_services
from hours.services.unavailable import ServiceUnavailable
from hours.settings import Settings
from hours.showing import tell_audit
from ledger import queries
from ledger.queries import Filters
from ledger.store import Store, open_store
from producers.publishing import open_producer, publish_events
from producers.simulated_run import run_to_kafka
from producers.simulation import Plan, demo_day, district_for
from streams.audit import Audited, AuditSource
from streams.audit import audit as run_audit
from streams.settings import StreamSettings
from streams.topics import create_topics

_PUBLISHING_SECONDS = 6
_PATIENCE_SECONDS = 60
_LOOKS_A_SECOND = 5
_HEEDED = ("ledger_name", "timezone", "shards", "topic_prefix", "session_seconds")
_REPORT = ("report", "--by", "unit:office", "--limit", "5")

Say = Callable[[str], None]


def run_demo(settings: Settings, seed: int, say: Say, console: Console, stay: bool) -> Audited:
    """Show everything at once; what the audit found. ServiceUnavailable and the like.

    With `stay`, a kiosk is there to be tried at the end, until Ctrl-C.
    """
    home = settings.home.absolute() / "demo"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    say("启动 Kafka… Starting a real Kafka…")
    with run_services(home / "services", say=say) as services:
        own = _settings(settings, home, services)
        streams = own.streams()
        store = open_store(streams.ledger_url, streams.ledger_name, streams.policy)
        try:
            store.init()
            create_topics(streams)
            environment, plan = _environment(own), demo_day(_now(), seed)
            say("名册：导入全区的表格… The roster: importing the district's spreadsheets…")
            enrol(environment, home, plan)
            say("启动 Faust 结算进程… Starting a Faust worker…")
            with beside(environment, home / "worker.log", "worker") as worker:
                _show(streams, store, worker, plan, console)
            console.print()
            show_hours(environment, *_REPORT)
            say("审计：用日志重算每个条目… Auditing: every entry again, from the log…")
            log = (streams.kafka, streams.taps_topic)
            source = AuditSource(streams.ledger_url, streams.ledger_name, streams.policy, log)
            audited = run_audit(source, lambda done, total: None)
            tell_audit(audited)
            say("签名并出具证明… Signing, and certifying somebody…")
            console.print(prove_it(environment, home, store.engine), markup=False, soft_wrap=True)
            if stay:
                with beside(environment, home / "worker.log", "worker"):
                    _let_people_tap(environment, home, streams, store, plan, console)
            return audited
        finally:
            store.engine.dispose()


def _settings(settings: Settings, home: Path, services: Services) -> Settings:
    """The demo's own, with an SQLite ledger; of the deployment's only what it heeds."""
    heeded = {name: getattr(settings, name) for name in _HEEDED}
    return Settings(home=home, kafka=services.kafka, roster_key_file=home / "roster.key", **heeded)


def _environment(own: Settings) -> dict[str, str]:
    """For commands of our own."""
    kept = {name: it for name, it in os.environ.items() if not name.startswith("HOURS_")}
    told = own.model_dump(include={"home", "kafka", "roster_key_file", *_HEEDED})
    return {**kept, **{f"HOURS_{name.upper()}": str(it) for name, it in told.items()}}


def _let_people_tap(
    environment: dict[str, str],
    home: Path,
    streams: StreamSettings,
    store: Store,
    plan: Plan,
    console: Console,
) -> None:
    name = district_for(plan).name_of

    def look() -> RenderableType:
        view = _look(store, 0)
        settled = sum(one.head.next_offset for one in view.statuses)
        return draw(replace(view, sent=settled), name, streams.policy.timezone)

    let_people_tap(environment, home, store.engine, streams.ledger_name, look, console)


def _show(
    streams: StreamSettings, store: Store, worker: Guarded, plan: Plan, console: Console
) -> None:
    """Publish the plan and draw the ledger until all of it has settled."""
    name = district_for(plan).name_of
    publishing = _Publishing(streams, plan)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    with Live(console=console, refresh_per_second=_LOOKS_A_SECOND) as live:
        publishing.start()
        while True:
            over = publishing.over
            publishing.refuse_failure()
            view = _look(store, publishing.sent)
            live.update(draw(view, name, streams.policy.timezone))
            if over and sum(one.head.next_offset for one in view.statuses) >= publishing.sent:
                return
            if worker.ended() or time.monotonic() > deadline:
                raise ServiceUnavailable(
                    f"结算进程停了，详见 {streams.data_dir.parent / 'worker.log'}。 "
                    "The worker stopped or stalled; its log says why."
                )
            time.sleep(1 / _LOOKS_A_SECOND)


class _Publishing(threading.Thread):
    """The plan on its way to the log, evenly over a few seconds; `sent` so far."""

    def __init__(self, streams: StreamSettings, plan: Plan) -> None:
        super().__init__(daemon=True)
        self._streams, self._plan = streams, plan
        self._failure: Exception | None = None
        self.sent = 0
        self.over = False

    def run(self) -> None:
        try:
            self._publish()
        except Exception as failure:  # raised again where somebody is looking
            self._failure = failure
        self.over = True

    def refuse_failure(self) -> None:
        """Raise what kept the plan from being published."""
        if self._failure is not None:
            raise self._failure

    def _publish(self) -> None:
        rate = (self._plan.taps or 0) // _PUBLISHING_SECONDS
        with open_producer(self._streams.kafka) as producer:
            run_to_kafka(
                self._plan,
                lambda events: publish_events(events, producer, self._streams.taps_topic),
                rate=rate,
                on_published=self._note,
            )

    def _note(self, published: int) -> None:
        self.sent = published


def _look(store: Store, sent: int) -> View:
    everything = Filters()
    with queries.reading(store.engine) as connection:
        now = _now()
        return View(
            statuses=queries.status(connection),
            totals=queries.totals(connection, everything),
            present=queries.present(connection, everything, store.policy, now),
            exceptions=list(queries.exceptions(connection, everything, store.policy, now)),
            sent=sent,
        )


def _now() -> int:
    return time.time_ns() // 1_000
