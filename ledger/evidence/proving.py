"""Making proofs from the ledger: that an entry, a session, or a volunteer's whole record is signed.

Each proof is verified against the signed root before it is handed out: where a tile was altered, it
is refused here and not by whoever was given it. Not what a proof says to people.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, select

from ledger import tables
from ledger.evidence import reading
from ledger.evidence.checkpoints import DISTRICT, Checkpoint, shard_tree
from ledger.evidence.moments import MOMENT, Moment, read_district_entry
from ledger.evidence.proofs import (
    consistency_proof,
    inclusion_proof,
    is_consistent,
    is_included,
    tree_root,
)
from ledger.evidence.reading import StoredCheckpoint
from ledger.evidence.records import (
    Hashes,
    IndexPlace,
    PinnedMoment,
    ProvenEntry,
    Record,
)
from ledger.evidence.refusals import EvidenceRefusal, NotProven
from ledger.evidence.tables import district_entries
from ledger.evidence.tiles import TileNodes
from ledger.evidence.tlog_proofs import TlogProof
from ledger.evidence.volunteer_index import VolunteerIndex
from ledger.merkle import leaf_hash

_AT_ONCE = 500


def entry_proof(connection: Connection, tree: str, seq: int) -> TlogProof:
    """That an entry is under its tree's latest checkpoint. NotProven, EvidenceRefusal."""
    checkpoint = latest_signed(connection, tree)
    if not 0 <= seq < checkpoint.size:
        raise NotProven(
            f"{tree} 的检查点只到条目 {checkpoint.size - 1}：条目 {seq} 不存在，或还没有签名。 "
            f"The checkpoint of {tree} reaches entry {checkpoint.size - 1}: entry {seq} is not "
            "there, or not signed yet; ask again in a minute."
        )
    ((body,),) = reading.bodies(connection, tree, seq, seq + 1)
    path = _Prover(connection, tree, checkpoint.size, checkpoint.root).path(seq, body)
    return TlogProof(body, seq, tuple(path), checkpoint.note)


def growth_proof(
    connection: Connection, tree: str, old_size: int, new: Checkpoint | None = None
) -> list[bytes]:
    """That a tree only grew from one of `old_size` into a later one, or the latest. NotProven."""
    latest = latest_signed(connection, tree)
    size, root = (new.size, new.root) if new else (latest.size, latest.root)
    if not 0 <= old_size <= size <= latest.size:
        raise NotProven(
            f"{tree} 已签名 {latest.size} 个条目：不能证明从 {old_size} 到 {size}。 {tree} is "
            f"signed up to {latest.size} entries: growth from {old_size} to {size} can't be shown."
        )
    return _Prover(connection, tree, size, root).growth_from(old_size)


def latest_signed(connection: Connection, tree: str) -> StoredCheckpoint:
    """The latest signed checkpoint of a tree. NotProven where there is none."""
    checkpoint = reading.latest_checkpoint(connection, tree)
    if checkpoint is None:
        raise NotProven(
            f"{tree} 还没有签名的检查点：请运行 hours sign。 No checkpoint of {tree} is signed "
            "yet: run hours sign."
        )
    return checkpoint


def volunteer_record(connection: Connection, ledger: str, volunteer: str) -> Record:
    """All entries of a volunteer, and that none was left out up to the latest moment.

    NotProven where there is no moment yet, or none of theirs is signed.
    """
    moment = _latest_moment(connection)
    shard = reading.shard_of_volunteer(connection, volunteer)
    if shard is None:
        raise NotProven(
            f"志愿者 {volunteer} 还没有已签名的条目。 No entry of volunteer {volunteer} is signed "
            "yet."
        )
    pinned = moment.moment.shards[shard]
    index = VolunteerIndex(reading.indexed_volunteers(connection, shard))
    place = index.place(volunteer)
    if place is None or (index.size, index.root.hex()) != (
        pinned.volunteers,
        pinned.volunteers_root,
    ):
        raise _altered(f"volunteer_index {shard}")
    hashes = Hashes()
    whole = IndexPlace(index=place[0], path=hashes.places(index.proof(place[0])))
    seqs = _seqs(connection, shard, pinned.size, volunteer=volunteer)
    return _record(connection, ledger, volunteer, shard, moment, seqs, hashes, whole)


def session_record(connection: Connection, ledger: str, session: str) -> Record:
    """A session's entries: its credit, and what took it back. NotProven."""
    table = tables.entries
    found = connection.execute(
        select(table.c.shard, table.c.volunteer).where(table.c.session == session).limit(1)
    ).one_or_none()
    if found is None:
        raise NotProven(f"没有时段 {session}。 There is no session {session}.")
    moment = _latest_moment(connection)
    size = moment.moment.shards[found.shard].size
    seqs = _seqs(connection, found.shard, size, session=session)
    return _record(connection, ledger, found.volunteer, found.shard, moment, seqs, Hashes(), None)


class _LatestMoment:
    """The last moment under the district's latest checkpoint."""

    def __init__(self, seq: int, body: bytes, moment: Moment, checkpoint: StoredCheckpoint) -> None:
        self.seq, self.body, self.moment, self.checkpoint = seq, body, moment, checkpoint


class _Prover:
    """Makes proofs under one checkpoint."""

    def __init__(self, connection: Connection, tree: str, size: int, root: bytes) -> None:
        self._tree, self._size, self._root = tree, size, root
        self._nodes = TileNodes(size, lambda tile: reading.stored_tile(connection, tree, tile))

    def path(self, seq: int, body: bytes) -> list[bytes]:
        """The hashes beside an entry's way up."""
        path = inclusion_proof(seq, self._size, self._nodes)
        if not is_included(leaf_hash(body), seq, self._size, path, self._root):
            raise _altered(f"{self._tree} {seq}")
        return path

    def growth_from(self, old_size: int) -> list[bytes]:
        """The hashes that join an older tree to this one."""
        path = consistency_proof(old_size, self._size, self._nodes)
        old_root = tree_root(old_size, self._nodes)
        if not is_consistent(old_size, self._size, path, old_root, self._root):
            raise _altered(f"{self._tree} {old_size}")
        return path


def _record(
    connection: Connection,
    ledger: str,
    volunteer: str,
    shard: int,
    moment: _LatestMoment,
    seqs: Sequence[int],
    hashes: Hashes,
    whole: IndexPlace | None,
) -> Record:
    tree, pinned = shard_tree(shard), moment.moment.shards[shard]
    checkpoint = reading.checkpoint_at(connection, tree, pinned.size)
    if checkpoint is None or checkpoint.root.hex() != pinned.root:
        raise _altered(f"checkpoints {tree} {pinned.size}")
    prover = _Prover(connection, tree, checkpoint.size, checkpoint.root)
    above = moment.checkpoint
    district = _Prover(connection, DISTRICT, above.size, above.root)
    entries = [
        ProvenEntry(body=body.decode(), seq=seq, path=hashes.places(prover.path(seq, body)))
        for seq, body in _bodies(connection, shard, seqs)
    ]
    return Record(
        ledger=ledger,
        volunteer=volunteer,
        shard=shard,
        moment=PinnedMoment(
            body=moment.body.decode(),
            index=moment.seq,
            path=hashes.places(district.path(moment.seq, moment.body)),
            checkpoint=moment.checkpoint.note,
        ),
        shard_checkpoint=checkpoint.note,
        entries=entries,
        whole=whole,
        hashes=hashes.listed(),
    )


def _latest_moment(connection: Connection) -> _LatestMoment:
    checkpoint = latest_signed(connection, DISTRICT)
    table = district_entries
    row = connection.execute(
        select(table.c.seq, table.c.body)
        .where(table.c.seq < checkpoint.size, table.c.kind == MOMENT)
        .order_by(table.c.seq.desc())
        .limit(1)
    ).one_or_none()
    moment = read_district_entry(row.body) if row else None
    if row is None or not isinstance(moment, Moment):
        raise NotProven(
            "区级日志里还没有时刻：请运行 hours sign。 "
            "There is no moment in the district's log yet: run hours sign."
        )
    return _LatestMoment(row.seq, row.body, moment, checkpoint)


def _seqs(connection: Connection, shard: int, size: int, **wanted: str) -> list[int]:
    table = tables.entries
    conditions = [table.c[name] == value for name, value in wanted.items()]
    return list(
        connection.execute(
            select(table.c.seq)
            .where(table.c.shard == shard, table.c.seq < size, *conditions)
            .order_by(table.c.seq)
        ).scalars()
    )


def _bodies(connection: Connection, shard: int, seqs: Sequence[int]) -> Iterable[tuple[int, bytes]]:
    table = tables.entries
    for at in range(0, len(seqs), _AT_ONCE):
        rows = connection.execute(
            select(table.c.seq, table.c.body)
            .where(table.c.shard == shard, table.c.seq.in_(seqs[at : at + _AT_ONCE]))
            .order_by(table.c.seq)
        )
        yield from ((row.seq, row.body) for row in rows)


def _altered(what: str) -> EvidenceRefusal:
    return EvidenceRefusal(
        f"{what} 与签名的检查点不符：账本被改动过，请运行 hours audit。 {what} does not agree with "
        "the signed checkpoint: the ledger was altered; run hours audit."
    )
