"""Who somebody is, put beside the changes that add or change them: read, checked, sealed.

For the command and for the board alike. Invariant: what is kept for ever, the deed, never says who
somebody is; and nobody is enrolled twice unless somebody says that it is another person.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from ledger.roster import store
from ledger.roster.editing import Wrong
from ledger.roster.private_values import mentions, read_private, same_people
from ledger.roster.records import Person
from ledger.roster.roster import Change
from ledger.roster.store import Deed
from ledger.roster.vault import PrivateData, Sealed, Vault


class Named(NamedTuple):
    """The changes, with the person's new version, and what is sealed of it."""

    changes: Sequence[Change]
    sealed: Mapping[tuple[str, int], Sealed]


class Namesakes(NamedTuple):
    """Volunteers who have the same document, or the same phone and name."""

    volunteers: Sequence[str]


class SaysWho(NamedTuple):
    """The deed's reason, or who did it, holds the name, phone or document."""

    deed: Deed


def with_private(
    connection: Connection,
    vault: Vault,
    changes: Sequence[Change],
    given: Mapping[str, Any],
    deed: Deed,
    other_person: bool,
) -> Named | Namesakes | SaysWho | Sequence[Wrong]:
    """Changes of one person with their private data as a new version, within `store.changing`."""
    everyone = store.load_private(connection, vault)
    at, person = next(
        (at, one.after) for at, one in enumerate(changes) if isinstance(one.after, Person)
    )
    volunteer = person.volunteer
    today = datetime.fromtimestamp(deed.at // 1_000_000, UTC).date()
    data = read_private(given, today, everyone.pop(volunteer, None))
    if not isinstance(data, PrivateData):
        return data
    if mentions(deed.why, data) or mentions(deed.by, data):
        return SaysWho(deed)
    others = same_people(data, everyone.items())
    if others and not other_person:
        return Namesakes(others)
    version = store.latest_version(connection, volunteer) + 1
    changed = changes[at]._replace(after=person.model_copy(update={"private_version": version}))
    sealed = {(volunteer, version): vault.seal(volunteer, data)}
    return Named([*changes[:at], changed, *changes[at + 1 :]], sealed)
