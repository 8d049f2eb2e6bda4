"""What waits to be published of the roster: handed on in order, by one publisher at a time.

Not the publishing, which is `streams.roster_outbox`'s. Invariant: a row goes once it was
published, in the order in which the roster was changed, and not before.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import NamedTuple

from sqlalchemy import Connection, Engine, func, select, text

from ledger.bulk import delete_rows
from ledger.roster.tables import outbox

PUBLISHING_LOCK = 0x6F7574626F78
"""PostgreSQL's advisory lock for publishing the roster: the letters "outbox"."""

STALLED_SECONDS = 30
"""A publisher that PostgreSQL has not heard of for so long loses its turn."""


class Waiting(NamedTuple):
    """A message to publish: a Kafka key and its value, None for a tombstone.

    Its place in the order is its change set and position.
    """

    change_set: int
    position: int
    key: str
    value: str | None


Publish = Callable[[Sequence[Waiting]], None]
"""Publishes messages in order, returning when all are acknowledged, or raises."""

Opening = Callable[[], AbstractContextManager[Publish]]
"""Makes ready to publish: whoever was ready before can publish nothing from then on."""


def pending(connection: Connection) -> int:
    """How many messages wait."""
    return int(connection.execute(select(func.count()).select_from(outbox)).scalar_one())


def publish_next(engine: Engine, opening: Opening, most: int) -> int | None:
    """Publish up to `most` of what waits, the oldest first; how many. None: another's turn.

    Whatever is raised, as DBAPIError or what `opening` raises: then all of it waits still, though
    it may have been published.
    """
    with _turn(engine) as transaction:
        if transaction is None:
            return None
        # Ready first, and read then: who is stopped having read, and wakes when others have gone
        # on, was ready before them, and can't publish what they overtook.
        with opening() as publish:
            with transaction(False) as connection:
                messages = _oldest(connection, most)
            publish(messages)
        with transaction(True) as connection:
            keys = [(one.change_set, one.position) for one in messages]
            delete_rows(connection, outbox, ("change_set", "position"), keys)
    return len(messages)


_Transaction = Callable[[bool], AbstractContextManager[Connection]]
"""A transaction, told whether it writes."""


@contextmanager
def _turn(engine: Engine) -> Iterator[_Transaction | None]:
    """Transactions while it is our turn; on PostgreSQL always the same, which holds the lock.

    SQLite needs no lock, as one worker alone runs on it, and would let nobody else write
    while Kafka is slow.
    """
    if engine.dialect.name != "postgresql":
        yield lambda writes: _transaction(engine, writes)
        return
    with engine.begin() as connection:
        limit = f"SET LOCAL idle_in_transaction_session_timeout = '{STALLED_SECONDS}s'"
        connection.execute(text(limit))
        asked = text(f"SELECT pg_try_advisory_xact_lock({PUBLISHING_LOCK})")
        is_ours = connection.execute(asked).scalar_one()
        yield (lambda _: nullcontext(connection)) if is_ours else None


@contextmanager
def _transaction(engine: Engine, writes: bool) -> Iterator[Connection]:
    with engine.connect().execution_options(writes=writes) as connection, connection.begin():
        yield connection


def _oldest(connection: Connection, most: int) -> list[Waiting]:
    statement = select(outbox).order_by(outbox.c.change_set, outbox.c.position).limit(most)
    return [Waiting(*row) for row in connection.execute(statement)]
