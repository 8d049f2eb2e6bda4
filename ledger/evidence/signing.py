"""The signer as a process: a turn each minute, witnesses asked, what was refused kept and told.

Thin: what is signed is `sealing`'s. A refusal stops nothing but the signing: each turn looks anew.
"""

import json
import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server
from sqlalchemy import insert, select

from ledger import queries
from ledger.evidence import proving, reading
from ledger.evidence.checkpoints import DISTRICT
from ledger.evidence.memory import Memory
from ledger.evidence.refusals import EvidenceRefusal, SigningRefused
from ledger.evidence.sealing import LOCK, Sealed, Sealing, Signer
from ledger.evidence.tables import cosignatures
from ledger.evidence.witnesses import Unwitnessed, Witness, cosigned
from ledger.policy import SECOND, iso_utc
from ledger.refusals import LedgerRefusal
from ledger.turns import taking_turns

logger = logging.getLogger(__name__)


class SignerMetrics:
    """What is watched of a signer."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.entries = Counter(
            "hours_signer_entries", "Entries that were signed.", registry=self.registry
        )
        self.refusals = Counter(
            "hours_signer_refusals", "Turns in which signing was refused.", registry=self.registry
        )
        self.refusing = Gauge(
            "hours_signer_refusing",
            "1 while what stands in the ledger can't be what was signed.",
            registry=self.registry,
        )
        self.last_turn = Gauge(
            "hours_signer_last_turn_seconds",
            "When a turn last ended well, in POSIX seconds.",
            registry=self.registry,
        )
        self.unwitnessed = Gauge(
            "hours_signer_unwitnessed",
            "1 where a witness has not cosigned the latest checkpoint.",
            ["witness"],
            registry=self.registry,
        )

    def serve(self, host: str, port: int) -> None:
        """Serve them on a port of their own, in a thread."""
        start_http_server(port, host, self.registry)


class SignerProcess:
    """One signer, its witnesses, and where it keeps what it refused."""

    def __init__(
        self,
        signer: Signer,
        memory: Memory,
        folder: Path,
        witnesses: Sequence[Witness],
        metrics: SignerMetrics,
    ) -> None:
        self._signer, self._folder, self._witnesses = signer, folder, witnesses
        self._sealing = Sealing(signer, memory, _now)
        self._metrics = metrics
        self._refused = ""

    @property
    def sealing(self) -> Sealing:
        """The turns themselves."""
        return self._sealing

    def turn(self) -> Sealed:
        """Sign what grew, ask witnesses. SigningRefused with its evidence kept; LedgerRefusal."""
        try:
            sealed = self._sealing.seal()
        except SigningRefused as refused:
            self._metrics.refusals.inc()
            self._metrics.refusing.set(1)
            self._keep(refused)
            raise
        self._refused = ""
        self._metrics.refusing.set(0)
        self._metrics.entries.inc(sealed.entries)
        for witness in self._witnesses:
            self._ask(witness)
        self._metrics.last_turn.set_to_current_time()
        return sealed

    def run(self, every: float, over: threading.Event) -> None:
        """Turn after turn, until told to end. Trouble is logged, and looked at anew."""
        while not over.is_set():
            began = time.monotonic()
            try:
                sealed = self.turn()
            except (EvidenceRefusal, LedgerRefusal) as trouble:
                logger.error("%s", trouble)
            else:
                if sealed.entries:
                    logger.info("已签名 Signed: %d 条新条目 new entries", sealed.entries)
            over.wait(max(0.0, every - (time.monotonic() - began)))

    def _keep(self, refused: SigningRefused) -> None:
        """Keep both sides of what doesn't fit, once for as long as it stays the same."""
        said = json.dumps(
            {"refused": str(refused), **refused.evidence}, ensure_ascii=False, indent=1, default=str
        )
        if said == self._refused:
            return
        self._refused = said
        kept = self._folder / "refused"
        kept.mkdir(parents=True, exist_ok=True)
        name = iso_utc(_now()).replace(":", "").replace(".", "-")
        (kept / f"{name}.json").write_text(said + "\n", "utf-8")

    def _ask(self, witness: Witness) -> None:
        gauge = self._metrics.unwitnessed.labels(witness.key.name)
        try:
            self._cosign(witness)
        except (Unwitnessed, EvidenceRefusal) as trouble:
            gauge.set(1)
            logger.warning("没有见证签名 Not witnessed: %s", trouble)
        else:
            gauge.set(0)

    def _cosign(self, witness: Witness) -> None:
        name, table = witness.key.name, cosignatures
        with queries.reading(self._signer.engine) as connection:
            latest = reading.latest_checkpoint(connection, DISTRICT)
            last = connection.scalar(
                select(table.c.size)
                .where(table.c.tree == DISTRICT, table.c.witness == name)
                .order_by(table.c.size.desc())
                .limit(1)
            )
            if latest is None or last == latest.size:
                return
            line = cosigned(
                witness,
                latest.note,
                last or 0,
                lambda size: proving.growth_proof(connection, DISTRICT, size),
            )
        with taking_turns(self._signer.engine, LOCK) as writing:
            writing.execute(
                insert(table).values(
                    tree=DISTRICT, size=latest.size, witness=name, line=line, signed_at=_now()
                )
            )


def _now() -> int:
    return time.time_ns() // (1_000_000_000 // SECOND)
