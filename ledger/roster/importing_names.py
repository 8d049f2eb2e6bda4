"""Which code is meant where a cell names something: a code, or a name that only one has.

What may be named is what the roster has and what the rows add, those with faults included, so
that one fault isn't told of again wherever its row is named. Invariant: a name that two have is
never taken for either.
"""

import difflib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from ledger.roster.importing_reasons import Reason, Wrong
from ledger.roster.importing_values import Row
from ledger.roster.records import Person, Record
from ledger.roster.roster import Roster

_LOOKED_AT = 200_000
"""How many codes and names are compared in all, to suggest what was meant."""

_KEYED = {
    **dict.fromkeys(("unit", "have_item", "platform", "team", "project", "activity"), "code"),
    "person": "volunteer",
}


class Names:
    """Codes and names by kind."""

    def __init__(self, roster: Roster, rows: Iterable[Row], today: str) -> None:
        """Of a roster and of all rows there are; names no longer in use on `today` count not."""
        self._codes: dict[str, dict[str, str]] = defaultdict(dict)
        self._named: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        self._erased: set[str] = set()
        self._left = _LOOKED_AT
        self._suggested: dict[tuple[str, str], str] = {}
        self._take_roster(roster, today)
        for row in rows:
            if code := row.cells.get(_KEYED.get(row.kind, "")):
                self._add(row.kind, code, row.cells.get("name_zh") or row.cells.get("title", ""))

    def code(self, kind: str, text: str) -> str | Wrong:
        """The code of a kind that a text names."""
        if text in self._codes[kind]:
            return text
        if kind == "person" and text in self._erased:
            return Wrong(Reason.ERASED)
        meant = self._named[kind].get(text, set())
        if len(meant) > 1:
            return Wrong(Reason.AMBIGUOUS_NAME, "、".join(sorted(meant)[:10]))
        if meant:
            return next(iter(meant))
        return Wrong(Reason.UNKNOWN_CODE, self._nearest(kind, text))

    def is_erased(self, volunteer: str) -> bool:
        return volunteer in self._erased

    def _take_roster(self, roster: Roster, today: str) -> None:
        for kind in _KEYED:
            for record in roster.records.get(kind, {}).values():
                if isinstance(record, Person) and record.status == "erased":
                    self._erased.add(record.volunteer)
                else:
                    self._add(kind, record.key[0], _name_of(record, today))

    def _add(self, kind: str, code: str, name: str) -> None:
        self._codes[kind].setdefault(code, name)
        if name:
            self._codes[kind][code] = name
            self._named[kind][name].add(code)

    def _nearest(self, kind: str, text: str) -> str:
        """`（相近 nearest: …）`, or nothing where nothing is near, or it was asked too often."""
        if (kind, text) not in self._suggested:
            self._suggested[kind, text] = self._search(kind, text)
        return self._suggested[kind, text]

    def _search(self, kind: str, text: str) -> str:
        codes, named = self._codes[kind], self._named[kind]
        self._left -= len(codes) + len(named)
        if self._left < 0:
            return ""
        candidates = [*codes, *named]
        near = difflib.get_close_matches(text[:100], candidates, n=3, cutoff=0.5)
        found = dict.fromkeys(
            code for name in near for code in (sorted(named[name]) if name in named else [name])
        )
        return f"（相近 nearest: {_listed(list(found)[:3], codes)}）" if found else ""


def _name_of(record: Record, today: str) -> str:
    until = getattr(record, "valid_until", None)
    if until is not None and until <= today:
        return ""
    return str(getattr(record, "name_zh", None) or getattr(record, "title", ""))


def _listed(codes: Sequence[str], names: Mapping[str, str]) -> str:
    return "、".join(f"{code} {names[code]}".strip() for code in codes)
