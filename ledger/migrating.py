"""Bringing a database to this program's schema, by the steps in `migrations`, with Alembic.

Apart from `schema`, which all that reads a ledger asks: only who begins or upgrades one loads it.
Invariant: no other module creates or alters a table.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine

from ledger import schema

_MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(engine: Engine) -> None:
    """Bring the database to this program's schema; one at a time, all or nothing.

    NoDatabase where it doesn't answer, NewerSchema where it is ahead of this program.
    """
    with schema.reaching(engine), engine.begin() as connection:
        schema.wait_for_turn(connection)
        schema.refuse_newer(connection)
        command.upgrade(config_on(connection), "head")


def config_on(connection: Connection) -> Config:
    """What Alembic is told: where the steps are, and to take them on this connection."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    return config
