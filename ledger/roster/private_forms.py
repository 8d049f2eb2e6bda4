"""Names, phones and documents of people: made canonical and checked.

Pure. Not who is meant by them: that is for `importing_people`. The check digit is that of
GB 11643-1999, by python-stdnum; the forms of other documents are those that China's immigration
administration prints. Invariant: canonical stays canonical.
"""

import re
from datetime import date

from stdnum.cn import ric
from stdnum.exceptions import InvalidComponent

from ledger.roster.importing_reasons import Reason, Wrong
from ledger.roster.vault import DocumentType

_BETWEEN_DIGITS = re.compile(r"[\s\-‐-―－]")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_LANDLINE = re.compile(r"0(?:10|2[0-9]|[3-9][0-9]{2})[0-9]{7,8}")
_FOREIGN = re.compile(r"\+(?!86)[1-9][0-9]{6,14}")  # ITU-T E.164
_COUNTRY = re.compile(r"(?:\+|00)?86(?=1[3-9][0-9]{9}$)|(?:\+|00)86(?=[2-9]|10)")
# 王 伟, which people write to fill up a column.
_SPACE_BETWEEN_CHINESE = re.compile(r"(?<=[\u3400-\u9fff]) +(?=[\u3400-\u9fff])")
_LONGEST_NAME = 100
_SIGNS = " ·•・.-'’()（）"
_RESIDENT = re.compile(r"[0-9]{17}[0-9X]")
_OLDEST = 130
_FORMS: dict[DocumentType, tuple[str, str]] = {
    "passport": (r"[A-Z0-9]{5,20}", "护照 passport"),
    "hk-macau": (r"[HM][0-9]{8}(?:[0-9]{2})?", "港澳居民来往内地通行证 hk-macau"),
    "taiwan": (r"T?[0-9]{8}(?:[0-9]{2})?[A-Z]?", "台湾居民来往大陆通行证 taiwan"),
    "foreign-resident": (
        r"[A-Z]{3}[0-9]{12}|9[0-9]{16}[0-9X]",
        "外国人永久居留身份证 foreign-resident",
    ),
    "other": (r"\S{3,60}", "证件 document"),
}


def person_name(text: str) -> str | Wrong:
    """One person's name, without the spaces that only fill a column."""
    if len(text) > _LONGEST_NAME:
        return Wrong(Reason.TOO_LONG, str(_LONGEST_NAME))
    if any(letter.isdigit() for letter in text):
        return Wrong(Reason.NAME_HAS_DIGITS)
    # Letters also as a mark and its letter, as in some minority languages' names.
    sound = all(letter.isalpha() or letter in _SIGNS or letter > "\u02ff" for letter in text)
    separated = any(letter in "、，；" for letter in text)
    if not sound or separated or not any(map(str.isalpha, text)) or not text.isprintable():
        return Wrong(Reason.NOT_A_NAME)
    return _SPACE_BETWEEN_CHINESE.sub("", text)


def phone_number(text: str) -> str | Wrong:
    """Eleven digits of a mobile, or area code and number of a landline, nothing between them.

    One of another country has its + before it.
    """
    digits = _BETWEEN_DIGITS.sub("", text)
    if prefix := _COUNTRY.match(digits):
        rest = digits[prefix.end() :]
        digits = rest if _MOBILE.fullmatch(rest) else f"0{rest}"
    sound = any(form.fullmatch(digits) for form in (_MOBILE, _LANDLINE, _FOREIGN))
    return digits if sound else Wrong(Reason.NOT_A_PHONE)


def document_text(text: str) -> str:
    """A document's number as it is compared: capitals, nothing between them."""
    return _BETWEEN_DIGITS.sub("", text).upper()


def document_type(number: str) -> DocumentType | Wrong:
    """Which document a number without a type must be."""
    digits = number[:-1].isascii() and number[:-1].isdigit()
    if (len(number) == 18 and digits) or (len(number) == 15 and number.isdigit()):
        return "resident"
    return Wrong(Reason.DOCUMENT_WITHOUT_TYPE)


def wrong_document(kind: DocumentType, number: str, today: date) -> Wrong | None:
    """What is wrong with a canonical number of a document, if anything."""
    if kind == "resident":
        return _wrong_resident(number, today)
    if _wrong_resident(number, today) is None:
        foreign = kind == "foreign-resident" and number.startswith("9")
        return None if foreign else Wrong(Reason.RESIDENT_UNDER_ANOTHER_TYPE)
    form, named = _FORMS[kind]
    right = re.fullmatch(form, number) and not (kind == "foreign-resident" and len(number) == 18)
    return None if right else Wrong(Reason.NOT_SUCH_A_DOCUMENT, named)


def _wrong_resident(number: str, today: date) -> Wrong | None:
    """Not whether the area exists: areas are merged and renumbered, and the lists lag behind."""
    if len(number) == 15 and number.isascii() and number.isdigit():
        return Wrong(Reason.OLD_RESIDENT_NUMBER)
    if len(number) != 18:
        return Wrong(Reason.RESIDENT_LENGTH, str(len(number)))
    if not _RESIDENT.fullmatch(number):
        return Wrong(Reason.RESIDENT_CHARACTERS)
    if not _could_be_born(number, today):
        return Wrong(Reason.RESIDENT_BIRTH_DATE)
    right = ric.calc_check_digit(number) == number[-1]
    return None if right else Wrong(Reason.RESIDENT_CHECK_DIGIT)


def _could_be_born(number: str, today: date) -> bool:
    try:
        born: date = ric.get_birth_date(number)
    except InvalidComponent:
        return False
    return today.year - _OLDEST <= born.year and born <= today
