"""The first ledger: shards, append-only entries, day totals, halves, rejections."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG = sa.BigInteger


def upgrade() -> None:
    _shards()
    _entries()
    _day_totals()
    _halves()
    _rejections()
    _make_append_only("entries")


def _shards() -> None:
    op.create_table(
        "shards",
        sa.Column("shard", sa.Integer, primary_key=True, autoincrement=False),
        *(
            sa.Column(name, BIG, nullable=False)
            for name in (
                *("epoch", "next_offset", "next_seq", "replay_from", "watermark"),
                *("accepted", "duplicates", "rejected", "skipped"),
            )
        ),
        sa.Column("frontier", sa.LargeBinary, nullable=False),
    )


def _entries() -> None:
    op.create_table(
        "entries",
        sa.Column("shard", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("seq", BIG, primary_key=True, autoincrement=False),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("volunteer", sa.String(128)),
        sa.Column("session", sa.String(64)),
        sa.Column("team", sa.String(128)),
        sa.Column("place", sa.String(128)),
        sa.Column("activity", sa.String(128)),
        sa.Column("day", sa.String(10)),
        sa.Column("sessions", sa.Integer, nullable=False),
        sa.Column("seconds", BIG, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("leaf", sa.LargeBinary, nullable=False),
    )
    op.create_index("entries_by_volunteer", "entries", ["volunteer"])
    op.create_index("entries_by_day_and_team", "entries", ["day", "team"])


def _day_totals() -> None:
    op.create_table(
        "day_totals",
        sa.Column("shard", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("team", sa.String(128), primary_key=True),
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("place", sa.String(128), primary_key=True),
        sa.Column("activity", sa.String(128), primary_key=True),
        sa.Column("sessions", BIG, nullable=False),
        sa.Column("seconds", BIG, nullable=False),
    )


def _halves() -> None:
    op.create_table(
        "halves",
        sa.Column("shard", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("volunteer", sa.String(128), primary_key=True),
        sa.Column("source", sa.String(128), primary_key=True),
        sa.Column("id", sa.String(128), primary_key=True),
        sa.Column("occurred_at", BIG, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(3), nullable=False),
        sa.Column("team", sa.String(128), nullable=False),
        sa.Column("place", sa.String(128), nullable=False),
        sa.Column("activity", sa.String(128), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
    )


def _rejections() -> None:
    op.create_table(
        "rejections",
        sa.Column("shard", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("log_offset", BIG, primary_key=True, autoincrement=False),
        sa.Column("recorded_at", BIG, nullable=False),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
    )


def _make_append_only(table: str) -> None:
    """The database itself refuses to change or remove an entry."""
    if op.get_bind().dialect.name == "sqlite":
        for deed in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_refuse_{deed.lower()} BEFORE {deed} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} are append-only: {deed} is refused'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN RAISE EXCEPTION '{table} are append-only: % is refused', TG_OP; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()"
    )
