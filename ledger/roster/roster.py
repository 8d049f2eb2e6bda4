"""The roster as one value: every record there is, and what follows from them together.

Not the store, and no private data. Invariant: a `Roster` is never changed; `after` gives another.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from ledger.roster.records import (
    KINDS,
    Activity,
    AnyRecord,
    Membership,
    Person,
    Platform,
    Project,
    Record,
    Team,
    Unit,
)

Key = tuple[str, ...]


class Change(NamedTuple):
    """What becomes of one record: added where `before` is None, removed where `after` is."""

    before: Record | None
    after: Record | None

    @property
    def record(self) -> Record:
        """One of the two, to say which record it is about."""
        one = self.after or self.before
        assert one is not None
        return one

    @property
    def kind(self) -> str:
        return self.record.KIND

    @property
    def key(self) -> Key:
        return self.record.key

    def undone(self) -> "Change":
        """The change that takes this one back."""
        return Change(self.after, self.before)


@dataclass(frozen=True)
class Roster:
    """Records by kind and key."""

    records: Mapping[str, Mapping[Key, Record]] = field(default_factory=dict)

    @classmethod
    def of(cls, given: Iterable[Record]) -> "Roster":
        """A roster of these records; of equal keys, the last."""
        records: dict[str, dict[Key, Record]] = {kind: {} for kind in KINDS}
        for record in given:
            records[record.KIND][record.key] = record
        return cls(records)

    def get(self, kind: type[AnyRecord], *key: str) -> AnyRecord | None:
        """The record of a kind and key, if there is one."""
        return self.records.get(kind.KIND, {}).get(key)  # type: ignore[return-value]

    def all(self, kind: type[AnyRecord]) -> Iterator[AnyRecord]:
        """The records of a kind, in the order of their keys."""
        found = self.records.get(kind.KIND, {})
        return (found[key] for key in sorted(found))  # type: ignore[misc]

    def after(self, changes: Iterable[Change]) -> "Roster":
        """The roster once the changes have been made."""
        records = {kind: dict(self.records.get(kind, {})) for kind in KINDS}
        for change in changes:
            if change.after is None:
                records[change.kind].pop(change.key, None)
            else:
                records[change.kind][change.key] = change.after
        return Roster(records)

    @cached_property
    def units(self) -> dict[str, list[Unit]]:
        """Each unit's rows by code, the oldest first."""
        return _by_code(self.all(Unit))

    @cached_property
    def teams(self) -> dict[str, list[Team]]:
        """Each team's rows by code, the oldest first."""
        return _by_code(self.all(Team))

    @cached_property
    def projects(self) -> dict[str, list[Project]]:
        """Each project's rows by code, the oldest first."""
        return _by_code(self.all(Project))

    @cached_property
    def platforms(self) -> dict[str, Platform]:
        return {one.code: one for one in self.all(Platform)}

    @cached_property
    def activities(self) -> dict[str, Activity]:
        return {one.code: one for one in self.all(Activity)}

    @cached_property
    def people(self) -> dict[str, Person]:
        return {one.volunteer: one for one in self.all(Person)}

    @cached_property
    def memberships(self) -> dict[str, list[Membership]]:
        """Each volunteer's memberships."""
        found: dict[str, list[Membership]] = defaultdict(list)
        for one in self.all(Membership):
            found[one.volunteer].append(one)
        return dict(found)


def _by_code(rows: Iterable[AnyRecord]) -> dict[str, list[AnyRecord]]:
    found: dict[str, list[AnyRecord]] = defaultdict(list)
    for row in rows:
        found[row.key[0]].append(row)
    return dict(found)
