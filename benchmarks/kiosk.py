"""A gateway under load: taps a second with an fsync, answers, polling kiosks, memory; and a peer.

Invariant: what was answered is in the gateway's file once, or the run fails.
"""

import json
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks.arena import Arena, resident_bytes
from benchmarks.figures import Figure
from benchmarks.kiosk_load import REPORT, Answered, one_tap, requests
from hours.services.embedded import free_port
from hours.services.guard import Guarded
from producers.kiosk.kiosks import Enrolled, Kiosks
from producers.kiosk.outbox_rows import OutboxRows

KIOSKS = 200
_EACH = 60
_POLLS = 5
_PACE = 1_200
"""Taps a second, evenly from all kiosks."""
_MEBIBYTE = 1 << 20
_READY_SECONDS = 30
_WHAT = "kiosk"


def measure_kiosk(arena: Arena, each: int = _EACH, kiosks: int = KIOSKS) -> list[Figure]:
    """Each of so many kiosks taps so often. Stalled, RuntimeError."""
    home = arena.home / arena.fresh("kiosk")
    with _gateway(arena, home) as (gateway, port):
        keys = _enrolled(home / "kiosk/gateway.db", kiosks)
        idle = resident_bytes(gateway.pid)
        polled = requests(port, "/api/report", keys, lambda _: _report(), _POLLS)
        roster = requests(port, "/api/roster", keys, None, 1)
        paced = requests(port, "/api/taps", keys, one_tap, each, kiosks / _PACE)
        tapped = requests(port, "/api/taps", keys, one_tap, each)
        loaded = resident_bytes(gateway.pid)
    _refuse_loss(home / "kiosk/gateway.db", len(paced.took) + len(tapped.took))
    with _peer(arena, home) as port:
        peer = requests(port, "/api/taps", keys, one_tap, each)
    return [
        *_rates(f"gateway at {_PACE} taps/s", paced),
        *_rates("gateway, an fsync for all that wait", tapped),
        *_rates("peer, an fsync each", peer),
        Figure(_WHAT, "times the peer", tapped.a_second / peer.a_second, ""),
        Figure(_WHAT, f"{kiosks} report at once, p99", polled.percentile(0.99), "ms"),
        Figure(_WHAT, f"{kiosks} fetch the roster at once, p99", roster.percentile(0.99), "ms"),
        Figure(_WHAT, "gateway, idle", idle / _MEBIBYTE, "MiB"),
        Figure(_WHAT, "gateway, after the load", loaded / _MEBIBYTE, "MiB"),
    ]


def _rates(name: str, answered: Answered) -> Iterator[Figure]:
    note = f"{len(answered.took)} taps, one a request"
    yield Figure(_WHAT, name, answered.a_second, "taps/s", note)
    yield Figure(_WHAT, f"{name}, p50", answered.percentile(0.5), "ms")
    yield Figure(_WHAT, f"{name}, p99", answered.percentile(0.99), "ms")


def _report() -> bytes:
    return json.dumps(REPORT).encode()


@contextmanager
def _gateway(arena: Arena, home: Path) -> Iterator[tuple[Guarded, int]]:
    port = free_port()
    settings = {
        "HOURS_HOME": str(home),
        "HOURS_KAFKA": arena.kafka,
        "HOURS_TOPIC_PREFIX": home.name,
    }
    command = ["hours", "kiosk", "--port", str(port)]
    program = arena.start(arena.hours, command, home.name, **settings)
    try:
        _await(port)
        yield program, port
    finally:
        program.stop()


@contextmanager
def _peer(arena: Arena, home: Path) -> Iterator[int]:
    port = free_port()
    told = {"BENCH_FILE": str(home / "peer.db"), "BENCH_PORT": str(port)}
    program = arena.start(arena.hours, ["benchmarks.kiosk_peer"], f"{home.name}-peer", **told)
    try:
        _await(port)
        yield port
    finally:
        program.stop()


def _enrolled(file: Path, count: int) -> Sequence[str]:
    now = time.time_ns() // 1_000
    keys = []
    with closing(Kiosks(file)) as kiosks:
        for number in range(count):
            name = f"kiosk-{number}"
            kiosks.create(name, "kiosk", f"station-{number}", ("choir",), "bench", now)
            enrolled = kiosks.enrol(kiosks.new_code(name, now), now)
            assert isinstance(enrolled, Enrolled)
            keys.append(enrolled.key)
    return keys


def _refuse_loss(file: Path, answered: int) -> None:
    with closing(OutboxRows(file)) as rows:
        standing = rows.standing()
    kept = standing.waiting + standing.published
    if kept != answered:
        raise RuntimeError(f"{answered} taps were accepted, {kept} are in the file")


def _await(port: int) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
