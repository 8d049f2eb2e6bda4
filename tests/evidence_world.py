"""A small signed ledger: sessions settled straight into a database, and a signer with a key.

What stands in it can be spoiled with SQL beside the product, as somebody with rights would.
"""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine

from ledger.evidence.memory import remembering
from ledger.evidence.notes import Key
from ledger.evidence.sealing import Sealed, Sealing, Signer
from ledger.policy import SECOND, Policy
from ledger.store import Store, open_store
from ledger.taps import Adjustment, Fact, Tap, Void
from tests.settler import Settler

LEDGER = "tongzhou.hours.example"
POLICY = Policy()
HOUR = 3_600 * SECOND
VOLUNTEERS = [f"V{number:04d}EXAMPL" for number in range(40)]


def now() -> int:
    return time.time_ns() // 1_000


@dataclass
class Evidence:
    """A ledger, whoever signs it, and what the clock of both says."""

    url: str
    home: Path
    store: Store
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    clock: int = field(default_factory=now)
    memory: str = "signer"
    _count: int = 0

    @cached_property
    def settler(self) -> Settler:
        return Settler(self.store)

    @property
    def engine(self) -> Engine:
        return self.store.engine

    @property
    def public(self) -> Key:
        return Key(LEDGER, self.key.public_key().public_bytes_raw())

    @property
    def signer(self) -> Signer:
        return Signer(self.engine, LEDGER, POLICY, [(self.public, self.key.sign)])

    def settle(self, *facts: Fact) -> None:
        """Let facts be the next records of their shards, and append what they come to."""
        self.settler.settle(facts, self.clock)

    def serve(self, sessions: int, volunteers: list[str] = VOLUNTEERS) -> None:
        """Sessions of an hour each, of one volunteer after the other, some in activities."""
        facts: list[Fact] = []
        for _ in range(sessions):
            self._count += 1
            number = self._count
            who = volunteers[number % len(volunteers)]
            opened = self.clock - 10 * 24 * HOUR + (number // len(volunteers)) * 2 * HOUR
            activity = f"activity-{number % 3}" if number % 3 else None
            facts += [
                Tap.of(who, "in", opened, "/kiosks/1", f"i{number}", "choir", "站一", activity),
                Tap.of(who, "out", opened + HOUR, "/kiosks/1", f"o{number}"),
            ]
        self.settle(*facts)

    def void(self, volunteer: str, tap: str) -> None:
        """Take a tap back."""
        self._count += 1
        self.settle(
            Void(
                volunteer, self.clock, "/desks/li", f"v{self._count}", "/kiosks/1", tap, "li", "误"
            )
        )

    def adjust(self, volunteer: str, seconds: int) -> None:
        """Add seconds by hand."""
        self._count += 1
        self.settle(
            Adjustment(
                volunteer, self.clock, "/desks/li", f"a{self._count}", "choir", None,
                POLICY.civil_day(self.clock), seconds, "li", "wang", "户外",
            )
        )  # fmt: skip

    @contextmanager
    def sealing(self, memory: str | None = None) -> Iterator[Sealing]:
        """Turns of the signer; another memory is another signer."""
        with remembering(self.home / (memory or self.memory), LEDGER) as remembered:
            yield Sealing(self.signer, remembered, self._tick)

    def seal(self) -> Sealed:
        """One turn."""
        with self.sealing() as sealing:
            return sealing.seal()

    def sql(self, *statements: str) -> None:
        """Do by hand what the database's own triggers would refuse."""
        with self.engine.connect().execution_options(writes=True) as writing, writing.begin():
            for statement in (*_without_triggers(self.engine), *statements):
                writing.exec_driver_sql(statement)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What stands in the database."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]

    def _tick(self) -> int:
        self.clock += 1_000
        return self.clock


@contextmanager
def evidence_at(url: str, home: Path) -> Iterator[Evidence]:
    """A ledger that has begun, with nothing in it."""
    store = open_store(url, LEDGER, POLICY)
    with closing(store.engine.connect()):
        store.init()
    try:
        yield Evidence(url, home, store)
    finally:
        store.engine.dispose()


def _without_triggers(engine: Engine) -> list[str]:
    if engine.dialect.name == "postgresql":
        return ["SET LOCAL session_replication_role = replica"]
    tables = ("entries", "rejections", "checkpoints", "cosignatures", "district_entries")
    deeds = ("update", "delete")
    return [f"DROP TRIGGER IF EXISTS {table}_refuse_{deed}" for table in tables for deed in deeds]
