"""Whether a free text holds what looks like somebody's phone or document number.

The log keeps a reason for ever, and who reads it may not know who people are: each door at which
people write reasons asks this first. Pure.
"""

import re
import unicodedata

_PRIVATE_NUMBER = re.compile(
    r"(?<![0-9A-Za-z])(?:(?:\+?86[ -]?)?1[3-9][0-9][ -]?[0-9]{4}[ -]?[0-9]{4}|[0-9]{17}[0-9Xx])"
    r"(?![0-9A-Za-z])"
)


def has_private_number(text: str) -> bool:
    """A mobile's number or a resident's identity number, in whatever width it was typed."""
    return bool(_PRIVATE_NUMBER.search(unicodedata.normalize("NFKC", text)))
