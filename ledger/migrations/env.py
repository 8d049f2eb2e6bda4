"""Alembic's entry: runs on the connection `ledger.migrating` hands over, in its transaction."""

from alembic import context

from ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table="schema_version",
)
context.run_migrations()
