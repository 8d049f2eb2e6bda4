"""Corrections in the database: proposed by one, decided by another, followed until they settle.

Not how an event is made or sent: that is the board's. Invariant: what is about the same tap is
open once; a correction is decided once; and each state it was in stands in its steps.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Connection, Engine, Select, func, insert, select, update

from ledger.corrections import tables
from ledger.corrections.values import (
    ON_ITS_WAY,
    OPEN,
    AlreadyDecided,
    AlreadyOpen,
    Correction,
    CorrectionRefusal,
    Proposal,
    SamePerson,
    State,
    Step,
    proposal_of,
)
from ledger.tables import rejections, shards
from ledger.turns import taking_turns

_ONE_AT_A_TIME = 0x636F7272
"""PostgreSQL's advisory lock for changing corrections: the letters "corr"."""

_COLUMNS = [tables.corrections.c[name] for name in Correction._fields]
EventOf = Callable[[Correction], str]


def propose(engine: Engine, proposals: Sequence[Proposal], by: str, at: int) -> list[int]:
    """Keep proposals, together if they are several; their numbers. AlreadyOpen, and none is."""
    with _changing(engine) as connection:
        first = _next_number(connection)
        batch = first if len(proposals) > 1 else None
        for number, proposal in enumerate(proposals, first):
            _refuse_open(connection, proposal)
            connection.execute(
                insert(tables.corrections).values(
                    number=number,
                    batch=batch,
                    proposed_by=by,
                    proposed_at=at,
                    state="proposed",
                    open_for=proposal.open_for,
                    **_columns(proposal),
                )
            )
            _step(connection, number, "proposed", at, by, proposal.reason)
        return list(range(first, first + len(proposals)))


def decide(
    engine: Engine,
    numbers: Sequence[int],
    by: str,
    at: int,
    approve: bool,
    why: str,
    event_of: EventOf,
) -> list[Correction]:
    """Approve or decline, all of them or none. SamePerson, AlreadyDecided.

    `event_of` makes what is sent of one that was approved; it is kept with it.
    """
    state: State = "approved" if approve else "declined"
    with _changing(engine) as connection:
        for number in numbers:
            found = _known(connection, number)
            if found.state != "proposed":
                raise AlreadyDecided(number, found.decided_by or found.proposed_by, found.state)
            if approve and found.proposed_by == by:
                raise SamePerson(number)
            decided = found._replace(state=state, decided_by=by, decided_at=at)
            _set(
                connection,
                number,
                state=state,
                decided_by=by,
                decided_at=at,
                event=event_of(decided) if approve else None,
                **({} if approve else {"open_for": None}),
            )
            _step(connection, number, state, at, by, why)
        return [_known(connection, number) for number in numbers]


def withdraw(engine: Engine, number: int, by: str, at: int) -> None:
    """Take back what one has proposed and nobody has decided. AlreadyDecided."""
    with _changing(engine) as connection:
        found = _known(connection, number)
        if found.proposed_by != by:
            raise CorrectionRefusal(
                f"第 {number} 号更正不是您提的，不能撤回；可以不批准。 "
                f"Number {number} isn't yours to withdraw; you may decline it."
            )
        if found.state != "proposed":
            raise AlreadyDecided(number, found.decided_by or by, found.state)
        _set(connection, number, state="withdrawn", decided_by=by, decided_at=at, open_for=None)
        _step(connection, number, "withdrawn", at, by, "")


def sent(engine: Engine, number: int, partition: int, offset: int, at: int, by: str) -> None:
    """Kafka acknowledged it there; sent again by somebody quicker, it stays where it was."""
    with _changing(engine) as connection:
        if _known(connection, number).state == "approved":
            where = {"log_partition": partition, "log_offset": offset}
            _set(connection, number, state="sent", **where)
            _step(connection, number, "sent", at, by, f"{partition}:{offset}")


def settle(engine: Engine, at: int, by: str) -> int:
    """Note which of those sent the ledger has settled, or refused; how many."""
    table = tables.corrections
    with _changing(engine) as connection:
        rows = connection.execute(
            select(table.c.number, rejections.c.reason, rejections.c.detail)
            .join(shards, shards.c.shard == table.c.log_partition)
            .outerjoin(
                rejections,
                (rejections.c.shard == table.c.log_partition)
                & (rejections.c.log_offset == table.c.log_offset),
            )
            .where(table.c.state == "sent", shards.c.next_offset > table.c.log_offset)
        ).all()
        for number, reason, detail in rows:
            state: State = "settled" if reason is None else "refused"
            outcome = None if reason is None else f"{reason}: {detail}"
            _set(connection, number, state=state, outcome=outcome, open_for=None)
            _step(connection, number, state, at, by, (outcome or "")[:1_000])
        return len(rows)


def waiting(connection: Connection) -> list[Correction]:
    """Those that were approved and haven't settled, the oldest first."""
    table = tables.corrections.c
    return _found(connection, select(*_COLUMNS).where(table.state.in_(ON_ITS_WAY)))


def correction(connection: Connection, number: int) -> Correction | None:
    """One of them."""
    table = tables.corrections.c
    return next(iter(_found(connection, select(*_COLUMNS).where(table.number == number))), None)


def corrections(
    connection: Connection, states: Sequence[State] | None = None, volunteer: str | None = None
) -> list[Correction]:
    """Those in some states (None: all), of one volunteer (None: of all), by number."""
    table, statement = tables.corrections.c, select(*_COLUMNS)
    if states is not None:
        statement = statement.where(table.state.in_(states))
    if volunteer is not None:
        statement = statement.where(table.volunteer == volunteer)
    return _found(connection, statement)


def of_batch(connection: Connection, batch: int) -> list[Correction]:
    """Those that were proposed together."""
    return _found(connection, select(*_COLUMNS).where(tables.corrections.c.batch == batch))


def open_by_tap(connection: Connection) -> dict[tuple[str, str, str], Correction]:
    """What is under way, by the tap that it is about: volunteer, source and id."""
    return {
        (one.volunteer, one.tap_source, one.tap_id): one
        for one in corrections(connection, OPEN)
        if one.tap_id
    }


def steps(connection: Connection, number: int) -> list[Step]:
    """What happened to one, in order."""
    table = tables.steps
    rows = connection.execute(
        select(table).where(table.c.correction == number).order_by(table.c.position)
    )
    return [Step(*row) for row in rows]


def undoing(found: Correction, reason: str) -> Proposal:
    """What takes a settled correction back. CorrectionRefusal where a tap must be supplied anew."""
    if found.state != "settled":
        raise CorrectionRefusal(
            "还没有入账的更正不用撤销：可以撤回或不批准。 "
            "What has not settled needs no undoing: withdraw or decline it."
        )
    if found.kind == "adjustment":
        same = proposal_of(found).model_copy(update={"seconds": -found.seconds, "reason": reason})
        return same.model_copy(update={"undoes": found.number})
    if found.kind == "void":
        raise CorrectionRefusal(
            "作废的签到签退不能恢复：请按原来的时间补一次。 "
            "A tap that was voided doesn't come back: supply it anew, with its old time."
        )
    source, id_ = event_identity(found)
    return Proposal(
        kind="void",
        volunteer=found.volunteer,
        tap_source=source,
        tap_id=id_,
        reason=reason,
        undoes=found.number,
    )


def event_identity(found: Correction) -> tuple[str, str]:
    """Source and id of the event that a correction became."""
    event = json.loads(found.event or "{}")
    return str(event["source"]), str(event["id"])


def _changing(engine: Engine) -> AbstractContextManager[Connection]:
    return taking_turns(engine, _ONE_AT_A_TIME)


def _found(connection: Connection, statement: Select[Any]) -> list[Correction]:
    rows = connection.execute(statement.order_by(tables.corrections.c.number))
    return [Correction(*row) for row in rows]


def _known(connection: Connection, number: int) -> Correction:
    found = correction(connection, number)
    if found is None:
        raise CorrectionRefusal(f"没有第 {number} 号更正。 There is no correction number {number}.")
    return found


def _refuse_open(connection: Connection, proposal: Proposal) -> None:
    table = tables.corrections.c
    row = connection.execute(
        select(table.number, table.proposed_by).where(table.open_for == proposal.open_for)
    ).first()
    if row is not None:
        raise AlreadyOpen(row.number, row.proposed_by)


def _columns(proposal: Proposal) -> dict[str, Any]:
    texts = ("tap_source", "tap_id", "team", "place", "activity", "day")
    same = ("kind", "volunteer", "occurred_at", "seconds", "reason", "undoes")
    return {name: getattr(proposal, name) or "" for name in texts} | {
        name: getattr(proposal, name) for name in same
    }


def _next_number(connection: Connection) -> int:
    return int(connection.execute(select(func.max(tables.corrections.c.number))).scalar() or 0) + 1


def _set(connection: Connection, number: int, **columns: Any) -> None:
    table = tables.corrections
    connection.execute(update(table).where(table.c.number == number).values(columns))


def _step(connection: Connection, number: int, state: State, at: int, by: str, why: str) -> None:
    table = tables.steps
    latest = connection.execute(
        select(func.max(table.c.position)).where(table.c.correction == number)
    ).scalar()
    position = 0 if latest is None else int(latest) + 1
    connection.execute(insert(table).values(Step(number, position, state, at, by, why)._asdict()))
