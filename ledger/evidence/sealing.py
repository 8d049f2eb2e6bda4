"""Signing: a checkpoint for each shard that grew, a moment in the district's log, and its own.

One turn does all of it, and can be killed anywhere: what is to be signed is first remembered on
the signer's own disk, then written to the ledger, and only then signed for the district. Whatever
a stopped turn had left to do, the next one does first, with the same bytes.
Invariants: no two different checkpoints of one tree and size, whoever kills, doubles or lies; all
that is signed follows from entries that were read and hashed here.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, insert

from ledger import queries
from ledger.evidence import looking, reading
from ledger.evidence.checkpoints import DISTRICT, Checkpoint, origin_of, shard_tree
from ledger.evidence.growing import Growth, grow
from ledger.evidence.memory import DistrictEntry, Memory, NamedGrowth
from ledger.evidence.moments import (
    CERTIFICATE,
    MOMENT,
    CertificateFate,
    Moment,
    Pinned,
    read_district_entry,
)
from ledger.evidence.notes import Key, Sign, signed
from ledger.evidence.refusals import SigningRefused
from ledger.evidence.storing import store_district, store_tree, store_volunteers
from ledger.evidence.tables import checkpoints
from ledger.evidence.volunteer_index import VolunteerIndex
from ledger.policy import Policy, iso_utc, microseconds_of
from ledger.turns import taking_turns

LOCK = 0x7369676E
"""PostgreSQL's advisory lock for signing: the letters "sign"."""


class Sealed(NamedTuple):
    """What a turn signed: new entries in all, and the district's checkpoint as it now stands."""

    entries: int
    checkpoint: str | None


@dataclass(frozen=True)
class Signer:
    """Whose ledger is signed, and with which keys."""

    engine: Engine
    ledger: str
    policy: Policy
    keys: Sequence[tuple[Key, Sign]]

    def note(self, tree: str, size: int, root: bytes) -> str:
        """The signed checkpoint: the same bytes whenever it is asked for."""
        origin = origin_of(self.ledger, tree)
        text = Checkpoint(origin, size, root).text
        return signed(text, [(key.named(origin), sign) for key, sign in self.keys])


class Sealing:
    """Turns of one signer, which has the memory."""

    def __init__(self, signer: Signer, memory: Memory, clock: Callable[[], int]) -> None:
        self._signer, self._memory, self._clock = signer, memory, clock
        self._indexes: dict[int, VolunteerIndex] = {}

    def seal(self, progress: looking.Progress = lambda entries: None) -> Sealed:
        """One turn. SigningRefused, EvidenceRefusal; then nothing was signed in it."""
        signer, memory = self._signer, self._memory
        self._finish()
        with queries.reading(signer.engine) as connection:
            looking.check_district(connection, memory)
            growths = looking.look(connection, memory, signer.ledger, signer.policy, progress)
            fates = reading.fates_after(connection, memory.count(CERTIFICATE))
        grown = sum(growth.edge.size - memory.tree(tree).size for tree, growth in growths.values())
        if fates or self._pinned_sizes() != [one.edge.size for _, one in growths.values()]:
            entries = self._proposed(growths, fates)
            memory.remember(growths, entries)
            self._finish()
        return Sealed(grown, self._district_note())

    def adopt(self, note: str, size: int, root: bytes, progress: looking.Progress) -> None:
        """Take up, with an empty memory, what was signed up to a district's checkpoint.

        All of it is recomputed from stored bytes, and must give that checkpoint. SigningRefused.
        """
        signer, memory = self._signer, self._memory
        with queries.reading(signer.engine) as connection:
            stored = reading.district_entries_from(connection, 0)
            growths = looking.look(connection, memory, signer.ledger, signer.policy, progress)
        district = Growth(memory.tree(DISTRICT).edge)
        entries = [DistrictEntry(seq, read_district_entry(body).type, body) for seq, body in stored]
        if len(entries) >= size:
            _grow_district(district, (entry.body for entry in entries[:size]))
        if district.edge.size != size or district.edge.root() != root:
            raise SigningRefused(
                "账本里的区级日志给不出这个检查点。没有签名。 The district's log in the ledger "
                "does not give this checkpoint. Nothing was signed.",
                given=note, entries=len(entries), root=district.edge.root().hex(),
            )  # fmt: skip
        _grow_district(district, (entry.body for entry in entries[size:]))
        self._refuse_unsigned_pins(entries)
        memory.remember(growths, entries)
        memory.remember_tree(DISTRICT, district)

    def _refuse_unsigned_pins(self, entries: Sequence[DistrictEntry]) -> None:
        """The last moment must say of each shard what its checkpoint says, which was recomputed."""
        moments = [entry for entry in entries if entry.kind == MOMENT]
        said = read_district_entry(moments[-1].body) if moments else None
        with queries.reading(self._signer.engine) as connection:
            for shard, pinned in enumerate(said.shards if isinstance(said, Moment) else []):
                latest = reading.latest_checkpoint(connection, shard_tree(shard))
                if latest is None or (latest.size, latest.root.hex()) != (pinned.size, pinned.root):
                    raise SigningRefused(
                        f"分片 {shard} 的检查点与最后时刻不符。没有签名。 The checkpoint of shard "
                        f"{shard} is not what the last moment says. Nothing was signed.",
                        shard=shard,
                        pinned=pinned.model_dump(),
                        stored=latest.note if latest else None,
                    )

    def _pinned_sizes(self) -> list[int]:
        """What the last moment said of the shards' sizes."""
        last = self._memory.last_of(MOMENT)
        said = read_district_entry(last.body) if last else None
        return [one.size for one in said.shards] if isinstance(said, Moment) else []

    def _proposed(
        self, growths: dict[int, NamedGrowth], fates: Iterable[Any]
    ) -> list[DistrictEntry]:
        """What the district's log shall say next: fates, then the moment."""
        now = self._now()
        seq = self._memory.tree(DISTRICT).size
        entries: list[DistrictEntry] = []
        for fate in fates:
            said = CertificateFate(
                at=iso_utc(now), ledger=self._signer.ledger, seq=seq + len(entries),
                number=fate.number, replaced_by=fate.replaced_by, statement=fate.statement,
                status=fate.status,
            )  # fmt: skip
            entries.append(DistrictEntry(said.seq, CERTIFICATE, said.body))
        moment = Moment(
            at=iso_utc(now), ledger=self._signer.ledger, seq=seq + len(entries),
            shards=[self._pinned(shard, growth) for shard, (_, growth) in sorted(growths.items())],
        )  # fmt: skip
        return [*entries, DistrictEntry(moment.seq, MOMENT, moment.body)]

    def _pinned(self, shard: int, growth: Growth) -> Pinned:
        index = self._indexes.get(shard)
        if index is None:
            known = self._memory.volunteers_since(shard, 0)
            index = self._indexes[shard] = VolunteerIndex(known)
        index.update(growth.volunteers.values())
        return Pinned(
            root=growth.edge.root().hex(),
            size=growth.edge.size,
            volunteers=index.size,
            volunteers_root=index.root.hex(),
        )

    def _now(self) -> int:
        """The clock, if it can be right: not behind what was already said or recorded."""
        now, last = self._clock(), self._last_said()
        if now <= last:
            raise SigningRefused(
                f"时钟 {iso_utc(now)} 早于上一时刻 {iso_utc(last)}：请校准时钟。没有签名。 The "
                f"clock says {iso_utc(now)}, before the last moment ({iso_utc(last)}): set it "
                "right. Nothing was signed.",
                clock=iso_utc(now),
                last=iso_utc(last),
            )
        return now

    def _last_said(self) -> int:
        last = self._memory.last_of(MOMENT)
        if last is None:
            return 0
        return microseconds_of(read_district_entry(last.body).at)

    def _finish(self) -> None:
        """Bring the ledger to what is remembered, then sign the district's tree, then show it."""
        memory = self._memory
        seq = memory.tree(DISTRICT).size
        proposed = memory.district_since(seq)
        with taking_turns(self._signer.engine, LOCK) as connection:
            self._store_shards(connection)
            self._refuse_other_entries(connection, seq)
            store_district(connection, memory)
        if proposed:
            district = Growth(memory.tree(DISTRICT).edge)
            _grow_district(district, (entry.body for entry in proposed))
            memory.remember_tree(DISTRICT, district)
        with taking_turns(self._signer.engine, LOCK) as connection:
            self._store_tree(connection, DISTRICT)

    def _store_shards(self, connection: Connection) -> None:
        for shard in range(self._signer.policy.shard_count):
            tree = shard_tree(shard)
            since = self._store_tree(connection, tree)
            if since is not None:
                store_volunteers(connection, shard, self._memory.volunteers_since(shard, since))

    def _store_tree(self, connection: Connection, tree: str) -> int | None:
        """Write a tree's tiles and checkpoint: the size it had there; None if it has them."""
        remembered = self._memory.tree(tree)
        latest = reading.latest_checkpoint(connection, tree)
        since = latest.size if latest else 0
        if since >= remembered.size:
            return None
        store_tree(connection, tree, remembered.edge, self._memory.tiles_since(tree, since))
        connection.execute(
            insert(checkpoints).values(
                tree=tree, size=remembered.size, root=remembered.root,
                note=self._signer.note(tree, remembered.size, remembered.root),
                signed_at=self._clock(),
            )
        )  # fmt: skip
        return since

    def _refuse_other_entries(self, connection: Connection, seq: int) -> None:
        """Another signer wrote first: what was to be said here was signed by nobody; forget it."""
        ours = {entry.seq: entry.body for entry in self._memory.district_since(seq)}
        for number, body in reading.district_entries_from(connection, seq):
            if ours.get(number) != body:
                self._memory.forget_district_from(seq)
                raise SigningRefused(
                    f"区级日志的条目 {number} 已由另一个签名者写下：请只运行一个。没有签名。 "
                    f"Entry {number} of the district's log was written by another signer: let one "
                    "alone run. Nothing was signed.",
                    seq=number,
                    stored=body.decode(errors="replace"),
                )

    def _district_note(self) -> str | None:
        size, root, _ = self._memory.tree(DISTRICT)
        return self._signer.note(DISTRICT, size, root) if size else None


def _grow_district(growth: Growth, bodies: Iterable[bytes]) -> None:
    grow(growth, list(bodies), lambda names: {})
