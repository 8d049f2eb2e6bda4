"""Rows of people: who is meant by each, and who might be somebody else's double.

A row means the volunteer whose id it has; without one, whoever in the roster has its document, or
its phone and name. Pure. Invariant: two people are never made one, nor one person two, without a
row that says so.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

from ledger.roster.importing_doubles import Doubles, Enrolled, told_of
from ledger.roster.importing_reasons import Reason, Wrong
from ledger.roster.importing_records import Reading, Wanted, read_row
from ledger.roster.importing_tables import PEOPLE, Field
from ledger.roster.importing_values import Refused, Row, refused
from ledger.roster.private_forms import document_type, wrong_document
from ledger.roster.vault import PrivateData, document_of, phone_of

_FIELDS = PEOPLE.by_name
_PRIVATE = tuple(PrivateData.model_fields)


class _Read(NamedTuple):
    row: Row
    values: Mapping[str, Any]

    def get(self, name: str) -> Any:
        return self.values.get(name)

    @property
    def document(self) -> tuple[str, str] | None:
        number = self.get("document")
        return None if number is None else (self.get("document_type"), number)

    @property
    def is_another(self) -> bool:
        return bool(self.get("other_person") == "yes")


def enrol(
    rows: Iterable[Row],
    reading: Reading,
    private: Mapping[str, PrivateData],
    new_volunteer: Callable[[], str],
    wanted: Wanted,
) -> list[Enrolled]:
    """Who is meant by each row; what is wrong with rows goes to `wanted`.

    `private` is who each volunteer of the roster is; `new_volunteer` gives an id that nobody has.
    """
    read = list(_without_repeated(_sound(rows, reading, wanted), wanted))
    meaning = _Meaning(reading, private, new_volunteer)
    found: list[Enrolled] = []
    for one in read:
        meant = meaning.of(one)
        if isinstance(meant, Refused):
            wanted.refused.append(meant)
        else:
            found.append(meant)
    doubles = Doubles(private, found)
    for enrolled in found:
        wanted.refused += doubles.of(enrolled)
    return found


def _sound(rows: Iterable[Row], reading: Reading, wanted: Wanted) -> Iterable[_Read]:
    today = date.fromisoformat(reading.today)
    for row in rows:
        values, wrong = read_row(row, reading)
        wrong += _wrong_documents(row, values, today)
        volunteer = values.get("volunteer")
        if volunteer is not None and reading.names.is_erased(volunteer):
            wrong.append(refused(row, _FIELDS["volunteer"], Wrong(Reason.ERASED)))
        if not wrong and not values.keys() & {"volunteer", "document", "phone"}:
            wrong.append(refused(row, None, Wrong(Reason.NOBODY)))
        if wrong:
            wanted.refused += wrong
        else:
            yield _Read(row, values)


def _wrong_documents(row: Row, values: dict[str, Any], today: date) -> Iterable[Refused]:
    """What is wrong with document and type together; a type left out is put in."""
    number, kind = values.get("document"), values.get("document_type")
    if number is None:
        if kind is not None and "document" not in row.cells:
            yield refused(row, _FIELDS["document_type"], Wrong(Reason.TYPE_WITHOUT_DOCUMENT))
        return
    if "document_type" in row.cells and kind is None:
        return  # the type is refused already
    kind = kind or document_type(number)
    if isinstance(kind, Wrong):
        yield refused(row, _FIELDS["document_type"], kind, value="")
    elif wrong := wrong_document(kind, number, today):
        yield refused(row, _FIELDS["document"], wrong)
    else:
        values["document_type"] = kind


def _without_repeated(read: Iterable[_Read], wanted: Wanted) -> Iterable[_Read]:
    said: set[tuple[tuple[str, Any], ...]] = set()
    for one in read:
        all_of_it = tuple(sorted(one.values.items()))
        if all_of_it in said:
            wanted.repeated.append(one.row)
        else:
            said.add(all_of_it)
            yield one


class _Meaning:
    """Whom a row means, by what the roster knows and by the rows before it."""

    def __init__(
        self,
        reading: Reading,
        private: Mapping[str, PrivateData],
        new_volunteer: Callable[[], str],
    ) -> None:
        self._people = reading.roster.people
        self._private = private
        self._new_volunteer = new_volunteer
        self._rows: dict[str, Row] = {}
        self._by_document: dict[tuple[str, str], list[str]] = {}
        self._by_phone: dict[tuple[str, str], list[str]] = {}
        for volunteer, one in private.items():
            for found, key in (
                (self._by_document, document_of(one)),
                (self._by_phone, phone_of(one)),
            ):
                if key is not None:
                    found.setdefault(key, []).append(volunteer)

    def of(self, one: _Read) -> Enrolled | Refused:
        volunteer = one.get("volunteer") or self._meant(one)
        if isinstance(volunteer, Refused):
            return volunteer
        if first := self._rows.get(volunteer):
            wrong = Wrong(Reason.SAME_PERSON, first.place)
            return refused(one.row, _which(one), wrong, (first.number,))
        self._rows[volunteer] = one.row
        before = self._private.get(volunteer)
        given = {name: one.get(name) for name in _PRIVATE if one.get(name) is not None}
        data = PrivateData.model_construct(**{**(dict(before) if before else {}), **given})
        values = {name: value for name, value in one.values.items() if name not in _PRIVATE}
        return Enrolled(one.row, volunteer, volunteer not in self._people, values, before, data)

    def _meant(self, one: _Read) -> str | Refused:
        """Of a row without a volunteer id: who has its document, or its phone and name."""
        if one.document is not None and (owners := self._by_document.get(one.document)):
            for volunteer in owners:
                if self._private[volunteer].name == one.get("name"):
                    return volunteer
            wrong = Wrong(Reason.DOCUMENT_OF_ANOTHER, self._told(owners))
            return refused(one.row, _FIELDS["document"], wrong)
        namesakes = self._by_phone.get((one.get("phone"), one.get("name")), [])
        if one.document is None:
            return self._namesake(one, namesakes)
        if namesakes and not one.is_another:
            wrong = Wrong(Reason.POSSIBLE_DUPLICATE, self._told(namesakes))
            return refused(one.row, _FIELDS["phone"], wrong)
        return self._new_volunteer()

    def _namesake(self, one: _Read, namesakes: list[str]) -> str | Refused:
        if one.is_another:
            return refused(one.row, _FIELDS["other_person"], Wrong(Reason.NOT_TOLD_APART))
        # Of several, a row without a document is about the only one who has none.
        bare = [who for who in namesakes if self._private[who].document is None]
        fitting = namesakes if len(namesakes) == 1 else bare
        if namesakes and len(fitting) != 1:
            wrong = Wrong(Reason.SEVERAL_FIT, self._told(namesakes))
            return refused(one.row, _FIELDS["phone"], wrong)
        return fitting[0] if fitting else self._new_volunteer()

    def _told(self, volunteers: Iterable[str]) -> str:
        return "、".join(told_of(one, self._private[one]) for one in volunteers)


def _which(one: _Read) -> Field:
    """The cell that says who is meant."""
    return next(_FIELDS[name] for name in ("volunteer", "document", "phone") if one.get(name))
