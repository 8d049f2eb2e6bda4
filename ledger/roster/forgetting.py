"""Making the database forget what was deleted of people's private data, byte by byte.

A deleted row's bytes stay in a database's files until something is written over them. On
PostgreSQL the table is written anew within the erasing transaction: TRUNCATE gives it new files,
and the old ones are emptied as it commits. (VACUUM leaves the bytes in a page's hole, and VACUUM
FULL keeps the row while an older snapshot is open: both were seen to.) On SQLite deleted bytes are
zeroed as they are deleted, and afterwards the file is written anew and its journal emptied. Not
here: the write-ahead log of PostgreSQL, and backups, which hold what was sealed until they are
overwritten.
The outbox is treated alike, for it holds what somebody is called on its way to the topic.
Invariant: after `forget`, no file of the tables holds a sealed row that was deleted, nor what its
volunteer was called.
"""

from collections.abc import Callable
from typing import Any

from psycopg.errors import LockNotAvailable
from sqlalchemy import ColumnElement, Connection, Engine, Table, delete, func, select, text
from sqlalchemy.exc import OperationalError

from ledger import schema
from ledger.bulk import insert_rows
from ledger.engine import driver_errors, driver_of
from ledger.refusals import LedgerRefusal
from ledger.roster import tables
from ledger.roster.vault import Vault, called

_WAIT_MILLISECONDS = 20_000
_READERS_MILLISECONDS = 5_000


FORGOTTEN = {
    "postgresql": (
        "姓名表已重写，旧文件已清空。 "
        "The table of names was written anew; its old files are emptied."
    ),
    "sqlite": (
        "数据库文件已重写，日志已清空。 "
        "The database file was written anew, and its journal emptied."
    ),
}
"""What was done to the files, by database."""

_BACKUPS = (
    "旧备份里仍有封存的数据，直到备份被替换；没有名册密钥谁也打不开，只看得到姓名的第一个字。 "
    "Older backups hold the sealed data until they are replaced; without the roster's key nobody "
    "reads more of it than a name's first character."
)
ELSEWHERE = {
    "postgresql": (
        "预写日志的旧段里仍有封存的数据和姓名的第一个字，直到被覆盖（max_wal_size 的写入量之后）。 "
        "Old segments of the write-ahead log hold the sealed data, and the name's first character, "
        f"until they are overwritten, after about max_wal_size of further writing. {_BACKUPS}"
    ),
    "sqlite": _BACKUPS,
}
"""What is left elsewhere, and until when, by database."""


class NotForgotten(LedgerRefusal):
    """Another program stands in the way; the message says what was done and what to do."""


def delete_private(connection: Connection, volunteer: str) -> int:
    """Delete all that says who a volunteer is, within `store.changing`; how many versions."""
    table = tables.private
    theirs = table.c.volunteer == volunteer
    count = connection.execute(select(func.count()).select_from(table).where(theirs)).scalar_one()
    _delete(connection, table, theirs)
    return int(count)


def delete_waiting(connection: Connection, volunteer: str) -> None:
    """Take what the outbox still says of a volunteer out of it, and out of its old bytes.

    Before a tombstone goes into it, within `store.changing`.
    """
    table = tables.outbox
    _delete(connection, table, table.c.key == f"volunteer/{volunteer}")


def seal_anew(connection: Connection, vault: Vault, moved: Callable[[int, int], None]) -> int:
    """Seal with the vault's newest key what isn't yet, within `store.changing`; how many rows.

    Rows from before it was kept are told what their volunteer is called at a kiosk, and count.
    `moved` is told how many rows were looked at, and of how many. WrongKey.
    """
    rows = [tuple(row) for row in connection.execute(select(tables.private))]
    sealed = []
    count = 0
    for done, (volunteer, version, old, known) in enumerate(rows, 1):
        new = vault.sealed_again(bytes(old))
        count += new is not None or known is None
        content = bytes(old) if new is None else new
        name = known or called(vault.open(volunteer, content).name)
        sealed.append((volunteer, version, content, name))
        moved(done, len(rows))
    if count:
        _write_anew(connection, tables.private, sealed)
    return count


def forget(engine: Engine) -> None:
    """Once that is committed: leave nothing of what was deleted in SQLite's files. NotForgotten.

    Safe to repeat. It waits for writers, and for readers for a while.
    """
    if engine.dialect.name == "postgresql":
        return
    # By the driver: SQLAlchemy would begin a transaction, and a file isn't written anew in one.
    with (
        schema.reaching(engine),
        engine.connect() as connection,
        driver_errors(connection, "VACUUM"),
    ):
        driver = driver_of(connection)
        driver.execute("VACUUM")
        driver.execute(f"PRAGMA busy_timeout = {_READERS_MILLISECONDS}")
        is_busy, *_ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if is_busy:
        raise NotForgotten(
            "已删除，但另一个程序正在读账本，旧字节还在日志文件里：等它结束后再运行一次本命令。 "
            "It is deleted, but another program is reading the ledger, so that old bytes are still "
            "in its journal: run this command again when that has ended."
        )


def _delete(connection: Connection, table: Table, these: ColumnElement[bool]) -> None:
    if connection.dialect.name == "postgresql":
        _lock(connection, table)
        others = connection.execute(select(table).where(~these))
        _write_anew(connection, table, [tuple(row) for row in others])
    else:
        connection.exec_driver_sql("PRAGMA secure_delete = ON")
        connection.execute(delete(table).where(these))


def _write_anew(connection: Connection, table: Table, rows: list[tuple[Any, ...]]) -> None:
    if connection.dialect.name == "postgresql":
        _lock(connection, table)
        connection.execute(text(f"TRUNCATE {table.name}"))
    else:
        connection.exec_driver_sql("PRAGMA secure_delete = ON")
        connection.execute(delete(table))
    insert_rows(connection, table, rows)


def _lock(connection: Connection, table: Table) -> None:
    """Wait until nobody else reads or writes it, as TRUNCATE does: what is read then stays so."""
    connection.execute(text(f"SET LOCAL lock_timeout = {_WAIT_MILLISECONDS}"))
    try:
        connection.execute(text(f"LOCK TABLE {table.name} IN ACCESS EXCLUSIVE MODE"))
    except OperationalError as error:
        if isinstance(error.orig, LockNotAvailable):
            raise _in_use() from error
        raise


def _in_use() -> NotForgotten:
    return NotForgotten(
        "另一个程序正在读姓名表或待发消息（例如备份）：什么都没有删除，等它结束后再运行一次。 "
        "Another program is reading the table of names or the outbox, as a backup does: nothing "
        "was done; run this command again when that has ended."
    )
