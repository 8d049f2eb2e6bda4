"""Who would be in the roster twice: the people whom rows mean, against each other and the rest.

Pure. Not who is meant by a row: that is for `importing_people`. Invariant: who shares a phone and a
name with another, and is let in, can be told from them by the same row next time.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ledger.roster.importing_reasons import Reason, Wrong
from ledger.roster.importing_tables import PEOPLE
from ledger.roster.importing_values import Refused, Row, refused
from ledger.roster.vault import PrivateData, called, document_of, phone_of

_FIELDS = PEOPLE.by_name


class Enrolled(NamedTuple):
    """A row that means one volunteer; `new` where the roster doesn't have them yet.

    `values` are its other cells' values by field.
    """

    row: Row
    volunteer: str
    new: bool
    values: Mapping[str, Any]
    before: PrivateData | None
    private: PrivateData


class _Place(NamedTuple):
    """Who has a document, or a phone and name: somebody enrolled, or a row.

    `is_vague` where only phone and name say who is meant.
    """

    told: str
    row: int | None
    has_document: bool
    is_another: bool = False
    is_vague: bool = False

    def is_told_from(self, other: "_Place") -> bool:
        """Whether a row that is vague means this one, and not the other, next time too."""
        return not self.is_vague or (other.has_document and not self.has_document)


@dataclass
class _Holders:
    documents: dict[tuple[str, str], _Place] = field(default_factory=dict)
    phones: dict[tuple[str, str], list[_Place]] = field(default_factory=dict)

    def take(self, data: PrivateData, place: _Place) -> None:
        if (document := document_of(data)) is not None:
            self.documents.setdefault(document, place)
        if (phone := phone_of(data)) is not None:
            self.phones.setdefault(phone, []).append(place)


class Doubles:
    """Who would be in the roster twice: each row against those before it and those enrolled."""

    def __init__(self, private: Mapping[str, PrivateData], found: Iterable[Enrolled]) -> None:
        self._holders = _Holders()
        meant = {one.volunteer for one in found}
        for volunteer, data in private.items():
            if volunteer not in meant:
                place = _Place(told_of(volunteer, data), None, data.document is not None)
                self._holders.take(data, place)

    def of(self, one: Enrolled) -> list[Refused]:
        """What is wrong with a row, which is then one of those before the next."""
        place = _place(one)
        wrong = [*self._same_document(one), *self._same_phone(one, place)]
        self._holders.take(one.private, place)
        return wrong[:1]

    def _same_document(self, one: Enrolled) -> Iterable[Refused]:
        document = document_of(one.private)
        holder = self._holders.documents.get(document) if document else None
        if holder is not None:
            wrong = Wrong(Reason.SAME_DOCUMENT, holder.told)
            yield refused(one.row, _FIELDS["document"], wrong, _also(holder))

    def _same_phone(self, one: Enrolled, place: _Place) -> Iterable[Refused]:
        phone = phone_of(one.private)
        if phone is None:
            return
        may_share = self._may_share(one, phone)
        for holder in self._holders.phones.get(phone, []):
            if not (may_share or holder.is_another):
                wrong = Wrong(Reason.POSSIBLE_DUPLICATE, holder.told)
                yield refused(one.row, _FIELDS["phone"], wrong, _also(holder))
            elif not (place.is_told_from(holder) and holder.is_told_from(place)):
                wrong = Wrong(Reason.NOT_TOLD_APART, f"（{holder.told}）")
                yield refused(one.row, _FIELDS["document"], wrong, _also(holder))

    def _may_share(self, one: Enrolled, phone: tuple[str, str]) -> bool:
        """Whether it was said, now or before, that this is another person."""
        if one.values.get("other_person") == "yes":
            return True
        unchanged = one.before is not None and phone_of(one.before) == phone
        named = "volunteer" in one.values and not one.new
        return unchanged or named


def _place(one: Enrolled) -> _Place:
    return _Place(
        one.row.place,
        one.row.number,
        one.private.document is not None,
        one.values.get("other_person") == "yes",
        not one.row.cells.keys() & {"volunteer", "document"},
    )


def _also(place: _Place) -> tuple[int, ...]:
    return () if place.row is None else (place.row,)


def told_of(volunteer: str, data: PrivateData) -> str:
    return f"{volunteer} {called(data.name)}"
