"""The schema's version: refusing a database that isn't at this program's, or doesn't answer.

Not how it gets there (`migrating`).
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from psycopg.errors import InsufficientPrivilege, ReadOnlySqlTransaction
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError, OperationalError

from ledger.refusals import NewerSchema, NoDatabase, NotInitialised, NotPermitted

VERSIONS = ("0001", "0002", "0003", "0004", "0005", "0006")
"""Those of `migrations`, in order: kept here so that Alembic isn't loaded to read a ledger."""

_BEGINNING_LOCK = 0x686F757273
"""PostgreSQL's advisory lock for beginning and upgrading a ledger: the letters "hours"."""


def check(engine: Engine) -> None:
    """Refuse a database that isn't at this program's schema (NotInitialised, NewerSchema)."""
    with reaching(engine), engine.connect() as connection:
        found = refuse_newer(connection)
    if found != VERSIONS[-1]:
        raise NotInitialised(
            f"账本数据库的版本是 {found or '空'}，需要 {VERSIONS[-1]}：请运行 hours init。 "
            f"The ledger's database is at version {found or 'none'}, not {VERSIONS[-1]}: "
            "run hours init."
        )


def refuse_newer(connection: Connection) -> str | None:
    """The version the database is at, None where it is empty. NewerSchema."""
    found = _version(connection)
    if found is not None and found not in VERSIONS:
        raise NewerSchema(
            f"账本数据库的版本 {found} 比本程序新：请升级程序。 "
            f"The ledger's database is at version {found}, newer than this program knows: "
            "upgrade the program."
        )
    return found


def wait_for_turn(connection: Connection) -> None:
    """Let one transaction at a time begin or upgrade a ledger; SQLite's writers do so anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_BEGINNING_LOCK})"))


@contextmanager
def reaching(engine: Engine) -> Iterator[None]:
    """Turn a database that doesn't answer, or a file that is none, into NoDatabase.

    A deed that the database user may not do is NotPermitted.
    """
    try:
        yield
    except DBAPIError as error:
        if isinstance(error.orig, InsufficientPrivilege | ReadOnlySqlTransaction):
            raise _not_permitted(engine, error) from error
        # This very class, none of those below it: SQLite found no database in the file.
        if not is_outage(error) and type(error.orig) is not sqlite3.DatabaseError:
            raise
        where = engine.url.render_as_string(hide_password=True)
        cause = _cause(error)
        raise NoDatabase(
            f"连不上账本数据库 {where}：请检查它是否在运行，以及 HOURS_LEDGER_URL。 "
            f"The ledger's database {where} does not answer ({cause}): "
            "check that it runs, and HOURS_LEDGER_URL."
        ) from error


def is_outage(error: DBAPIError) -> bool:
    """Whether the database is away, full or busy, so that trying again later can help."""
    return error.connection_invalidated or isinstance(error, OperationalError)


def _not_permitted(engine: Engine, error: DBAPIError) -> NotPermitted:
    user = engine.url.username or ""
    return NotPermitted(
        f"数据库用户 {user} 没有权限：请检查 HOURS_LEDGER_URL；hours init 由表的所有者运行。 "
        f"The database user {user} may not do this ({_cause(error)}): check the user in "
        "HOURS_LEDGER_URL; hours init is run by the owner of the tables."
    )


def _cause(error: DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0]


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("schema_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM schema_version"))
    return found
