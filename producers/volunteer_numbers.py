"""Volunteer numbers as people type them: the id, and a check character that notices a slip.

ISO 7064's hybrid system (python-stdnum), over Crockford's 32 characters instead of 36: neither the
ids that we make nor their check characters hold an I, L, O or U, so that whoever reads 0 as O, or 1
as I or L, is understood without a doubt. Other ids have no number to type. The same in the kiosk's
page, number.js. Invariant: one wrong character is always noticed; of two neighbours that were
exchanged, 495 pairs of 496 are.
"""

import re

from stdnum.iso7064 import mod_37_36

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

_ID = re.compile(f"[{ALPHABET}]{{1,128}}")
_FORGIVEN = str.maketrans("OIL", "011")
_IGNORED = re.compile(r"[\s\-－—]")


def number_of(volunteer: str) -> str | None:
    """The number to print beside a name, as V7K2M9QXTA1-K; None where the id has none."""
    if not _ID.fullmatch(volunteer):
        return None
    return f"{volunteer}-{mod_37_36.calc_check_digit(volunteer, ALPHABET)}"


def read_number(text: str) -> str | None:
    """The id that was typed, or None: then a character is wrong, or it is no number."""
    typed = _IGNORED.sub("", text.upper()).translate(_FORGIVEN)
    id_, check = typed[:-1], typed[-1:]
    if not _ID.fullmatch(id_) or mod_37_36.calc_check_digit(id_, ALPHABET) != check:
        return None
    return id_
