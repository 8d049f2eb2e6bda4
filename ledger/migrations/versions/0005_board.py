"""The board: accounts and sessions, corrections and what became of them, assessments."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BIG = sa.BigInteger()
CODE = sa.String(128)
DAY = sa.String(10)
HASH = sa.String(64)
LINE = sa.String(1000)
NAME = sa.String(64)
STATE = sa.String(16)


def upgrade() -> None:
    _accounts()
    _volunteers()
    _corrections()
    _requests()
    _assessments()
    for table in (
        *("board_deeds", "board_correction_steps", "board_notices"),
        *("board_schemes", "board_assessments"),
    ):
        _make_append_only(table)


def _key(name: str, type_: sa.types.TypeEngine[Any] = CODE) -> sa.Column[Any]:
    return sa.Column(name, type_, primary_key=True, autoincrement=False)


def _must(name: str, type_: sa.types.TypeEngine[Any] = CODE) -> sa.Column[Any]:
    return sa.Column(name, type_, nullable=False)


def _may(name: str, type_: sa.types.TypeEngine[Any] = CODE) -> sa.Column[Any]:
    return sa.Column(name, type_)


def _accounts() -> None:
    op.create_table(
        "board_accounts",
        *(_key("name", NAME), _must("role", STATE)),
        *(_must("teams", sa.Text()), _must("units", sa.Text())),
        *(_may("password", sa.String(200)), _may("subject", sa.String(255))),
        *(_may("email", sa.String(255)), _must("made_at", BIG), _must("made_by", NAME)),
        *(_may("disabled_at", BIG), _must("failures", BIG), _may("locked_until", BIG)),
        sa.UniqueConstraint("subject"),
    )
    op.create_table(
        "board_sessions",
        *(_key("hash", HASH), _must("account", NAME), _must("made_at", BIG)),
        *(_must("seen_at", BIG), _must("expires_at", BIG)),
        *(_must("address", HASH), _must("browser", sa.String(200))),
    )
    op.create_index("board_sessions_by_account", "board_sessions", ["account"])
    op.create_table(
        "board_tokens",
        *(_key("hash", HASH), _must("account", NAME), _must("label", sa.String(200))),
        *(_must("made_at", BIG), _must("expires_at", BIG), _may("revoked_at", BIG)),
    )
    op.create_index("board_tokens_by_account", "board_tokens", ["account"])
    op.create_table(
        "board_deeds",
        *(_key("number", BIG), _must("at", BIG), _must("by", NAME)),
        *(_must("what", NAME), _must("about", LINE), _must("address", HASH)),
    )


def _volunteers() -> None:
    op.create_table(
        "board_volunteer_codes",
        *(_key("hash", HASH), _must("volunteer"), _must("made_at", BIG)),
        *(_must("made_by", NAME), _must("expires_at", BIG), _may("used_at", BIG)),
    )
    op.create_table(
        "board_volunteer_sessions",
        *(_key("hash", HASH), _must("volunteer"), _must("made_at", BIG)),
        _must("expires_at", BIG),
    )


def _corrections() -> None:
    op.create_table(
        "board_corrections",
        *(_key("number", BIG), _must("kind", STATE), _must("volunteer")),
        *(_must("tap_source"), _must("tap_id")),
        *(_must("team"), _must("place"), _must("activity")),
        *(_may("occurred_at", BIG), _must("day", DAY), _must("seconds", BIG)),
        *(_must("reason", LINE), _may("batch", BIG), _may("undoes", BIG)),
        *(_must("proposed_by", NAME), _must("proposed_at", BIG), _must("state", STATE)),
        *(_may("decided_by", NAME), _may("decided_at", BIG)),
        *(_may("open_for", sa.String(400)), _may("event", sa.Text())),
        *(_may("log_partition", sa.Integer()), _may("log_offset", BIG)),
        _may("outcome", sa.Text()),
        sa.UniqueConstraint("open_for"),
    )
    op.create_index("board_corrections_by_state", "board_corrections", ["state"])
    op.create_index("board_corrections_by_volunteer", "board_corrections", ["volunteer"])
    op.create_table(
        "board_correction_steps",
        *(_key("correction", BIG), _key("position", sa.Integer()), _must("state", STATE)),
        *(_must("at", BIG), _must("by", NAME), _must("why", LINE)),
    )


def _requests() -> None:
    op.create_table(
        "board_requests",
        *(_key("number", BIG), _must("volunteer"), _must("team"), _must("day", DAY)),
        *(_must("said", LINE), _must("at", BIG)),
        *(_may("answered_by", NAME), _may("answered_at", BIG), _may("answer", LINE)),
    )
    op.create_index("board_requests_by_volunteer", "board_requests", ["volunteer"])
    op.create_table(
        "board_notices",
        *(_key("channel", sa.String(255)), _key("volunteer"), _key("source"), _key("id")),
        *(_key("occurred_at", BIG), _must("told_at", BIG)),
    )


def _assessments() -> None:
    op.create_table(
        "board_schemes",
        *(_key("number", BIG), _must("made_at", BIG), _must("made_by", NAME)),
        _must("body", sa.Text()),
    )
    op.create_table(
        "board_assessments",
        *(_key("number", BIG), _must("scheme", BIG), _must("first", DAY), _must("last", DAY)),
        *(_must("published_at", BIG), _must("published_by", NAME)),
        *(_must("heads", sa.Text()), _must("body", sa.Text())),
    )


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
