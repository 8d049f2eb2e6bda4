"""Whether, and how, a command may say who volunteers are: masked, unmasked and recorded, or not.

Invariant: without the key, the right to the table and a reason, nothing unmasked is read.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from sqlalchemy import Connection, Engine

from hours import showing
from hours.settings import Settings
from ledger import queries
from ledger.refusals import NotPermitted
from ledger.roster import store
from ledger.roster.disclosing import disclose, may_see, who
from ledger.roster.store import Deed
from ledger.roster.vault import PrivateData, Vault, masked

Shown = Mapping[str, Mapping[str, str | None]]
"""By volunteer: name, phone, document type and document, as they may be shown."""


class Reveal(NamedTuple):
    """Whether to show people unmasked, and the deed that is then kept."""

    deed: Deed | None = None


MASKED = Reveal()


def shown(engine: Engine, settings: Settings, volunteers: Collection[str], reveal: Reveal) -> Shown:
    """Who the volunteers are. NotPermitted, WrongUse, WrongKey where they were to be revealed."""
    if reveal.deed is not None:
        with store.changing(engine) as connection:
            _refuse_without_right(connection)
            found = disclose(connection, settings.vault(), volunteers, reveal.deed)
        return {one: dict(data) for one, data in found.items()}
    with queries.reading(engine) as connection:
        vault = vault_if_allowed(connection, settings)
        found = {} if vault is None else who(connection, vault, volunteers)
    return {one: masked(data) for one, data in found.items()}


def everybody(connection: Connection, settings: Settings) -> Mapping[str, PrivateData]:
    """Who everybody is, for looking somebody up in memory; nobody without key or right."""
    vault = vault_if_allowed(connection, settings)
    return {} if vault is None else store.load_private(connection, vault)


def vault_if_allowed(connection: Connection, settings: Settings) -> Vault | None:
    """The vault; None, and a line that says why, where names can't be shown."""
    if not may_see(connection):
        showing.say(
            "没有读姓名表的权限：姓名不显示。 "
            "This database user may not read names: none are shown."
        )
        return None
    if settings.roster_key_file is None:
        showing.say(
            "没有设置 HOURS_ROSTER_KEY_FILE：姓名不显示。 "
            "HOURS_ROSTER_KEY_FILE is not set: no names are shown."
        )
        return None
    return settings.vault()


def _refuse_without_right(connection: Connection) -> None:
    if not may_see(connection):
        raise NotPermitted(
            "这个数据库用户无权看姓名：请用 hours_registrar 的成员登录（HOURS_LEDGER_URL）。 "
            "This database user may not see names: let HOURS_LEDGER_URL name a member of "
            "hours_registrar."
        )
