"""Evidence: signed checkpoints, the trees' tiles, the district's log, certificates."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BIG = sa.BigInteger()
BYTES = sa.LargeBinary()
CODE = sa.String(128)
HASH = sa.String(64)
LINE = sa.String(1000)
NAME = sa.String(64)
STATE = sa.String(16)


def upgrade() -> None:
    _trees()
    _certificates()
    for table in (
        *("checkpoints", "cosignatures", "district_entries"),
        *("certificates", "certificate_fates"),
    ):
        _make_append_only(table)


def _key(name: str, type_: sa.types.TypeEngine[Any] = CODE) -> sa.Column[Any]:
    return sa.Column(name, type_, primary_key=True, autoincrement=False)


def _must(name: str, type_: sa.types.TypeEngine[Any] = CODE) -> sa.Column[Any]:
    return sa.Column(name, type_, nullable=False)


def _may(name: str, type_: sa.types.TypeEngine[Any] = CODE) -> sa.Column[Any]:
    return sa.Column(name, type_)


def _trees() -> None:
    op.create_table(
        "checkpoints",
        *(_key("tree", NAME), _key("size", BIG), _must("root", BYTES)),
        *(_must("note", sa.Text()), _must("signed_at", BIG)),
    )
    op.create_table(
        "cosignatures",
        *(_key("tree", NAME), _key("size", BIG), _key("witness", sa.String(255))),
        *(_must("line", sa.Text()), _must("signed_at", BIG)),
    )
    op.create_table(
        "tree_tiles",
        *(_key("tree", NAME), _key("level", sa.Integer()), _key("number", BIG)),
        _must("hashes", BYTES),
    )
    op.create_table(
        "district_entries",
        *(_key("seq", BIG), _must("kind", STATE), _must("body", BYTES), _must("leaf", BYTES)),
    )
    op.create_table(
        "volunteer_index",
        *(_key("shard", sa.Integer()), _key("volunteer")),
        *(_must("entries", BIG), _must("chain", BYTES)),
    )


def _certificates() -> None:
    op.create_table(
        "certificates",
        *(_key("number", NAME), _must("volunteer"), _must("made_at", BIG), _must("made_by", CODE)),
        *(_must("statement", HASH), _must("statement_body", sa.Text())),
        *(_may("notice_until", BIG), _may("replaces", NAME)),
    )
    op.create_index("certificates_by_volunteer", "certificates", ["volunteer"])
    op.create_table(
        "certificate_fates",
        *(_key("fate", BIG), _must("number", NAME), _must("status", STATE)),
        *(_must("statement", HASH), _must("replaced_by", NAME)),
        *(_must("at", BIG), _must("by", CODE), _must("reason", LINE)),
    )
    op.create_index("certificate_fates_by_number", "certificate_fates", ["number"])


def _make_append_only(table: str) -> None:
    """The database itself refuses to change or remove what was done."""
    if op.get_bind().dialect.name == "sqlite":
        for deed in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_refuse_{deed.lower()} BEFORE {deed} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only: {deed} is refused'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN RAISE EXCEPTION '{table} is append-only: % is refused', TG_OP; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()"
    )
