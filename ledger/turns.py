"""Transactions that change something, one at a time for each kind of thing.

On SQLite there is one writer anyway; on PostgreSQL an advisory lock makes the others wait.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text

from ledger import schema


@contextmanager
def taking_turns(engine: Engine, lock: int) -> Iterator[Connection]:
    """One transaction; others of the same lock wait until it is over. NoDatabase."""
    with (
        schema.reaching(engine),
        engine.connect().execution_options(writes=True) as connection,
        connection.begin(),
    ):
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({lock})"))
        yield connection
