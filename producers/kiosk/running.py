"""A gateway from its start to its end: threads, ports, and leaving in order.

Invariant: it answers nothing it has not kept, also while it ends; and one gateway runs on a file.
"""

import asyncio
import fcntl
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from producers.kafka_access import KafkaAccess
from producers.kiosk.app import create_app
from producers.kiosk.gateway import Gateway
from producers.kiosk.gateway_clock import GatewayClock
from producers.kiosk.kiosks import Kiosks
from producers.kiosk.outbox import Outbox
from producers.kiosk.outbox_rows import OutboxRows
from producers.kiosk.publisher import Publisher
from producers.kiosk.roster_cache import RosterCache
from producers.kiosk.roster_reader import RosterReader
from producers.kiosk.time_server import TimeServer
from producers.serving import (
    LEAVING_SECONDS,
    Door,
    DoorRefusal,
    address,
    listening,
    refuse_an_open_door,
    serve,
    server,
)
from producers.watch import create_watch_app

_KEEP_REPORTS_SECONDS = 10
_SWITCH_SECONDS = 0.0005
"""How long a thread that publishes may keep those waiting who have a request: a tenth of usual."""


@dataclass(frozen=True)
class GatewaySettings:
    """What a gateway must know. `web_port` serves metrics and health; None serves neither."""

    file: Path
    door: Door
    access: KafkaAccess
    taps_topic: str
    roster_topic: str
    ledger_name: str
    timezone: str
    badge_keys: Sequence[Ed25519PublicKey] = ()
    ntp_server: str | None = None
    web_host: str = "127.0.0.1"
    web_port: int | None = None


def run_gateway(settings: GatewaySettings, say: Callable[[str], None]) -> None:
    """Serve until told to stop. DoorRefusal, OSError, `database.OtherVersion`."""
    door = settings.door
    refuse_an_open_door(door)
    sys.setswitchinterval(_SWITCH_SECONDS)
    with _alone(settings.file), ExitStack() as stack:
        gateway = stack.enter_context(_parts(settings))
        listener = stack.enter_context(listening(door.host, door.port, "--port"))
        servers = [(server(create_app(gateway), door), listener)]
        if settings.web_port is not None:
            watched = listening(settings.web_host, settings.web_port, "HOURS_WEB_PORT")
            watch = server(create_watch_app(gateway.metrics.registry, gateway.outbox.trouble))
            servers.append((watch, stack.enter_context(watched)))
        say(f"网关就绪：{address(door, listener)} Ready: the gateway serves kiosks.")
        serve(servers, [_keep_reports(gateway)])
        with suppress(sqlite3.Error):  # the disk is full: what was reported is reported again
            gateway.keep_reports(is_over=True)


async def _keep_reports(gateway: Gateway) -> None:
    while True:
        with suppress(sqlite3.Error):  # the disk is full: taps say so, and this is tried again
            await asyncio.to_thread(gateway.keep_reports)
        await asyncio.sleep(_KEEP_REPORTS_SECONDS)


@contextmanager
def _parts(settings: GatewaySettings) -> Iterator[Gateway]:
    """The gateway with all its threads running; they end in the opposite order."""
    with ExitStack() as stack:
        clock = GatewayClock()
        outbox = Outbox(settings.file)
        stack.callback(outbox.close)
        # Two of rows: who answers requests must not wait until the publisher's are on the disk.
        rows, publishing = OutboxRows(settings.file), OutboxRows(settings.file)
        roster, kiosks = RosterCache(settings.file), Kiosks(settings.file)
        for part in (rows, publishing, roster, kiosks):
            stack.callback(part.close)
        publisher = Publisher(
            settings.file, publishing, outbox.kept, settings.access, settings.taps_topic, clock
        )
        reader = RosterReader(roster, settings.access, settings.roster_topic)
        threads: list[Any] = [publisher, reader]
        if settings.ntp_server:
            threads.append(TimeServer(clock, settings.ntp_server))
        for thread in threads:
            thread.start()
        stack.callback(_stop, threads)
        yield Gateway(
            ledger_name=settings.ledger_name,
            timezone=settings.timezone,
            badge_keys=settings.badge_keys,
            outbox=outbox,
            rows=rows,
            clock=clock,
            roster=roster,
            kiosks=kiosks,
            publisher=lambda: publisher.state,
        )


def _stop(threads: Sequence[Any]) -> None:
    """Let them finish what they do, as long as that takes no longer than people wait.

    One that Kafka keeps waiting ends with the process: what it had in hand is on the disk.
    """
    for thread in threads:
        thread.stop()
    deadline = time.monotonic() + LEAVING_SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with file.with_name(f"{file.name}.gateway").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DoorRefusal(
                f"另一个网关正在使用 {file}：一个文件只能有一个网关，或另设 HOURS_HOME。 "
                f"Another gateway uses {file}: stop it, or set another HOURS_HOME."
            ) from error
        yield
