"""What `hours.roster` says: the newest state of each thing, from its records in their order.

For whoever has no business with the database, as kiosks and boards. Not the roster itself, which
is the database's. Invariant: of a thing's values, one of an older revision never replaces a newer.
"""

import sys
from collections.abc import Mapping
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


class _Part(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)


class _Period(_Part):
    name_zh: str | None = None
    name_en: str | None = None
    unit: str | None = None
    successor: str | None = None
    valid_from: str | None = None
    valid_until: str | None = None


class _Periods(Told):
    rows: tuple[_Period, ...] = ()


class _Badge(_Part):
    generation: int | None = None


class _Membership(_Part):
    team: str
    since: str | None = None
    until: str | None = None


class _Volunteer(Told):
    called: str | None = None
    status: str | None = None
    badge: _Badge | None = None
    teams: tuple[_Membership, ...] = ()


class _Activity(Told):
    title: str | None = None
    teams: tuple[str, ...] = ()
    unit: str | None = None
    status: str | None = None
    planned_start: int | None = None
    planned_end: int | None = None
    held_start: int | None = None
    held_end: int | None = None


_SHAPES: Mapping[str, type[Told]] = {
    "unit": _Periods,
    "team": _Periods,
    "volunteer": _Volunteer,
    "activity": _Activity,
}
"""What whoever reads these may count on, if it is said at all."""


class RosterView:
    """What the records taken so far come to.

    `told` is each thing's value by its key (`team/choir`); `since`, for each field of it, the
    broker's time of the record that first said so (microseconds); `unreadable` why a key's last
    record could not be read: it isn't the ledger's. `taken` counts records.
    """

    def __init__(self, before: "RosterView | None" = None) -> None:
        """`before` is what was known until the topic was read anew: what stays has its times."""
        self.told: dict[str, dict[str, Any]] = {}
        self.since: dict[str, dict[str, int]] = {}
        self.unreadable: dict[str, str] = {}
        self.taken = 0
        self._before = before

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
            told = _SHAPES.get(name.partition("/")[0], Told).model_validate_json(value)
        except ValidationError as error:
            self.unreadable[name] = error.errors(include_url=False)[0]["msg"]
            return
        self._keep(name, told.model_dump(mode="json", exclude_unset=True), at)

    def whole(self) -> None:
        """The topic is read to its end: what was known before it has told all it can."""
        self._before = None

    def _keep(self, name: str, new: dict[str, Any], at: int) -> None:
        known = self.told.get(name)
        if known is not None and new["revision"] < known["revision"]:
            return
        view = self._before if known is None else self
        before = {} if view is None else view.told.get(name, {})
        times = {} if view is None else view.since.get(name, {})
        self.told[name] = before if before == new else new  # one copy in memory is enough
        self.since[name] = _since(new, before, times, at)


def _since(
    new: Mapping[str, Any], before: Mapping[str, Any], times: Mapping[str, int], at: int
) -> dict[str, int]:
    """Since when each field says what it says: as before, where it said so before."""
    return {
        field: times.get(field, at) if field in before and before[field] == value else at
        for field, value in new.items()
        if field != "revision"
    }
