"""The roster: units, teams, people, activities, projects, their history and outbox."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG = sa.BigInteger()
CODE = sa.String(128)
DAY = sa.String(10)
LINE = sa.String(1000)


def upgrade() -> None:
    _places_and_teams()
    _activities()
    _people()
    _history()
    for table in ("roster_change_sets", "roster_changes", "roster_disclosures"):
        _make_append_only(table)


def _key(name: str, type_: sa.types.TypeEngine[Any] = CODE) -> sa.Column[Any]:
    return sa.Column(name, type_, primary_key=True, autoincrement=False)


def _must(name: str, type_: sa.types.TypeEngine[Any] = LINE) -> sa.Column[Any]:
    return sa.Column(name, type_, nullable=False)


def _may(name: str, type_: sa.types.TypeEngine[Any] = CODE) -> sa.Column[Any]:
    return sa.Column(name, type_)


def _valid() -> tuple[sa.Column[Any], ...]:
    return (_key("valid_from", DAY), _may("valid_until", DAY), _key("code"))


def _named() -> tuple[sa.Column[Any], ...]:
    return (_must("kind"), _must("name_zh"), _may("name_en", LINE))


def _places_and_teams() -> None:
    op.create_table("roster_units", *_valid(), *_named(), _may("parent"), _may("successor"))
    for table in ("roster_have_items", "roster_platforms"):
        name = (_must("name_zh"), _may("name_en", LINE))
        op.create_table(table, _key("code"), *name, _must("position", BIG))
    op.create_table(
        "roster_haves",
        *(_key("post"), _key("item"), _must("state"), _must("day")),
        *(_may("note", LINE), _must("checked_by")),
    )
    op.create_table(
        "roster_teams",
        *(*_valid(), *_named(), _may("parent"), _may("unit")),
        *(_must("platforms", sa.Text()), _must("leaders", sa.Text()), _may("successor")),
    )
    op.create_table("roster_projects", *_valid(), *_named(), _may("unit"), _must("status"))


def _activities() -> None:
    op.create_table(
        "roster_activities",
        *(_key("code"), _must("title"), _may("platform"), _may("project"), _must("unit")),
        *(_must("teams", sa.Text()), _must("category")),
        *(_may(f"{when}_{end}", BIG) for when in ("planned", "held") for end in ("start", "end")),
        *(_may("served", BIG), _may("capacity", BIG), _must("status")),
    )
    op.create_table("roster_signups", _key("activity"), _key("volunteer"), _may("day", DAY))


def _people() -> None:
    op.create_table(
        "roster_people",
        *(_key("volunteer"), _must("status"), _may("consent", DAY), _may("unit")),
        *(_may("badge_serial"), _must("badge_generation", BIG), _must("private_version", BIG)),
    )
    op.create_table(
        "roster_memberships",
        *(_key("volunteer"), _key("team"), _key("since", DAY), _may("until", DAY)),
    )
    op.create_index("roster_memberships_by_team", "roster_memberships", ["team"])
    sealed = _must("sealed", sa.LargeBinary())
    op.create_table("roster_private", _key("volunteer"), _key("version", BIG), sealed)


def _history() -> None:
    deed = (_must("made_at", BIG), _must("made_by"), _must("why"))
    op.create_table(
        "roster_change_sets", _key("number", BIG), *deed, _may("source", LINE), _may("undoes", BIG)
    )
    op.create_table(
        "roster_changes",
        *(_key("change_set", BIG), _key("position", sa.Integer())),
        *(_must("kind", sa.String(16)), _must("key", sa.Text())),
        *(_may("before", sa.Text()), _may("after", sa.Text())),
    )
    op.create_index("roster_changes_by_record", "roster_changes", ["kind", "key"])
    seen = (_must("made_at", BIG), _must("made_by"), _must("why"), _must("what", sa.Text()))
    op.create_table("roster_disclosures", _key("number", BIG), *seen)
    op.create_table(
        "roster_outbox",
        *(_key("change_set", BIG), _key("position", sa.Integer())),
        *(_must("key", sa.Text()), _may("value", sa.Text())),
    )


def _make_append_only(table: str) -> None:
    """The database itself refuses to change or remove history."""
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
