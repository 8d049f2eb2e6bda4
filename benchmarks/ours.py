"""The product in a contest: its own commands in processes of their own, its tables looked at.

Not a second way of running it: `hours init`, `hours worker`, `hours audit` and nothing else.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Engine, func, select

from benchmarks.arena import ROOT, SHARDS, Arena, database_cpu_seconds
from benchmarks.figures import Contested
from benchmarks.load import Log, district_events, send
from benchmarks.watching import Stalled, Watched, watch
from hours.services.guard import Guarded
from ledger import tables
from ledger.engine import open_engine

_LOOK_SECONDS = 0.02
_COMMAND_SECONDS = 3_600
_WARM_TAPS = 1_000

Totals = dict[tuple[str, str], int]
"""Seconds by team and day."""


@dataclass
class Product:
    """One ledger on one log."""

    arena: Arena
    name: str
    log: Log
    url: str
    engine: Engine
    module: str = "hours"
    workers: list[Guarded] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        home = self.arena.home / self.name
        home.mkdir(exist_ok=True)
        return {
            "HOURS_HOME": str(home),
            "HOURS_KAFKA": self.arena.kafka,
            "HOURS_LEDGER_URL": self.url,
            "HOURS_TOPIC_PREFIX": self.log.prefix,
            "HOURS_SHARDS": str(SHARDS),
            "HOURS_ROSTER_KEY_FILE": str(home / "roster.key"),
            "HOURS_BADGE_KEY_FILE": str(home / "badge.key"),
        }

    def run(self, *arguments: str) -> str:
        """A command of ours, to its end; its output. Stalled where it exits with anything but 0."""
        done = subprocess.run(  # noqa: S603 - our own commands
            [self.arena.hours, "-m", self.module, *arguments],
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), **self.environment},
            capture_output=True, text=True, timeout=_COMMAND_SECONDS, check=False,
        )  # fmt: skip
        if done.returncode:
            raise Stalled(f"hours {arguments[0]}: {(done.stdout + done.stderr).strip()[-300:]}")
        return done.stdout

    def start_worker(self, **more: str) -> Guarded:
        worker = self.arena.start(
            self.arena.hours, [self.module, "worker", "--log-level", "warning"], self.name,
            **self.environment, **more,
        )  # fmt: skip
        self.workers.append(worker)
        return worker

    def stop_workers(self) -> None:
        """In order: each finishes the batch in hand."""
        while self.workers:
            self.workers.pop().stop()

    def places(self) -> dict[int, tuple[int, int]]:
        """Each shard's epoch and next offset."""
        table = tables.shards
        with self.engine.connect() as connection:
            rows = connection.execute(select(table.c.shard, table.c.epoch, table.c.next_offset))
            return {row.shard: (row.epoch, row.next_offset) for row in rows}

    def settled(self) -> int:
        return sum(offset for _, offset in self.places().values())

    def entries(self) -> int:
        """How many there are, the geneses left out."""
        with self.engine.connect() as connection:
            return int(connection.scalar(select(func.sum(tables.shards.c.next_seq)))) - SHARDS

    def totals(self) -> Totals:
        return totals_of(self.engine)

    def end(self) -> None:
        self.stop_workers()
        self.engine.dispose()


@dataclass(frozen=True)
class Standard:
    """What every contestant must come to on a log."""

    entries: int
    totals: Totals


@contextmanager
def open_product(
    arena: Arena, name: str, log: Log, kind: str = "postgresql", module: str = "hours"
) -> Iterator[Product]:
    """A fresh ledger, initialised; its workers end with the block."""
    url = arena.database(name, kind)
    product = Product(arena, name, log, url, open_engine(url), module)
    try:
        product.run("init")
        yield product
    finally:
        product.end()


def settle_all(product: Product, name: str, **settings: str) -> tuple[Contested, Watched]:
    """Start a worker and watch it settle the whole log; it is left running. Stalled."""
    database = database_cpu_seconds(product.engine)
    claims = {shard: epoch for shard, (epoch, _) in product.places().items()}
    worker = product.start_worker(**settings)

    def claimed() -> bool:
        return any(epoch > claims[shard] for shard, (epoch, _) in product.places().items())

    seen = watch(worker, claimed, product.settled, product.log.records, _LOOK_SECONDS)
    if seen.done < product.log.records:
        raise Stalled(f"{name}: it stopped at {seen.done} records, see {product.name}.log")
    database = database_cpu_seconds(product.engine) - database
    contested = Contested(
        name, seen.done, seen.seconds, seen.seconds_from_start, seen.cpu_seconds, database, ""
    )
    return contested, seen


def resume(product: Product, seed: int) -> None:
    """Start a worker again on what was settled; returns when it has settled something new."""
    before = product.settled()
    worker = product.start_worker()
    send(product.arena.kafka, product.log.topic, district_events(_WARM_TAPS, seed))
    watch(worker, lambda: True, lambda: product.settled() - before, _WARM_TAPS, _LOOK_SECONDS)
    if product.settled() < before + _WARM_TAPS:
        raise Stalled("the worker did not go on where it had stopped")


def standard_of(product: Product) -> Standard:
    return Standard(product.entries(), product.totals())


def totals_of(engine: Engine) -> Totals:
    """Seconds by team and day in `day_totals`, ours or a peer's; none that came back to nothing."""
    table = tables.day_totals
    seconds = func.sum(table.c.seconds)
    statement = select(table.c.team, table.c.day, seconds).group_by(table.c.team, table.c.day)
    with engine.connect() as connection:
        return {(team, day): int(sum_) for team, day, sum_ in connection.execute(statement) if sum_}


def difference(ours: Totals, theirs: Totals) -> str:
    """Empty where equal; else how many totals differ, and by how much in all."""
    unlike = [key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)]
    if not unlike:
        return ""
    hours = (sum(theirs.values()) - sum(ours.values())) / 3_600
    return f"{len(unlike)} of {len(ours)} totals differ, by {hours:+.2f} h in all"
