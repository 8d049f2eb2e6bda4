"""A gateway within this process: its parts on a file of their own, without Kafka; apps on ports."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from producers.kiosk.gateway import Gateway
from producers.kiosk.gateway_clock import GatewayClock
from producers.kiosk.kiosks import Kiosks
from producers.kiosk.outbox import Outbox
from producers.kiosk.outbox_rows import OutboxRows
from producers.kiosk.publisher import PublisherState
from producers.kiosk.roster_cache import RosterCache
from producers.serving import listening, server
from tests.running import eventually

LEDGER = "tongzhou.hours.example"


@contextmanager
def gateway_inside(
    file: Path, badge_keys: Sequence[Ed25519PublicKey] = (), is_connected: bool = False
) -> Iterator[Gateway]:
    """Its parts, as they are when it starts on this file."""
    with ExitStack() as stack:
        rows, roster, kiosks = OutboxRows(file), RosterCache(file), Kiosks(file)
        outbox = Outbox(file, reserve_bytes=0)
        for part in (rows, roster, kiosks, outbox):
            stack.callback(part.close)
        yield Gateway(
            ledger_name=LEDGER,
            timezone="Asia/Shanghai",
            badge_keys=badge_keys,
            outbox=outbox,
            rows=rows,
            clock=GatewayClock(),
            roster=roster,
            kiosks=kiosks,
            publisher=lambda: PublisherState(is_connected, None, 0),
        )


@contextmanager
def served(app: Any) -> Iterator[int]:
    """The port that an ASGI app is served on, as the product serves them."""
    with listening("127.0.0.1", 0, "port") as listener:
        serving = server(app)
        thread = threading.Thread(target=serving.run, args=([listener],), daemon=True)
        thread.start()
        try:
            eventually(lambda: serving.started, "a server")
            yield listener.getsockname()[1]
        finally:
            serving.should_exit = True
            thread.join(10)
