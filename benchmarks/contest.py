"""The contest: the same events settled and written by our worker, by plain Faust and by Quix.

The peers' programs are in `plain_faust` and `quix`; here they are started and watched alike.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine, create_engine, func, select

from benchmarks import peer_tables
from benchmarks.arena import Arena, database_cpu_seconds
from benchmarks.figures import Contested, Figure
from benchmarks.load import Log
from benchmarks.ours import Standard, difference, totals_of
from benchmarks.watching import Stalled, watch

_LOOK_SECONDS = 0.1
_RAW_SECONDS = 600


def contend(arena: Arena, name: str, program_name: str, log: Log, standard: Standard) -> Contested:
    """Run a peer's program, a module of this package, over a whole log. Stalled."""
    own_name = arena.fresh(program_name)
    url = arena.database(own_name)
    peer_tables.create(url)
    engine = create_engine(url)
    own = arena.home / own_name
    own.mkdir()
    before = database_cpu_seconds(engine)
    started = time.time()
    program = arena.start(
        arena.peers, [f"benchmarks.{program_name}"], own_name,
        BENCH_KAFKA=arena.kafka, BENCH_TOPIC=log.topic,
        BENCH_DATABASE=url, BENCH_FOLDER=str(own),
    )  # fmt: skip
    try:
        seen = watch(
            program, _begun(own / "began"), _entries(engine), standard.entries, _LOOK_SECONDS
        )
        database = database_cpu_seconds(engine) - before
    except Stalled as stalled:
        raise Stalled(f"{name}: {stalled}, see {own}.log") from stalled
    finally:
        program.stop()  # in order, so that it writes what it still holds
    unlike = difference(standard.totals, totals_of(engine))
    engine.dispose()
    return Contested(
        name, log.records, seen.ended - seen.began, seen.ended - started, seen.cpu_seconds,
        database, unlike,
    )  # fmt: skip


def read_raw(arena: Arena, client: str, log: Log, python: str) -> list[Figure]:
    """How fast a client alone reads the log."""
    output = arena.home / f"raw-{client}.log"
    output.unlink(missing_ok=True)
    program = arena.start(
        python, ["benchmarks.raw_read", client], f"raw-{client}",
        BENCH_KAFKA=arena.kafka, BENCH_TOPIC=log.topic, BENCH_RECORDS=str(log.records),
    )  # fmt: skip
    deadline = time.monotonic() + _RAW_SECONDS
    while not program.ended():
        if time.monotonic() > deadline:
            program.stop()
            raise Stalled(f"{client} did not read {log.records} records in {_RAW_SECONDS} s")
        time.sleep(_LOOK_SECONDS)
    program.stop()
    lines = output.read_text().strip().splitlines()
    if not lines or not lines[-1].startswith("{"):
        raise Stalled(f"{client} read nothing, see {output}")
    read = json.loads(lines[-1])
    return [
        Figure("raw read", client, read["records"] / read["seconds"], "records/s"),
        Figure("raw read", f"{client} CPU", read["cpu_seconds"] / read["all_records"] * 1e6,
               "µs/record", "the process's start included"),
    ]  # fmt: skip


def _begun(path: Path) -> Callable[[], float]:
    def when() -> float:
        try:
            return float(path.read_text() or 0)
        except FileNotFoundError:
            return 0.0

    return when


def _entries(engine: Engine) -> Callable[[], int]:
    """How many entries were written: their highest number, which an index knows."""

    def count() -> int:
        with engine.connect() as connection:
            return int(connection.scalar(select(func.max(peer_tables.entries.c.number))) or 0)

    return count
