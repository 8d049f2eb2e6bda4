"""A roster in memory that rows are imported into, with no files and no database."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from ledger.roster.importing import Enrolment, Imported, plan_import
from ledger.roster.importing_values import Row
from ledger.roster.records import Membership, Person
from ledger.roster.roster import Roster
from ledger.roster.vault import PrivateData

ZONE = ZoneInfo("Asia/Shanghai")
TODAY = "2026-07-01"
GivenRow = tuple[str, Mapping[str, str]]

CENTRE = ("unit", {"code": "centre", "kind": "中心", "name_zh": "实践中心"})
OFFICE = ("unit", {"code": "office", "kind": "所", "name_zh": "金沙所", "parent": "centre"})
CHOIR = ("team", {"code": "choir", "kind": "分队", "name_zh": "合唱队"})
READERS = ("team", {"code": "readers", "kind": "分队", "name_zh": "读书队"})
WANG = {"name": "王小明", "phone": "15400000001", "document": "770000199003070012"}
LI = {"name": "李芳", "phone": "15400000002", "document": "770000198508120025"}


def person(**cells: str) -> GivenRow:
    return ("person", cells)


@dataclass(frozen=True)
class World:
    """A roster, and who its volunteers are."""

    roster: Roster = field(default_factory=lambda: Roster.of(()))
    private: Mapping[str, PrivateData] = field(default_factory=dict)
    today: str = TODAY
    zone: ZoneInfo = ZONE

    def plan(self, *rows: GivenRow, unsound: tuple[GivenRow, ...] = ()) -> Imported:
        numbers = count(1)
        taken = {*self.roster.people, *(cells.get("volunteer") for _, cells in rows)}
        new = (one for one in (f"N{number}" for number in numbers) if one not in taken)
        return plan_import(
            [
                Row(number, kind, cells, f"row {number}")
                for number, (kind, cells) in enumerate(rows)
            ],
            [Row(-1, kind, cells) for kind, cells in unsound],
            self.roster,
            Enrolment(
                self.private,
                {one: person.private_version for one, person in self.roster.people.items()},
                lambda: next(new),
                lambda: f"B{next(numbers)}",
            ),
            self.zone,
            self.today,
        )

    def after(self, *rows: GivenRow) -> "World":
        """The world once the rows were imported; none of them may be refused."""
        imported = self.plan(*rows)
        assert imported.refused == []
        told = {volunteer: who.after for volunteer, who in imported.private.items()}
        return replace(
            self, roster=self.roster.after(imported.changes), private={**self.private, **told}
        )

    def reasons(self, *rows: GivenRow) -> list[tuple[int, str, str]]:
        """Row, field and reason of each refusal."""
        return [(one.row, one.field, one.reason) for one in self.plan(*rows).refused]

    def teams_of(self, volunteer: str) -> dict[str, tuple[str, str | None]]:
        """Each team of a volunteer, and since and until when."""
        return {
            one.team: (one.since, one.until)
            for one in self.roster.all(Membership)
            if one.volunteer == volunteer
        }

    def who_has(self, document: str | None) -> str:
        """The one volunteer with this document."""
        [found] = [one for one, who in self.private.items() if who.document == document]
        return found

    def who(self) -> dict[str, Any]:
        """Volunteers by name."""
        return {self.private[one.volunteer].name: one.volunteer for one in self.roster.all(Person)}


def changed(imported: Imported) -> dict[tuple[str, ...], str]:
    """What becomes of each record, by kind and key."""
    return {
        (one.kind, *one.key): "added" if one.before is None else "removed" if one.after is None
        else "changed"
        for one in imported.changes
    }  # fmt: skip
