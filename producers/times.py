"""Instants as RFC 3339 text on the outside and integer microseconds since the epoch inside.

It is not a calendar: it knows no time zones but the offset written in the text, and no leap
seconds. Its invariant: an instant that parses prints back to the same instant.
"""

from datetime import UTC, datetime, timedelta

# RFC 3339 with its mandatory offset, less what has no place on a line of whole microseconds:
# hour 24 and second 60. Any number of fraction digits; those finer than microseconds are cut off.
RFC_3339 = (
    r"^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
    r"[Tt](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?"
    r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])$"
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = EPOCH.replace(tzinfo=None)  # prints twice as fast as an aware one
EARLIEST = -62_135_596_800_000_000  # 0001-01-01T00:00:00.000000Z
LATEST = 253_402_300_799_999_999  # 9999-12-31T23:59:59.999999Z


def microseconds_of(text: str) -> int:
    """Microseconds since the epoch of a text that matches `RFC_3339`.

    Raises ValueError for a day that no calendar has, and for an instant whose UTC year is
    not 1 to 9999.
    """
    if text[-1] == "z":  # which fromisoformat reads only as a capital
        text = text[:-1] + "Z"
    elapsed = datetime.fromisoformat(text) - EPOCH
    instant = elapsed.days * 86_400_000_000 + elapsed.seconds * 1_000_000 + elapsed.microseconds
    if EARLIEST <= instant <= LATEST:
        return instant
    raise ValueError("its UTC year is not 1 to 9999")


def rfc_3339_of(instant: int) -> str:
    """`YYYY-MM-DDTHH:MM:SS.ffffffZ` of microseconds since the epoch."""
    return (_NAIVE_EPOCH + timedelta(0, 0, instant)).isoformat("T", "microseconds") + "Z"
