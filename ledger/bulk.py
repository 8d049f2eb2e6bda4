"""Many rows in one go, by the quickest way each database has.

PostgreSQL takes rows by COPY and keys as arrays, one statement whatever their number; SQLite,
which runs within this process, takes them one by one. Not what the rows mean: that is `store`.
Invariant: both ways do the same.
"""

from collections.abc import Sequence
from typing import Any

import psycopg
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Connection,
    Insert,
    Integer,
    LargeBinary,
    String,
    Table,
    TableValuedAlias,
    Text,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

Row = tuple[Any, ...]

# Binary COPY takes half the time of text, on both sides, and wants to be told each type.
_POSTGRESQL = {
    BigInteger: "int8",
    Integer: "int4",
    LargeBinary: "bytea",
    String: "varchar",
    Text: "text",
}


def insert_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows that hold every column of `table`, in its order."""
    if not rows:
        return
    if _is_sqlite(connection):
        connection.execute(insert(table), _named(table.c.keys(), rows))
        return
    statement = f"COPY {table} ({', '.join(table.c.keys())}) FROM STDIN (FORMAT BINARY)"
    _copy(connection, statement, [_POSTGRESQL[type(one.type)] for one in table.c], rows)


def add_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows, or add their other columns to those of the row that has the same key.

    Each key at most once.
    """
    if not rows:
        return
    names = table.c.keys()
    if _is_sqlite(connection):
        connection.execute(_adding(sqlite.insert(table), table), _named(names, rows))
        return
    given = _unnested(table, names)
    statement = postgresql.insert(table).from_select(names, select(*given.c))
    connection.execute(_adding(statement, table), _columns(names, rows))


def delete_rows(
    connection: Connection, table: Table, names: Sequence[str], keys: Sequence[Row]
) -> None:
    """Delete the rows whose columns `names` hold one of `keys`."""
    if not keys:
        return
    if _is_sqlite(connection):
        matching = and_(*(table.c[name] == bindparam(f"given_{name}") for name in names))
        given = [f"given_{name}" for name in names]
        connection.execute(delete(table).where(matching), _named(given, keys))
        return
    gone = _unnested(table, names)
    matching = and_(*(table.c[name] == gone.c[name] for name in names))
    connection.execute(delete(table).where(matching), _columns(names, keys))


def _copy(
    connection: Connection, statement: str, types: Sequence[str], rows: Sequence[Row]
) -> None:
    """COPY goes past SQLAlchemy; what goes wrong is raised as SQLAlchemy would have raised it."""
    driver = connection.connection.driver_connection
    assert driver is not None
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)
    except psycopg.Error as error:
        lost = bool(driver.closed)
        if lost:
            connection.invalidate(error)
        raise DBAPIError.instance(
            statement, None, error, psycopg.Error, connection_invalidated=lost,
            dialect=connection.dialect,
        ) from error  # fmt: skip


def _adding(statement: Any, table: Table) -> Insert:
    added = [column.name for column in table.c if not column.primary_key]
    return statement.on_conflict_do_update(  # type: ignore[no-any-return]
        index_elements=list(table.primary_key),
        set_={name: table.c[name] + statement.excluded[name] for name in added},
    )


def _unnested(table: Table, names: Sequence[str]) -> TableValuedAlias:
    """Arrays, one for each of the columns `names`, as rows."""
    arrays = (bindparam(name, type_=ARRAY(table.c[name].type)) for name in names)
    return func.unnest(*arrays).table_valued(*names, name="given").render_derived()


def _columns(names: Sequence[str], rows: Sequence[Row]) -> dict[str, list[Any]]:
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))


def _named(names: Sequence[str], rows: Sequence[Row]) -> list[dict[str, Any]]:
    return [dict(zip(names, row, strict=True)) for row in rows]


def _is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"
