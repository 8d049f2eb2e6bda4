"""What somebody gives as their name, phone and document, read and checked.

Pure. Not sealing: that is the `vault`'s. Invariant: what is wrong never repeats the value, so that
no private value reaches a terminal's history or a log.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from stdnum.cn import ric
from stdnum.exceptions import ValidationError as NotANumber

from ledger.roster.editing import Wrong
from ledger.roster.records import Person
from ledger.roster.vault import PrivateData, identities
from ledger.roster.words import offered, value_of

PRIVATE_FIELDS: Mapping[str, tuple[str, ...]] = {
    "name": ("姓名",),
    "phone": ("手机号码", "手机号", "电话"),
    "document_type": ("证件类型", "document type"),
    "document": ("证件号码", "身份证号", "document number"),
}
"""Each field of `PrivateData`, and what else people call it."""

_PHONE = re.compile(r"\+?[0-9]{7,15}")
_COUNTRY = re.compile(r"^(?:\+|00)86(?=1[3-9][0-9]{9}$)")  # one phone is written one way
_BETWEEN_DIGITS = re.compile(r"[\s\-()（）]")


def private_field(name: str) -> str | None:
    """The private field that somebody means by a name; None: it is none."""
    meant = name.strip().casefold()
    for field, others in PRIVATE_FIELDS.items():
        if meant == field or meant in others:
            return field
    return None


def read_private(
    given: Mapping[str, Any], before: PrivateData | None = None
) -> PrivateData | Sequence[Wrong]:
    """Who somebody is: what is given, the rest as `before`; None or an empty text clears."""
    values = dict(before) if before is not None else {}
    wrong: list[Wrong] = []
    for name, value in given.items():
        field = private_field(name)
        if field is None or not isinstance(value, str | None):
            wrong.append(Wrong(name if field is None else field, "", _NOT_A_FIELD))
        else:
            values[field] = _canonical(field, value or "")
    try:
        data = PrivateData.model_validate(values)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        return wrong + [Wrong(str(one["loc"][0]), "", _advice(str(one["loc"][0]))) for one in found]
    return wrong + list(_unfit(data)) or data


def same_people(data: PrivateData, others: Iterable[tuple[str, PrivateData]]) -> list[str]:
    """The volunteers among the others who have the same document, or the same phone and name."""
    who = identities(data)
    return [volunteer for volunteer, other in others if who & identities(other)]


def mentions(text: str, data: PrivateData) -> bool:
    """Whether a free text, which the history keeps for ever, says who somebody is."""
    bare = _BETWEEN_DIGITS.sub("", text).casefold()
    values = (data.name, data.phone, data.document)
    return any(_BETWEEN_DIGITS.sub("", one).casefold() in bare for one in values if one)


def _canonical(field: str, text: str) -> str | None:
    text = text.strip()
    if field == "phone":
        text = _COUNTRY.sub("", _BETWEEN_DIGITS.sub("", text))
    elif field == "document":
        text = text.replace(" ", "").upper()
    elif field == "document_type":
        text = value_of(Person.KIND, field, text)
    return text or None


def _unfit(data: PrivateData) -> Iterable[Wrong]:
    if data.phone is not None and not _PHONE.fullmatch(data.phone):
        yield Wrong("phone", "", _advice("phone"))
    if (data.document is None) != (data.document_type is None):
        yield Wrong(
            "document",
            "",
            "证件类型和证件号码要一起填写。 Document type and number go together.",
        )
    elif data.document_type == "resident" and not _is_resident_number(data.document or ""):
        yield Wrong(
            "document",
            "",
            "不是有效的居民身份证号码：请核对 18 位号码和校验码。 "
            "This is no resident number: check its 18 characters, the last being a check digit.",
        )


def _is_resident_number(text: str) -> bool:
    """Not whether its area exists: areas are renumbered, and the lists lag behind."""
    try:
        ric.get_birth_date(text)
        return len(text) == 18 and bool(ric.calc_check_digit(text) == text[-1])
    except (NotANumber, ValueError):
        return False


_NOT_A_FIELD = (
    "可以有 name、phone、document_type、document，值为文字。 "
    "There are name, phone, document_type and document, and each is text."
)


def _advice(field: str) -> str:
    if field == "document_type":
        return f"应为 {offered(Person.KIND, field)} 之一。 It must be one of these."
    if field == "phone":
        return "手机号码应为 7 到 15 位数字。 A phone number has 7 to 15 digits."
    if field == "name":
        return "姓名必须填写，不超过 100 字。 A name must be given, of at most 100 characters."
    return "不超过 60 个字符，不含换行。 At most 60 characters, in one line."
