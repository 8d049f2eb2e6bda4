"""What `hours.roster` says: the newest state of each thing, from its records in their order.

For whoever has no business with the database, as kiosks and boards. Not the roster itself, which
is the database's. Invariant: of a thing's values, one of an older revision never replaces a newer.
"""

import sys
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

QUIET = "_/quiet"
"""The key of a tombstone for nothing: a record for the broker's sake, that readers pass over."""

COMMITTED = "read_committed"
"""How the topic is to be read: what a publisher gave up, or was fenced at, is not there."""


class Told(BaseModel):
    """A value on the topic: the change set it is as of, and whatever else it tells."""

    model_config = ConfigDict(extra="allow", frozen=True)

    revision: int = Field(ge=1, strict=True)


class RosterView:
    """What the records taken so far come to.

    `told` is each thing's value by its key (`team/choir`), `since` the broker's time of the record
    that first said so (microseconds); `unreadable` why a key's last record could not be read: it
    isn't the ledger's. `taken` counts records.
    """

    def __init__(self) -> None:
        self.told: dict[str, dict[str, Any]] = {}
        self.since: dict[str, int] = {}
        self.unreadable: dict[str, str] = {}
        self.taken = 0

    @property
    def revisions(self) -> dict[str, int]:
        """Each key's revision; of what can't be read, later than any."""
        known = {key: int(value["revision"]) for key, value in self.told.items()}
        return {**known, **dict.fromkeys(self.unreadable, sys.maxsize)}

    def take(self, key: bytes | None, value: bytes | None, at: int = 0) -> None:
        """One record, in the order of the topic, and the broker's time of it.

        A value that is older than what is known is a repetition and is dropped. A tombstone says no
        revision: what comes after it is new.
        """
        self.taken += 1
        name = (key or b"").decode(errors="replace")
        self.unreadable.pop(name, None)
        if value is None:
            self.told.pop(name, None)
            self.since.pop(name, None)
            return
        try:
            told = Told.model_validate_json(value)
        except ValidationError as error:
            self.unreadable[name] = error.errors(include_url=False)[0]["msg"]
            return
        self._keep(name, told, at)

    def _keep(self, name: str, told: Told, at: int) -> None:
        new, known = told.model_dump(), self.told.get(name)
        if known is not None and told.revision < known["revision"]:
            return
        if known is None or {**known, "revision": told.revision} != new:
            self.since[name] = at
        self.told[name] = new
