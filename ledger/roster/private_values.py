"""What somebody gives as their name, phone and document, read and checked.

Pure. Not sealing: that is the `vault`'s. Invariant: what is wrong never repeats the value, so that
no private value reaches a terminal's history or a log.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, get_args

from ledger.roster.editing import Wrong
from ledger.roster.importing_reasons import Reason, what
from ledger.roster.importing_reasons import Wrong as Unfit
from ledger.roster.private_forms import (
    document_text,
    document_type,
    person_name,
    phone_number,
    wrong_document,
)
from ledger.roster.records import Person
from ledger.roster.vault import DocumentType, PrivateData, identities
from ledger.roster.words import offered, value_of

PRIVATE_FIELDS: Mapping[str, tuple[str, ...]] = {
    "name": ("姓名",),
    "phone": ("手机号码", "手机号", "电话"),
    "document_type": ("证件类型", "document type"),
    "document": ("证件号码", "身份证号", "document number"),
}
"""Each field of `PrivateData`, and what else people call it."""

_BETWEEN_DIGITS = re.compile(r"[\s\-()（）]")
_NOT_A_FIELD = (
    "可以有 name、phone、document_type、document，值为文字。 "
    "There are name, phone, document_type and document, and each is text."
)


def private_field(name: str) -> str | None:
    """The private field that somebody means by a name; None: it is none."""
    meant = name.strip().casefold()
    for field, others in PRIVATE_FIELDS.items():
        if meant == field or meant in others:
            return field
    return None


def read_private(
    given: Mapping[str, Any], today: date, before: PrivateData | None = None
) -> PrivateData | Sequence[Wrong]:
    """Who somebody is: what is given, the rest as `before`; None or an empty text clears.

    A document's type may be left out where its number tells.
    """
    values: dict[str, Any] = dict(before) if before is not None else {}
    wrong: list[Wrong] = []
    for name, value in given.items():
        field = private_field(name)
        if field is None or not isinstance(value, str | None):
            wrong.append(Wrong(name if field is None else field, "", _NOT_A_FIELD))
            continue
        read = _read(field, (value or "").strip())
        if isinstance(read, Unfit):
            wrong.append(Wrong(field, "", what(read)))
        else:
            values[field] = read
    return wrong or _whole(values, today)


def same_people(data: PrivateData, others: Iterable[tuple[str, PrivateData]]) -> list[str]:
    """The volunteers among the others who have the same document, or the same phone and name."""
    who = identities(data)
    return [volunteer for volunteer, other in others if who & identities(other)]


def mentions(text: str, data: PrivateData) -> bool:
    """Whether a free text, which the history keeps for ever, says who somebody is."""
    bare = _BETWEEN_DIGITS.sub("", text).casefold()
    values = (data.name, data.phone, data.document)
    return any(_BETWEEN_DIGITS.sub("", one).casefold() in bare for one in values if one)


def _read(field: str, text: str) -> str | Unfit | None:
    if not text:
        return None
    if field == "document_type":
        meant = value_of(Person.KIND, field, text)
        known = meant in get_args(DocumentType)
        return meant if known else Unfit(Reason.NOT_A_CHOICE, offered(Person.KIND, field))
    readers: Mapping[str, Callable[[str], str | Unfit]] = {
        "name": person_name,
        "phone": phone_number,
        "document": document_text,
    }
    return readers[field](text)


def _whole(values: Mapping[str, Any], today: date) -> PrivateData | Sequence[Wrong]:
    name, number, kind = (values.get(one) for one in ("name", "document", "document_type"))
    if name is None:
        return [Wrong("name", "", what(Unfit(Reason.MISSING)))]
    if number is None and kind is not None:
        return [Wrong("document", "", what(Unfit(Reason.TYPE_WITHOUT_DOCUMENT)))]
    if number is not None:
        kind = kind or document_type(number)
        unfit = kind if isinstance(kind, Unfit) else wrong_document(kind, number, today)
        if unfit is not None:
            return [Wrong("document", "", what(unfit))]
    return PrivateData(name=name, phone=values.get("phone"), document_type=kind, document=number)
