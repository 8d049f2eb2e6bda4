"""Which table a CSV file is: from its file name, or failing that from its headers. Pure.

Invariant: where more than one table fits, none is taken.
"""

from collections.abc import Sequence
from pathlib import Path

from producers.sheets.grids import Grid
from producers.sheets.headers import find_header, sheet_name
from producers.sheets.refusals import Reason, Unreadable
from producers.sheets.values import TableSpec


def spec_of_csv(grid: Grid, specs: Sequence[TableSpec]) -> TableSpec:
    """The one spec that fits; Unreadable where none or several do."""
    named = _by_name(sheet_name(Path(grid.file).stem), specs)
    fitting = named if len(named) == 1 else _by_header(grid, specs)
    if len(fitting) == 1:
        return fitting[0]
    known = "、".join(spec.sheets[0] for spec in fitting or specs)
    raise Unreadable(Reason.AMBIGUOUS_KIND if fitting else Reason.UNKNOWN_KIND, known=known)


def _by_name(stem: str, specs: Sequence[TableSpec]) -> list[TableSpec]:
    """Those with a name the file's name is, or holds: 六有项目.csv is no 六有."""
    held = {sheet_name(name) for spec in specs for name in spec.sheets if sheet_name(name) in stem}
    longest = {name for name in held if not any(name != other and name in other for other in held)}
    return [spec for spec in specs if any(sheet_name(name) in longest for name in spec.sheets)]


def _by_header(grid: Grid, specs: Sequence[TableSpec]) -> list[TableSpec]:
    """Those whose required headers are all there; of several, those that know every header."""
    headers = [(spec, found[1]) for spec in specs if (found := find_header(grid.rows, spec))]
    whole = [(spec, header) for spec, header in headers if not header.missing]
    exact = [spec for spec, header in whole if not header.unknown]
    return exact or [spec for spec, _ in whole]
