"""Base64 as the formats of evidence write it: one text for the same bytes, and no other."""

import base64
import binascii


def encoded(data: bytes) -> str:
    """RFC 4648, section 4."""
    return base64.b64encode(data).decode()


def decoded(text: str) -> bytes | None:
    """The bytes; None where it isn't how they are written, to the letter."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if encoded(data) == text else None
