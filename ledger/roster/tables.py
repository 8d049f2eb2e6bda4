"""The roster's tables. Made and changed only by the migrations.

Each kind of `records` has a table whose columns are its fields; lists of codes are JSON texts.
Invariant: names, phones and document numbers stand, sealed, in `roster_private` and in no other;
beside them there, and nowhere else, stands a name with nothing left but its first character.
"""

from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text

from ledger.roster import records
from ledger.tables import metadata

_KEY_LENGTH = 128
_TEXT_LENGTH = 1000


def _code(name: str, is_key: bool = False) -> Column[str]:
    return Column(name, String(_KEY_LENGTH), primary_key=is_key, nullable=not is_key)


def _day(name: str, is_key: bool = False) -> Column[str]:
    return Column(name, String(10), primary_key=is_key, nullable=not is_key)


def _text(name: str, nullable: bool = False) -> Column[str]:
    return Column(name, String(_TEXT_LENGTH), nullable=nullable)


def _number(name: str, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


def _with_periods() -> tuple[Column[Any], ...]:
    """What units, teams and projects have: a row for each period."""
    period = (_day("valid_from", is_key=True), _day("valid_until"), _code("code", is_key=True))
    return (*period, _text("kind"), _text("name_zh"), _text("name_en", nullable=True))


def _listed() -> tuple[Column[Any], ...]:
    """What have-items and platforms are: a name at its place."""
    name = (_text("name_zh"), _text("name_en", nullable=True))
    return (_code("code", is_key=True), *name, _number("position"))


units = Table(
    "roster_units",
    metadata,
    *_with_periods(),
    _code("parent"),
    _code("successor"),
)

have_items = Table(
    "roster_have_items",
    metadata,
    *_listed(),
)

haves = Table(
    "roster_haves",
    metadata,
    _code("post", is_key=True),
    _code("item", is_key=True),
    _text("state"),
    _text("day"),
    _text("note", nullable=True),
    _text("checked_by"),
)

platforms = Table(
    "roster_platforms",
    metadata,
    *_listed(),
)

teams = Table(
    "roster_teams",
    metadata,
    *_with_periods(),
    _code("parent"),
    _code("unit"),
    Column("platforms", Text, nullable=False),
    Column("leaders", Text, nullable=False),
    _code("successor"),
)

projects = Table(
    "roster_projects",
    metadata,
    *_with_periods(),
    _code("unit"),
    _text("status"),
)

activities = Table(
    "roster_activities",
    metadata,
    _code("code", is_key=True),
    _text("title"),
    _code("platform"),
    _code("project"),
    _text("unit"),
    Column("teams", Text, nullable=False),
    _text("category"),
    *(
        _number(name, nullable=True)
        for name in (
            *("planned_start", "planned_end", "held_start", "held_end"),
            *("served", "capacity"),
        )
    ),
    _text("status"),
)

people = Table(
    "roster_people",
    metadata,
    _code("volunteer", is_key=True),
    _text("status"),
    _day("consent"),
    _code("unit"),
    _code("badge_serial"),
    _number("badge_generation"),
    _number("private_version"),
)

memberships = Table(
    "roster_memberships",
    metadata,
    _code("volunteer", is_key=True),
    _code("team", is_key=True),
    _day("since", is_key=True),
    _day("until"),
    Index("roster_memberships_by_team", "team"),
)

signups = Table(
    "roster_signups",
    metadata,
    _code("activity", is_key=True),
    _code("volunteer", is_key=True),
    _day("day"),
)

# Who a volunteer is, sealed by the vault's key. Versions, so that a change can be undone; erasing
# somebody deletes them all.
private = Table(
    "roster_private",
    metadata,
    _code("volunteer", is_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("sealed", LargeBinary, nullable=False),
    # The name as kiosks show it, `vault.called`; None where it was sealed before there were any.
    Column("called", String(100)),
)

# The history: a change set is what one person did at once, its changes what became of each record.
change_sets = Table(
    "roster_change_sets",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    _number("made_at"),
    _text("made_by"),
    _text("why"),
    _text("source", nullable=True),
    _number("undoes", nullable=True),
)

changes = Table(
    "roster_changes",
    metadata,
    Column("change_set", BigInteger, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("key", Text, nullable=False),
    Column("before", Text),
    Column("after", Text),
    Index("roster_changes_by_record", "kind", "key"),
)

# Who saw whose name, phone or number unmasked, and why.
disclosures = Table(
    "roster_disclosures",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    _number("made_at"),
    _text("made_by"),
    _text("why"),
    Column("what", Text, nullable=False),
)

# What is yet to be published on the topic, in this order; no value: a tombstone. `change_set` is
# the revision that the value says.
outbox = Table(
    "roster_outbox",
    metadata,
    Column("change_set", BigInteger, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("key", Text, nullable=False),
    Column("value", Text),
)

BY_KIND: dict[str, Table] = {
    records.Unit.KIND: units,
    records.HaveItem.KIND: have_items,
    records.Have.KIND: haves,
    records.Platform.KIND: platforms,
    records.Team.KIND: teams,
    records.Project.KIND: projects,
    records.Activity.KIND: activities,
    records.Person.KIND: people,
    records.Membership.KIND: memberships,
    records.Signup.KIND: signups,
}
