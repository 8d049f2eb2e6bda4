"""The rows of a query as plain tuples, a few at a time, by the quickest way each database has.

SQLAlchemy makes the statement and stays out of the rows: PostgreSQL sends them in binary form
from a cursor of its own, SQLite reads them within this process. Invariant: no more of them are in
memory than were asked for.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import count
from typing import Any

from sqlalchemy import Connection, Select

from ledger.engine import driver_errors, driver_of

Row = tuple[Any, ...]
Fetch = Callable[[int], list[Row]]
"""Gives the next rows, so many at most; none at the end."""

_numbers = count()


@contextmanager
def fetching(connection: Connection, statement: Select[Any]) -> Iterator[Fetch]:
    """Run a query, and give what fetches its rows. What goes wrong is raised as SQLAlchemy would.

    The statement's values must be numbers: they are written into it.
    """
    query = str(statement.compile(connection, compile_kwargs={"literal_binds": True}))
    with driver_errors(connection, query), closing(_cursor(connection)) as cursor:
        cursor.execute(query)
        yield cursor.fetchmany


def _cursor(connection: Connection) -> Any:
    driver = driver_of(connection)
    if connection.dialect.name == "sqlite":
        return driver.cursor()
    return driver.cursor(name=f"rows_{next(_numbers)}", binary=True)
