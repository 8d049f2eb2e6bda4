"""What importing takes and gives, as values: rows, and what is wrong with them.

Not where a row stands in which file: that is for whoever read it. Invariant: no private value is
in a refusal but masked, and each says what to do.
"""

from collections.abc import Mapping
from typing import NamedTuple

from ledger.roster.importing_reasons import Reason, Wrong, shown, what
from ledger.roster.importing_tables import Field

_LONGEST_SHOWN = 100


class Row(NamedTuple):
    """A row of a kind's sheet: its number among all rows, and its cells that aren't blank.

    `place` is what people call it, where another row's refusal names it.
    """

    number: int
    kind: str
    cells: Mapping[str, str]
    place: str = ""


class Refused(NamedTuple):
    """What is wrong with a row: in which field, why, and what to do, in Chinese and English.

    `value` is masked where it is private; `also` are other rows that it is about. `row` is -1
    where no row is at fault.
    """

    row: int
    field: str
    value: str
    reason: str
    what: str
    also: tuple[int, ...] = ()


def refused(
    row: Row, field: Field | None, wrong: Wrong, also: tuple[int, ...] = (), value: str = ""
) -> Refused:
    """The refusal of a row's cell; of the row as a whole where no field is named."""
    name = field.field if field else ""
    value = value or row.cells.get(name, "")
    hidden = (field is not None and field.private) or wrong.reason == Reason.NOT_A_PSEUDONYM
    return Refused(
        row.number,
        name,
        covered(value) if hidden else shown(value, _LONGEST_SHOWN),
        wrong.reason.value,
        what(wrong),
        also,
    )


def covered(value: str) -> str:
    """A private value, so that whoever has the file finds it again, and nobody else learns it."""
    if len(value) <= 4:
        return value[:1] + "*" * (len(value) - 1)
    ends = 1 if len(value) < 9 else 3
    return value[:ends] + "*" * (len(value) - 2 * ends) + value[-ends:]
