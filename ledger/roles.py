"""Who may do what to the ledger on PostgreSQL: five group roles beside the owner of the tables.

Whoever runs `hours init` owns the tables and changes the schema. Workers log in as members of
`hours_worker`, those who keep the roster of `hours_registrar`, a board of `hours_board`, the
signer of `hours_signer`, and those who only look of `hours_reader`; no group can log in, and the
logins are the operator's. SQLite has no roles. Invariant: what a group may do is what stands in
`PRIVILEGES`, for every table there is, and nothing else, however often it is granted.
"""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, Engine, text

from ledger import schema
from ledger.refusals import NotPermitted

WORKER = "hours_worker"
READER = "hours_reader"
REGISTRAR = "hours_registrar"
BOARD = "hours_board"
SIGNER = "hours_signer"
GROUPS = (WORKER, READER, REGISTRAR, BOARD, SIGNER)

_LOOK = ("SELECT",)
_ALL_LOOK = {READER: _LOOK, REGISTRAR: _LOOK, BOARD: _LOOK}
# A record of the roster is replaced, never altered.
_CHANGE = ("SELECT", "INSERT", "DELETE")
_ADD = ("SELECT", "INSERT")
_ALTER = ("SELECT", "INSERT", "UPDATE")
_KEPT = {REGISTRAR: _CHANGE, READER: _LOOK, BOARD: _CHANGE}
_SIGNED = {SIGNER: _ADD, **_ALL_LOOK}
_GROWN = {SIGNER: _ALTER, **_ALL_LOOK}
_CERTIFIED = {REGISTRAR: _ADD, BOARD: _ADD, READER: _LOOK, SIGNER: _LOOK}
_HISTORY = {REGISTRAR: _ADD, READER: _LOOK, BOARD: _ADD}

PRIVILEGES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    # Appended to, never changed: the trigger refuses as well, whoever asks.
    "entries": {WORKER: ("SELECT", "INSERT"), SIGNER: _LOOK, **_ALL_LOOK},
    "rejections": {WORKER: ("SELECT", "INSERT"), **_ALL_LOOK},
    # Only `hours init` begins a shard.
    "shards": {WORKER: ("SELECT", "UPDATE"), SIGNER: _LOOK, **_ALL_LOOK},
    "day_totals": {WORKER: ("SELECT", "INSERT", "UPDATE"), **_ALL_LOOK},
    # A half comes or goes; it is never altered.
    "halves": {WORKER: ("SELECT", "INSERT", "DELETE"), **_ALL_LOOK},
    # A worker's cache of raw events; a board settles one volunteer's, to show what would change.
    "window_segments": {WORKER: ("SELECT", "INSERT", "DELETE"), BOARD: _LOOK},
    **{
        f"roster_{kind}": _KEPT
        for kind in (
            *("units", "have_items", "haves", "platforms", "teams", "projects", "activities"),
            *("people", "memberships", "signups"),
        )
    },
    "roster_change_sets": _HISTORY,
    "roster_changes": _HISTORY,
    # Who somebody is, and who asked, is for those who keep the roster. Erasing writes the table
    # anew: a deleted row's bytes stay in a page, TRUNCATE gives new files.
    "roster_private": {REGISTRAR: ("SELECT", "INSERT", "DELETE", "TRUNCATE"), BOARD: _ADD},
    "roster_disclosures": {REGISTRAR: _ADD, BOARD: _ADD},
    # A worker publishes what a registrar wrote, and erasing writes it anew. How much waits anybody
    # may count; what it says, as what people are called at kiosks, is not for all.
    "roster_outbox": {
        REGISTRAR: ("SELECT", "INSERT", "TRUNCATE"),
        WORKER: ("SELECT", "DELETE"),
        READER: ("SELECT (change_set, position, key)",),
        BOARD: ("INSERT", "SELECT (change_set, position, key)"),
    },
    # Who may sign in, and what they propose, is the board's alone. What was done stays.
    "board_accounts": {BOARD: _ALTER},
    "board_sessions": {BOARD: (*_ALTER, "DELETE")},
    "board_tokens": {BOARD: _ALTER},
    "board_deeds": {BOARD: _ADD},
    "board_volunteer_codes": {BOARD: (*_ALTER, "DELETE")},
    "board_volunteer_sessions": {BOARD: (*_ALTER, "DELETE")},
    "board_corrections": {BOARD: _ALTER},
    "board_correction_steps": {BOARD: _ADD},
    "board_requests": {BOARD: _ALTER},
    "board_notices": {BOARD: _ADD},
    "board_schemes": {BOARD: _ADD},
    "board_assessments": {BOARD: _ADD},
    # The signer alone says what is signed; a worker can't, nor can it alter what was.
    "checkpoints": _SIGNED,
    "cosignatures": _SIGNED,
    "district_entries": _SIGNED,
    "tree_tiles": _GROWN,
    "volunteer_index": _GROWN,
    "certificates": _CERTIFIED,
    "certificate_fates": _CERTIFIED,
    "schema_version": {WORKER: _LOOK, SIGNER: _LOOK, **_ALL_LOOK},
}


def grant(engine: Engine) -> list[str]:
    """Give each group exactly its privileges, in one transaction; safe to repeat.

    Makes the groups that are missing. Gives those that still are, where this user may not make
    roles. NotPermitted where the tables are somebody else's.
    """
    if engine.dialect.name != "postgresql":
        return []
    with schema.reaching(engine), engine.begin() as connection:
        schema.wait_for_turn(connection)
        _refuse_stranger(connection)
        missing = _missing_after_making(connection)
        for role in GROUPS:
            if role not in missing:
                _grant_to(connection, role)
    return missing


def refuse_unprivileged(engine: Engine, role: str) -> None:
    """NotPermitted where the connected user lacks something that `role` may do."""
    if engine.dialect.name != "postgresql":
        return
    needed = [
        (table, deed)
        for table, granted in PRIVILEGES.items()
        for deed in granted.get(role, ())
        if "(" not in deed  # of some columns alone: whoever has the rest has them
    ]
    with schema.reaching(engine), engine.connect() as connection:
        user = connection.execute(text("SELECT current_user")).scalar_one()
        missing = [
            f"{deed} {table}"
            for table, deed in needed
            if not connection.execute(
                text("SELECT has_table_privilege(:table, :deed)"), {"table": table, "deed": deed}
            ).scalar_one()
        ]
    if missing:
        raise NotPermitted(
            f"数据库用户 {user} 没有所需的权限（{', '.join(missing)}）：请在 HOURS_LEDGER_URL 里用 "
            f"{role} 的成员，或请表的所有者运行 hours init。 The database user {user} lacks "
            f"{', '.join(missing)}: let HOURS_LEDGER_URL name a member of {role}, or let the "
            "owner of the tables run hours init."
        )


def _refuse_stranger(connection: Connection) -> None:
    owners = connection.execute(
        text(
            "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class "
            "WHERE oid = ANY(CAST(:tables AS regclass[])) AND NOT pg_has_role(relowner, 'USAGE')"
        ),
        {"tables": list(PRIVILEGES)},
    ).scalars()
    owner = next(iter(owners), None)
    if owner is not None:
        raise NotPermitted(
            f"表属于 {owner}：请在 HOURS_LEDGER_URL 里用它运行 hours init。 "
            f"The tables belong to {owner}: run hours init with that user in HOURS_LEDGER_URL."
        )


def _grant_to(connection: Connection, role: str) -> None:
    connection.execute(text(f"GRANT USAGE ON SCHEMA {_schema(connection)} TO {role}"))
    for table, granted in PRIVILEGES.items():
        connection.execute(text(f"REVOKE ALL ON {table} FROM {role}"))
        if role in granted:
            deeds = ", ".join(granted[role])
            connection.execute(text(f"GRANT {deeds} ON {table} TO {role}"))


def _missing_after_making(connection: Connection) -> list[str]:
    missing = sorted(set(GROUPS) - _existing(connection, GROUPS))
    if missing and not _may_make_roles(connection):
        return missing
    for role in missing:
        # Roles are shared by all databases of the server: another `hours init` may be quicker.
        connection.execute(
            text(
                f"DO $$ BEGIN CREATE ROLE {role} NOLOGIN; "
                "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
            )
        )
    return []


def _existing(connection: Connection, roles: Iterable[str]) -> set[str]:
    found = connection.execute(
        text("SELECT rolname FROM pg_roles WHERE rolname = ANY(:roles)"), {"roles": list(roles)}
    )
    return set(found.scalars())


def _may_make_roles(connection: Connection) -> bool:
    return bool(
        connection.execute(
            text("SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user")
        ).scalar_one()
    )


def _schema(connection: Connection) -> str:
    return str(connection.execute(text("SELECT quote_ident(current_schema())")).scalar_one())
