"""Passwords: hashed by argon2id, and refused where they are easily guessed.

Nothing here keeps one. Argon2-cffi's defaults are RFC 9106's second choice, for little memory.
"""

import secrets
from base64 import b64encode

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from ledger.accounts.values import AccountRefusal

LEAST_CHARACTERS = 10
"""Above the eight that NIST SP 800-63B asks for where there is no second factor but a rate."""

_HASHER = PasswordHasher()
_COMMON = frozenset(
    {
        *("1234567890", "0123456789", "0987654321", "1111111111", "0000000000", "1122334455"),
        *("password12", "password123", "passw0rd123", "qwertyuiop", "qwerty12345", "qazwsxedcrf"),
        *("1q2w3e4r5t", "1qaz2wsx3edc", "iloveyou123", "woaini1314", "woaini520520", "aa12345678"),
        *("admin12345", "administrator", "a123456789", "123456789a", "abc1234567", "abcd123456"),
        *("changeme123", "letmein1234", "welcome123", "zhiyuanzhe", "volunteer123", "tongzhou123"),
    }
)


def hashed(password: str) -> str:
    """What is kept of a password."""
    return _HASHER.hash(password)


def verify(kept: str, password: str) -> bool:
    """Whether it is the password that was kept."""
    try:
        return _HASHER.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False


def nobodys() -> str:
    """What no password gives, though to try one takes as long as with any other."""
    salt, digest = (
        b64encode(secrets.token_bytes(size)).decode().rstrip("=")
        for size in (_HASHER.salt_len, _HASHER.hash_len)
    )
    cost = f"m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}"
    return f"$argon2id$v=19${cost}${salt}${digest}"


def is_outdated(kept: str) -> bool:
    """Whether it was hashed by less than is asked for now."""
    return _HASHER.check_needs_rehash(kept)


def refuse_weak(password: str, name: str) -> None:
    """AccountRefusal where it is short, common, one character, or the account's own name."""
    low = password.lower()
    if len(password) < LEAST_CHARACTERS:
        raise AccountRefusal(
            f"密码至少 {LEAST_CHARACTERS} 个字符，例如几个词连在一起。 "
            f"A password has at least {LEAST_CHARACTERS} characters; some words in a row will do."
        )
    if low in _COMMON or len(set(low)) < 4 or name in low:
        raise AccountRefusal(
            "这个密码太容易猜到：不要用常见密码、账号名或重复的字符。 "
            "This password is easily guessed: take no common one, no account's name, and not one "
            "character again and again."
        )
    if len(password) > 1_000:
        raise AccountRefusal("密码太长。 The password is too long.")
