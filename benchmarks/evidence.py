"""Evidence at size: signing, proofs, export and audit of a ledger of many entries.

The entries are made here and put straight into the database, as a worker's append would: what is
timed is what happens after. Figures are of one process.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import update

from benchmarks.figures import Figure
from ledger import queries, tables
from ledger.bulk import insert_rows
from ledger.entries import Entry, adjustment
from ledger.evidence import proving
from ledger.evidence.checkpoints import DISTRICT, shard_tree
from ledger.evidence.exporting import export_tree
from ledger.evidence.memory import remembering
from ledger.evidence.notes import Key
from ledger.evidence.sealing import Sealing, Signer
from ledger.evidence.tlog_proofs import verified_proof
from ledger.merkle import Frontier
from ledger.policy import Policy
from ledger.store import Store, entry_row, open_store
from ledger.taps import Adjustment, Record
from streams.collecting import collecting_rarely
from streams.evidence_audit import EvidenceSource, audit_evidence

_LEDGER = "bench.hours.example"
_AT_ONCE = 20_000
_NEW = 100_000
_PROOFS = 200
"""How many proofs are made and verified; the median is told."""
_VOLUNTEERS = 50_000


def measure_evidence(url: str, home: Path, entries: int) -> Iterator[Figure]:
    """Fill a ledger with so many entries, sign, prove, export and audit it."""
    policy = Policy(shard_count=1)
    store = open_store(url, _LEDGER, policy)
    store.init()
    key = Ed25519PrivateKey.generate()
    public = Key(_LEDGER, key.public_key().public_bytes_raw())
    signer = Signer(store.engine, _LEDGER, policy, [(public, key.sign)])
    frontier = _fill(store, entries, Frontier(1, _frontier(store)))
    with remembering(home / "signer", _LEDGER) as memory, collecting_rarely():
        sealing = Sealing(signer, memory, lambda: time.time_ns() // 1_000)
        seconds = _timed(sealing.seal)
        yield Figure("evidence", "first signing", entries / seconds, "entries/s")
        _fill(store, _NEW, frontier)
        yield Figure("evidence", f"signing {_NEW:,} new entries", _timed(sealing.seal), "s")
    yield from _proofs(store, public, entries)
    yield from _export(store, home / "tiles", entries + _NEW)
    source = EvidenceSource(_LEDGER, policy, (public,), home / "tiles", None, home / "tiles")
    seconds = _timed(lambda: audit_evidence(source, lambda done, total: None, 1))
    yield Figure("evidence", "audit of the export", (entries + _NEW) / seconds, "entries/s")
    (home / "vkey").write_text(f"{public.named(f'{_LEDGER}/{shard_tree(0)}').vkey}\n")
    store.engine.dispose()


def _proofs(store: Store, public: Key, entries: int) -> Iterator[Figure]:
    made, verified, size = [], [], 0
    with queries.reading(store.engine) as connection:
        for number in range(_PROOFS):
            began = time.perf_counter()
            proof = proving.entry_proof(connection, shard_tree(0), number * 4_993 % entries)
            made.append(time.perf_counter() - began)
            began = time.perf_counter()
            verified_proof(proof, [public])
            verified.append(time.perf_counter() - began)
            size = len(proof.hashes)
    yield Figure("evidence", "proof made", sorted(made)[_PROOFS // 2] * 1_000, "ms")
    yield Figure("evidence", "proof verified", sorted(verified)[_PROOFS // 2] * 1_000, "ms")
    yield Figure("evidence", "hashes in a proof", size, "")


def _export(store: Store, folder: Path, entries: int) -> Iterator[Figure]:
    with queries.reading(store.engine) as connection:

        def export() -> None:
            for tree in (DISTRICT, shard_tree(0)):
                export_tree(connection, tree, folder, lambda done, total: None)

        yield Figure("evidence", "export", entries / _timed(export), "entries/s")


def _fill(store: Store, count: int, frontier: Frontier) -> Frontier:
    with store.engine.connect().execution_options(writes=True) as connection, connection.begin():
        for start in range(0, count, _AT_ONCE):
            made = [_entry(frontier.size + at) for at in range(min(_AT_ONCE, count - start))]
            insert_rows(connection, tables.entries, [entry_row(0, entry) for entry in made])
            frontier.extend(entry.leaf for entry in made)
        connection.execute(
            update(tables.shards).values(next_seq=frontier.size, frontier=frontier.pack())
        )
    return frontier


def _entry(seq: int) -> Entry:
    volunteer = f"V{seq * 7_919 % _VOLUNTEERS:010d}"
    adjusted = Adjustment(
        volunteer, 1_760_000_000_000_000, "/imports/bench", f"e{seq}", f"team-{seq % 97}", None,
        "2026-03-05", 5_400, "li", "wang", "补录",
    )  # fmt: skip
    return adjustment(seq, 0, Record(seq, 1_760_000_000_000_000 + seq, adjusted), adjusted)


def _frontier(store: Store) -> bytes:
    with queries.reading(store.engine) as connection:
        return queries.status(connection)[0].head.frontier


def _timed(deed: Callable[[], object]) -> float:
    began = time.perf_counter()
    deed()
    return time.perf_counter() - began
