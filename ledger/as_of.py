"""How far each shard's ledger reached at a past record time, or at a signed moment.

The ledger as of an instant is, in each shard, what stands before the first entry that a record of a
later time caused. Record times step back a little where partition leadership moves, so that this
isn't a plain bisection: entries are looked for from where the times are earlier by the policy's
margin. Invariant: what the ledger held at an instant doesn't depend on what it holds since, as
long as record times step back by no more than that margin.
"""

from sqlalchemy import ColumnElement, Connection, String, cast, func, select

from ledger.evidence import reading
from ledger.evidence.checkpoints import DISTRICT
from ledger.evidence.moments import Moment, SignedMoment, read_district_entry
from ledger.evidence.refusals import NotProven
from ledger.evidence.tables import district_entries
from ledger.policy import Policy, iso_utc
from ledger.tables import entries, shards

_MARK = '"recorded_at":"'
"""It stands once in each entry but the genesis: within a JSON text its quotes would be escaped."""
_LENGTH = len("2026-01-01T00:00:00.000000Z")


def stands(connection: Connection, instant: int | SignedMoment, policy: Policy) -> dict[int, int]:
    """By shard, the seq before which all was there at `instant` (microseconds, UTC).

    At a moment it is what was signed; NotProven where that entry is no moment that is.
    """
    if isinstance(instant, SignedMoment):
        return _pinned(connection, instant.seq)
    table = shards.c
    heads = connection.execute(
        select(table.shard, table.next_seq, table.watermark).order_by(table.shard)
    )
    return {
        shard: next_seq
        if watermark <= instant
        else _first_later(connection, shard, next_seq, instant, policy)
        for shard, next_seq, watermark in heads.all()
    }


def _pinned(connection: Connection, seq: int) -> dict[int, int]:
    latest = reading.latest_checkpoint(connection, DISTRICT)
    body = connection.scalar(select(district_entries.c.body).where(district_entries.c.seq == seq))
    moment = read_district_entry(body) if body is not None else None
    if latest is None or seq >= latest.size or not isinstance(moment, Moment):
        raise NotProven(
            f"区级日志的条目 {seq} 不是已签名的时刻。 Entry {seq} of the district's log is no "
            "moment that is signed."
        )
    return {shard: pinned.size for shard, pinned in enumerate(moment.shards)}


def _first_later(
    connection: Connection, shard: int, next_seq: int, instant: int, policy: Policy
) -> int:
    """The first seq whose record time is later, or the shard's end."""
    later = (
        select(entries.c.seq)
        .where(
            entries.c.shard == shard,
            entries.c.seq > _last_earlier(connection, shard, next_seq, instant - policy.margin),
            _recorded_at(connection) > iso_utc(instant),
        )
        .order_by(entries.c.seq)
        .limit(1)
    )
    found = connection.scalar(later)
    return next_seq if found is None else int(found)


def _last_earlier(connection: Connection, shard: int, next_seq: int, instant: int) -> int:
    """A seq up to which all was there by `instant`: bit by bit, so that the same entries are
    looked at however many have come since."""
    seq = 0
    for bit in reversed(range(next_seq.bit_length())):
        probe = seq + (1 << bit)
        if probe < next_seq and _was_there(connection, shard, probe, instant):
            seq = probe
    return seq


def _was_there(connection: Connection, shard: int, seq: int, instant: int) -> bool:
    found = select(_recorded_at(connection)).where(entries.c.shard == shard, entries.c.seq == seq)
    return str(connection.scalar(found)) <= iso_utc(instant)


def _recorded_at(connection: Connection) -> ColumnElement[str]:
    """The record time in an entry's bytes, which sorts as it is written."""
    body = entries.c.body
    if connection.dialect.name == "sqlite":
        mark = _MARK.encode()
        return cast(func.substr(body, func.instr(body, mark) + len(mark), _LENGTH), String)
    rest = func.split_part(func.convert_from(body, "UTF8"), _MARK, 2)
    return func.left(rest, _LENGTH)
