"""Many rows in one go, by the quickest way each database has.

PostgreSQL takes rows by COPY and keys as one JSON value, one statement whatever their number;
SQLite, which runs within this process, takes them one by one. Not what the rows mean: that is
`store`. Invariant: both ways do the same.
"""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import (
    JSON,
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
    column,
    delete,
    func,
    insert,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from ledger.engine import driver_errors, driver_of

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
        connection.execute(_or_add(sqlite.insert(table), table), _named(names, rows))
        return
    given = _given(table, names)
    statement = postgresql.insert(table).from_select(names, select(*given.c))
    connection.execute(_or_add(statement, table), {"rows": _named(names, rows)})


def replace_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows, or put them in the place of those that have the same keys."""
    if not rows:
        return
    if _is_sqlite(connection):  # rows as they are: a mapping for each takes twice the time
        statement = _or_replace(sqlite.insert(table), table)
        text = str(statement.compile(dialect=connection.dialect))
        connection.exec_driver_sql(text, list(rows))
    else:
        statement = _or_replace(postgresql.insert(table), table)
        connection.execute(statement, _named(table.c.keys(), rows))


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
    gone = _given(table, names)
    matching = and_(*(table.c[name] == gone.c[name] for name in names))
    connection.execute(delete(table).where(matching), {"rows": _named(names, keys)})


def _copy(
    connection: Connection, statement: str, types: Sequence[str], rows: Sequence[Row]
) -> None:
    with (
        driver_errors(connection, statement),
        driver_of(connection).cursor() as cursor,
        cursor.copy(statement) as copy,
    ):
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)


def _or_add(statement: Any, table: Table) -> Insert:
    return _or_set(statement, table, lambda name: table.c[name] + statement.excluded[name])


def _or_replace(statement: Any, table: Table) -> Insert:
    return _or_set(statement, table, lambda name: statement.excluded[name])


def _or_set(statement: Any, table: Table, value: Callable[[str], Any]) -> Insert:
    """Where the key is there, what its other columns are set to."""
    others = [one.name for one in table.c if not one.primary_key]
    return statement.on_conflict_do_update(  # type: ignore[no-any-return]
        index_elements=list(table.primary_key), set_={name: value(name) for name in others}
    )


def _given(table: Table, names: Sequence[str]) -> TableValuedAlias:
    """The parameter `rows`, one JSON value, as rows of the columns `names`."""
    columns = (column(name, table.c[name].type) for name in names)
    given = func.json_to_recordset(bindparam("rows", type_=JSON))
    return given.table_valued(*columns, name="given").render_derived(with_types=True)


def _named(names: Sequence[str], rows: Sequence[Row]) -> list[dict[str, Any]]:
    return [dict(zip(names, row, strict=True)) for row in rows]


def _is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"
