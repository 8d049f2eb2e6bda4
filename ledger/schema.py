"""The schema's version: bringing a database up to date, and refusing one that isn't.

Invariant: no other module creates or alters a table.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg.errors import InsufficientPrivilege, ReadOnlySqlTransaction
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

from ledger.refusals import NewerSchema, NoDatabase, NotInitialised, NotPermitted

_MIGRATIONS = Path(__file__).parent / "migrations"
_BEGINNING_LOCK = 0x686F757273
"""PostgreSQL's advisory lock for beginning and upgrading a ledger: the letters "hours"."""


def upgrade(engine: Engine) -> None:
    """Bring the database to this program's schema; one at a time, all or nothing.

    NoDatabase where it doesn't answer, NewerSchema where it is ahead of this program.
    """
    with reaching(engine), engine.begin() as connection:
        wait_for_turn(connection)
        _refuse_newer(connection)
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def check(engine: Engine) -> None:
    """Refuse a database that isn't at this program's schema (NotInitialised, NewerSchema)."""
    with reaching(engine), engine.connect() as connection:
        _refuse_newer(connection)
        found = _version(connection)
    if found != _head():
        raise NotInitialised(
            f"账本数据库的版本是 {found or '空'}，需要 {_head()}：请运行 hours init。 "
            f"The ledger's database is at version {found or 'none'}, not {_head()}: run hours init."
        )


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


def _refuse_newer(connection: Connection) -> None:
    found = _version(connection)
    if found is not None and found not in _known_versions():
        raise NewerSchema(
            f"账本数据库的版本 {found} 比本程序新：请升级程序。 "
            f"The ledger's database is at version {found}, newer than this program knows: "
            "upgrade the program."
        )


def _version(connection: Connection) -> str | None:
    context = MigrationContext.configure(connection, opts={"version_table": "schema_version"})
    return context.get_current_revision()


def _known_versions() -> set[str]:
    return {script.revision for script in ScriptDirectory(str(_MIGRATIONS)).walk_revisions()}


def _head() -> str:
    head = ScriptDirectory(str(_MIGRATIONS)).get_current_head()
    assert head is not None
    return head


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config
