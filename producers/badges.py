"""What a badge's QR code says, signed: a kiosk that is offline checks it with a public key alone.

The text is docs/badges.md's. It isn't the roster: whether a badge was replaced since, by one of a
higher generation, only `hours.roster` tells. Invariant: it holds no name, phone or document
number; what `read_badge` takes for a badge was signed for this ledger, character by character.
"""

import re
from base64 import b32decode, b32encode
from collections.abc import Iterable
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

HIGHEST_GENERATION = 99_999_999

_VERSION = "HOURS1"
# Only characters of a QR code's alphanumeric mode, which takes 5.5 bits for each instead of 8; and
# of those only ones that a scanner can type through a Chinese input method: no full stop, colon,
# slash or dollar.
_FIELD = r"[0-9A-Z]{1,128}|\+[A-Z2-7]{2,1024}"
_BADGE = re.compile(
    rf"({_VERSION}-(?P<ledger>[A-Z2-7]{{8}})-(?P<key>[A-Z2-7]{{8}})-(?P<volunteer>{_FIELD})"
    rf"-(?P<serial>{_FIELD})-(?P<generation>0|[1-9][0-9]{{0,7}}))-(?P<signature>[A-Z2-7]{{103}})"
)
_ANY_VERSION = re.compile(r"HOURS[1-9][0-9]{0,2}-[0-9A-Z $%*+\-./:]+")
_PLAIN = re.compile(r"[0-9A-Z]{1,128}")
_LONGEST = 4296  # what the largest QR code holds in alphanumeric mode


class Badge(NamedTuple):
    """A volunteer's card. The volunteer's newest generation is the one that works."""

    volunteer: str
    serial: str
    generation: int


class BadgeReason(StrEnum):
    """Why a text that was scanned is no badge of ours."""

    NOT_A_BADGE = "not-a-badge"
    UNKNOWN_VERSION = "unknown-version"
    ANOTHER_LEDGER = "another-ledger"
    UNKNOWN_KEY = "unknown-key"
    BAD_SIGNATURE = "bad-signature"


class BadgeRefusal(NamedTuple):
    """A refusal is a value; `what` says to the person at the kiosk what to do."""

    reason: BadgeReason
    what: str


def sign_badge(badge: Badge, ledger_name: str, private_key: Ed25519PrivateKey) -> str:
    """The text of a badge's QR code, in the characters of QR's alphanumeric mode.

    Volunteer and serial: 1 to 128 characters, any that the roster can hold; generation: 0 to
    HIGHEST_GENERATION. ValueError for another: a caller's mistake.
    """
    if not 0 <= badge.generation <= HIGHEST_GENERATION:
        raise ValueError(f"no generation of a badge: {badge.generation}")
    said = "-".join(
        (
            _VERSION,
            ledger_tag(ledger_name),
            key_id(private_key.public_key()),
            _field_of(badge.volunteer),
            _field_of(badge.serial),
            str(badge.generation),
        )
    )
    return f"{said}-{_base32(private_key.sign(_signed_bytes(said, ledger_name)))}"


def read_badge(
    text: str, ledger_name: str, public_keys: Iterable[Ed25519PublicKey]
) -> Badge | BadgeRefusal:
    """The badge that a scanned text is, or why it is none. Never raises, whatever was scanned.

    Lower case and spaces around it are as good: a scanner that acts as a keyboard makes them.
    `public_keys` are all that count, old and new; the text says which of them signed.
    """
    seen = text.strip()
    # Upper case is for ASCII alone: elsewhere it makes two letters of one, or one of another.
    if not seen.isascii() or len(seen) > _LONGEST:
        return _REFUSALS[BadgeReason.NOT_A_BADGE]
    seen = seen.upper()
    parts = _BADGE.fullmatch(seen)
    read = _unread(seen) if parts is None else _checked(parts, ledger_name, public_keys)
    return _REFUSALS[read] if isinstance(read, BadgeReason) else read


def key_id(public_key: Ed25519PublicKey) -> str:
    """Which key signed: 40 bits of the SHA-256 of its 32 bytes, in base32."""
    return _base32(sha256(public_key.public_bytes_raw()).digest()[:5])


def ledger_tag(ledger_name: str) -> str:
    """Whose badge it is, in short; the whole name is in the bytes that are signed."""
    return _base32(sha256(ledger_name.encode()).digest()[:5])


def _unread(seen: str) -> BadgeReason:
    version = _ANY_VERSION.fullmatch(seen)
    if version is None or seen.startswith(f"{_VERSION}-"):
        return BadgeReason.NOT_A_BADGE
    return BadgeReason.UNKNOWN_VERSION


def _checked(
    parts: re.Match[str], ledger_name: str, public_keys: Iterable[Ed25519PublicKey]
) -> Badge | BadgeReason:
    volunteer, serial = _text_of(parts["volunteer"]), _text_of(parts["serial"])
    signature = _bytes_of(parts["signature"])
    if volunteer is None or serial is None or signature is None:
        return BadgeReason.NOT_A_BADGE
    if parts["ledger"] != ledger_tag(ledger_name):
        return BadgeReason.ANOTHER_LEDGER
    keys = [key for key in public_keys if key_id(key) == parts["key"]]
    if not keys:
        return BadgeReason.UNKNOWN_KEY
    signed = _signed_bytes(parts[1], ledger_name)
    if not any(_signed_by(key, signature, signed) for key in keys):
        return BadgeReason.BAD_SIGNATURE
    return Badge(volunteer, serial, int(parts["generation"]))


def _signed_by(key: Ed25519PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def _signed_bytes(said: str, ledger_name: str) -> bytes:
    return f"{said}\n{ledger_name}".encode()


def _field_of(text: str) -> str:
    """A field as it is if upper-case letters and digits, otherwise its UTF-8 in base32 behind +."""
    if not 1 <= len(text) <= 128:
        raise ValueError("a badge's volunteer and serial have 1 to 128 characters")
    return text if _PLAIN.fullmatch(text) else f"+{_base32(text.encode())}"


def _text_of(field: str) -> str | None:
    """The text that gives exactly this field; None if none does."""
    if not field.startswith("+"):
        return field
    content = _bytes_of(field[1:])
    if content is None:
        return None
    try:
        text = content.decode()
        return text if _field_of(text) == field else None
    except ValueError:
        return None


def _base32(content: bytes) -> str:
    return b32encode(content).decode().rstrip("=")


def _bytes_of(text: str) -> bytes | None:
    """What is written in base32; None where bits are left over that could say anything."""
    try:
        content = b32decode(text + "=" * (-len(text) % 8))
    except ValueError:
        return None
    return content if _base32(content) == text else None


_REFUSALS = {
    reason: BadgeRefusal(reason, what)
    for reason, what in {
        BadgeReason.NOT_A_BADGE: (
            "这不是志愿者证的二维码，或没有扫完整：请对准志愿者证再扫一次。 "
            "This is not a badge's QR code, or not all of it: scan the badge once more."
        ),
        BadgeReason.UNKNOWN_VERSION: (
            "志愿者证的版本比签到机新：请更新签到机的程序。 "
            "The badge is of a version this kiosk doesn't know: update the kiosk's program."
        ),
        BadgeReason.ANOTHER_LEDGER: (
            "这是别的地区的志愿者证，在这里不能用。 "
            "This badge is another district's, and doesn't count here."
        ),
        BadgeReason.UNKNOWN_KEY: (
            "签到机没有这张志愿者证的公钥：请更新签到机的公钥，或补办志愿者证。 "
            "This kiosk lacks the public key of this badge: give it the newest keys, "
            "or replace the badge."
        ),
        BadgeReason.BAD_SIGNATURE: (
            "志愿者证的签名不对，可能被改动过：请再扫一次，仍不行就找队长。 "
            "The badge's signature is wrong, it may have been altered: scan it once more, "
            "and if that doesn't help, ask your team leader."
        ),
    }.items()
}
