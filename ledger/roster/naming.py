"""New pseudonyms of volunteers, and new serials of badges.

Invariant: neither says anything about the person, and none is given twice.
"""

import secrets
from collections.abc import Container

_CHARACTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: none looks like another
_LENGTH = 10


def new_volunteer(taken: Container[str]) -> str:
    """A volunteer id that isn't taken: `V` and ten characters."""
    return _new("V", taken)


def new_serial(taken: Container[str]) -> str:
    """A badge serial that isn't taken: `B` and ten characters."""
    return _new("B", taken)


def _new(prefix: str, taken: Container[str]) -> str:
    while True:
        name = prefix + "".join(secrets.choice(_CHARACTERS) for _ in range(_LENGTH))
        if name not in taken:
            return name
