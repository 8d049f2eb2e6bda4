"""Making the database forget what was deleted of people's private data, byte by byte.

A deleted row's bytes stay in a database's files until something is written over them. On
PostgreSQL the table is written anew within the erasing transaction: TRUNCATE gives it new files,
and the old ones are emptied as it commits. (VACUUM leaves the bytes in a page's hole, and VACUUM
FULL keeps the row while an older snapshot is open: both were seen to.) On SQLite deleted bytes are
zeroed as they are deleted, and afterwards the file is written anew and its journal emptied. Not
here: the write-ahead log of PostgreSQL, and backups, which hold what was sealed until they are
overwritten.
Invariant: after `forget`, no file of the tables holds a sealed row that was deleted.
"""

from collections.abc import Callable
from typing import Any

from psycopg.errors import LockNotAvailable
from sqlalchemy import Connection, Engine, delete, func, select, text
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
    "旧备份里仍有封存的数据，直到备份被替换；没有名册密钥谁也打不开。 "
    "Older backups hold the sealed data until they are replaced; nobody opens it without the "
    "roster's key."
)
ELSEWHERE = {
    "postgresql": (
        "预写日志的旧段里仍有封存的数据，直到被覆盖（max_wal_size 的写入量之后）。 "
        "Old segments of the write-ahead log hold the sealed data until they are overwritten, "
        f"after about max_wal_size of further writing. {_BACKUPS}"
    ),
    "sqlite": _BACKUPS,
}
"""What is left elsewhere, and until when, by database."""


class NotForgotten(LedgerRefusal):
    """Another program stands in the way; the message says what was done and what to do."""


def delete_private(connection: Connection, volunteer: str) -> int:
    """Delete all that says who a volunteer is, within `store.changing`; how many versions."""
    table = tables.private
    others = select(table).where(table.c.volunteer != volunteer)
    count = connection.execute(
        select(func.count()).select_from(table).where(table.c.volunteer == volunteer)
    ).scalar_one()
    if connection.dialect.name == "postgresql":
        _write_anew(connection, [tuple(row) for row in connection.execute(others)])
    else:
        connection.exec_driver_sql("PRAGMA secure_delete = ON")
        connection.execute(delete(table).where(table.c.volunteer == volunteer))
    return int(count)


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
        _write_anew(connection, sealed)
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


def _write_anew(connection: Connection, rows: list[tuple[Any, ...]]) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL lock_timeout = {_WAIT_MILLISECONDS}"))
        try:
            connection.execute(text(f"TRUNCATE {tables.private.name}"))
        except OperationalError as error:
            if isinstance(error.orig, LockNotAvailable):
                raise _in_use() from error
            raise
    else:
        connection.exec_driver_sql("PRAGMA secure_delete = ON")
        connection.execute(delete(tables.private))
    insert_rows(connection, tables.private, rows)


def _in_use() -> NotForgotten:
    return NotForgotten(
        "另一个程序正在读姓名表（例如备份）：什么都没有删除，等它结束后再运行一次。 "
        "Another program is reading the table of names, as a backup does: nothing was done; "
        "run this command again when that has ended."
    )
