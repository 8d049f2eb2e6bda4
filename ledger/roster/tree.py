"""What stands above and beneath a unit or team, on a day.

Pure. Invariant: it ends, also where the tree on that day goes in a circle.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from ledger.roster.records import Team, Unit

Rows = Mapping[str, Sequence[Unit]] | Mapping[str, Sequence[Team]]


def row_on(rows: Rows, code: str, day: str) -> Unit | Team | None:
    """The row of a code that holds on an ISO date, or else its last."""
    found = rows.get(code, ())
    return next((row for row in found if row.holds_on(day)), found[-1] if found else None)


def unit_of(teams: Mapping[str, Sequence[Team]], code: str, day: str) -> str | None:
    """The unit that a team belongs to."""
    row = row_on(teams, code, day)
    return row.unit if isinstance(row, Team) else None


def above(rows: Rows, code: str, day: str) -> list[str]:
    """The codes above one, the highest first."""
    found: list[str] = []
    row = row_on(rows, code, day)
    while row is not None and row.parent is not None and row.parent not in (code, *found):
        found.append(row.parent)
        row = row_on(rows, row.parent, day)
    return found[::-1]


def beneath(rows: Rows, code: str, day: str) -> set[str]:
    """The codes beneath one, at any depth, without itself; only what holds on the day."""
    children: dict[str, list[str]] = defaultdict(list)
    for of_code in rows.values():
        for row in of_code:
            if row.parent is not None and row.holds_on(day):
                children[row.parent].append(row.code)
    found: set[str] = set()
    waiting = [code]
    while waiting:
        new = [child for child in children[waiting.pop()] if child not in found]
        found.update(new)
        waiting += new
    return found - {code}
