"""Opening the ledger's database: PostgreSQL by psycopg 3, or SQLite in WAL mode.

Not the store: only what makes both behave alike under it.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from ledger.refusals import NoDatabase

_SQLITE_BUSY_MILLISECONDS = 30_000


def open_engine(url: str) -> Engine:
    """An engine for `url`, connecting on first use. NoDatabase where the URL can't be served."""
    parsed = _parsed(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database in (None, "", ":memory:"):
            raise NoDatabase(
                "HOURS_LEDGER_URL 没有指明文件，账本不能只放在内存里：sqlite:///文件。 "
                "HOURS_LEDGER_URL names no file, and a ledger must outlive its process: "
                "sqlite:///FILE."
            )
        _make_folder(Path(parsed.database or "").parent)
        return _for_sqlite(create_engine(parsed))
    return create_engine(
        parsed,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 10, "application_name": "hours"},
    )


@contextmanager
def driver_errors(connection: Connection, statement: str) -> Iterator[None]:
    """For what goes past SQLAlchemy to its driver: what goes wrong is raised as its own would be.

    A connection that was lost is taken out of use.
    """
    driver = driver_of(connection)
    try:
        yield
    except (psycopg.Error, sqlite3.Error) as error:
        lost = isinstance(error, psycopg.Error) and bool(driver.closed)
        if lost:
            connection.invalidate(error)
        base = psycopg.Error if isinstance(error, psycopg.Error) else sqlite3.Error
        raise DBAPIError.instance(
            statement, None, error, base, connection_invalidated=lost, dialect=connection.dialect
        ) from error


def driver_of(connection: Connection) -> Any:
    """The driver's own connection beneath SQLAlchemy's."""
    driver = connection.connection.driver_connection
    assert driver is not None
    return driver


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NoDatabase(
            f"无法创建账本的文件夹 {folder}：请检查 HOURS_LEDGER_URL 或 HOURS_HOME。 "
            f"The ledger's folder {folder} can't be made ({error.strerror}): "
            "check HOURS_LEDGER_URL or HOURS_HOME."
        ) from error


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
        if parsed.drivername in ("postgres", "postgresql"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError):  # the last: a port that is no number
        parsed = None
    if parsed is None or parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise NoDatabase(
            "HOURS_LEDGER_URL 不是 sqlite:///… 或 postgresql://… 地址。 "
            "HOURS_LEDGER_URL is not a sqlite:///… or postgresql://… URL."
        )
    return parsed


def _for_sqlite(engine: Engine) -> Engine:
    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        # Python's own transaction handling would commit before DDL and begin too late.
        connection.isolation_level = None
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            f"busy_timeout = {_SQLITE_BUSY_MILLISECONDS}",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
