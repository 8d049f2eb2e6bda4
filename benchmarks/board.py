"""A board under load: pages that follow it while people tap, from the tap to every screen.

The delay is from the broker's stamp of a tap to the moment a page has figures that hold it, for
each tap on each page. Invariant: every page comes to the end of the log, or the run fails.
"""

import json
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from statistics import quantiles
from typing import Any

from benchmarks.arena import ROOT, SHARDS, Arena, cpu_seconds, resident_bytes
from benchmarks.figures import Figure
from benchmarks.latency import Taps
from benchmarks.load import Log, district_events
from benchmarks.ours import Product, open_product
from benchmarks.watching import Stalled
from hours.services.guard import Guarded
from ledger.accounts import store as accounts
from ledger.accounts.values import NewAccount
from producers.kafka_access import KafkaAccess
from streams.log import open_log

PAGES = 500
RATE = 1_000
_SECONDS = 30
_SETTLING_SECONDS = 6
_ACCOUNTS = 50
_PEOPLE = 3_000
_PASSWORD = "of the bench alone"  # noqa: S105 - accounts of a ledger that ends with the run
_WHAT = "board"
_MEBIBYTE = 1 << 20


def measure_board(arena: Arena, seed: int, pages: int = PAGES, rate: int = RATE) -> list[Figure]:
    """So many pages open, so many taps a second. Stalled."""
    log = Log(arena.fresh("board"), 0)
    with open_product(arena, log.prefix, log) as product:
        home = arena.home / product.name
        product.make_keys()
        district = home / "district.xlsx"
        product.run("import", "--district", str(district), "--people", str(_PEOPLE))
        product.run("import", str(district), "--apply")
        names = _accounts(product)
        product.start_worker()
        with _board(product) as (board, port):
            cookies = _cookies(port, names)
            idle = resident_bytes(board.pid)
            return _measured(product, board, port, cookies, pages, rate, seed, idle)


def _measured(
    product: Product,
    board: Guarded,
    port: int,
    cookies: Sequence[str],
    pages: int,
    rate: int,
    seed: int,
    idle: int,
) -> list[Figure]:
    each = [cookies[number % len(cookies)] for number in range(pages)]
    events = list(district_events(rate * _SECONDS, seed))
    watching = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "benchmarks.board_pages", str(port), str(_SECONDS + 12)],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert watching.stdin is not None
    watching.stdin.write("\n".join(each))
    watching.stdin.close()
    time.sleep(_SETTLING_SECONDS)
    busy = cpu_seconds(board.pid)
    taps = Taps(product, events, rate)
    taps.start()
    taps.join(_SECONDS + 60)
    busy = (cpu_seconds(board.pid) - busy) / _SECONDS
    assert watching.stdout is not None
    found: dict[str, Any] = json.loads(watching.stdout.read())
    watching.wait()
    delays = sorted(_delays(product, found["seen"]))
    hundredths = quantiles(delays, n=100, method="inclusive")
    note = f"{pages} pages, {rate} taps/s, {len(events)} taps, {len(delays)} sights"
    return [
        Figure(_WHAT, "tap to screen, p50", hundredths[49], "ms", note),
        Figure(_WHAT, "tap to screen, p99", hundredths[98], "ms", note),
        Figure(_WHAT, "tap to screen, longest", delays[-1], "ms", note),
        Figure(_WHAT, "pages that broke off", found["breaks"], ""),
        Figure(_WHAT, "sent to a page", found["bytes"] / pages / 1_024, "KiB", "in 42 s"),
        Figure(_WHAT, "board, of one core", busy * 100, "%"),
        Figure(_WHAT, "board, idle", idle / _MEBIBYTE, "MiB"),
        Figure(_WHAT, "board, after the load", resident_bytes(board.pid) / _MEBIBYTE, "MiB"),
    ]


def _delays(product: Product, seen: Sequence[Any]) -> Iterator[float]:
    """Milliseconds for every twentieth page and every tap of it. Stalled where one saw no end."""
    stamps: dict[int, list[tuple[int, int]]] = {}
    with open_log(KafkaAccess(product.arena.kafka), product.log.topic, SHARDS) as log:
        for shard, (_, end) in product.places().items():
            read = chain.from_iterable(log.read(shard, end, 0))
            stamps[shard] = [(record.offset, record.timestamp) for record in read]
    for looks in seen[::20]:
        for shard, records in stamps.items():
            look = 0
            for offset, stamp in records:
                while look < len(looks) and looks[look][1][str(shard)] <= offset:
                    look += 1
                if look == len(looks):
                    raise Stalled(f"a page never saw offset {offset} of shard {shard}")
                yield looks[look][0] * 1_000 - stamp


def _accounts(product: Product) -> list[str]:
    """Leaders of many teams, officers of offices, and the centre: many different pages."""
    at = time.time_ns() // 1_000
    made = [NewAccount(name="centre", role="centre")]
    made += [
        NewAccount(name=f"officer-{n}", role="officer", units=(f"office-{n:02}",))
        for n in range(1, 15)
    ]
    made += [
        NewAccount(name=f"leader-{n}", role="leader", teams=(f"detachment-{n:02}",))
        for n in range(1, 15)
    ]
    for one in made[:_ACCOUNTS]:
        accounts.add(product.engine, one, "bench", at, _PASSWORD)
    return [one.name for one in made[:_ACCOUNTS]]


def _cookies(port: int, names: Sequence[str]) -> list[str]:
    found = []
    for name in names:
        asked = urllib.request.Request(
            f"http://127.0.0.1:{port}/sign-in",
            urllib.parse.urlencode({"name": name, "password": _PASSWORD}).encode(),
            {"origin": f"http://127.0.0.1:{port}"},
        )
        opener = urllib.request.build_opener(_NoRedirect)
        with opener.open(asked) as answer:
            found.append(answer.headers["set-cookie"].partition(";")[0])
    return found


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def http_error_303(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any) -> Any:
        return fp


@contextmanager
def _board(product: Product) -> Iterator[tuple[Guarded, int]]:
    port = 18_000 + time.time_ns() // 1_000 % 10_000
    name = f"{product.name}-board"
    program = product.arena.start(
        product.arena.hours, ["hours", "board", "--port", str(port)], name, **product.environment
    )
    log = Path(product.arena.home / f"{name}.log")
    deadline = time.monotonic() + 60
    try:
        while "Ready" not in log.read_text():
            if program.ended() or time.monotonic() > deadline:
                raise Stalled(f"the board did not start: {log.read_text()[-300:]}")
            time.sleep(0.05)
        yield program, port
    finally:
        program.stop()
