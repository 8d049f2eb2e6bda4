"""Ed25519 keys of badges as PEM, the way `openssl genpkey -algorithm ed25519` writes them.

It reads no files. Invariant: a key it returns is Ed25519; nothing of a private key is in an error.
"""

import re

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

_PUBLIC = re.compile(rb"-----BEGIN PUBLIC KEY-----.+?-----END PUBLIC KEY-----\s*?(?:\n|$)", re.S)


class NotABadgeKey(Exception):
    """These bytes are no Ed25519 key in PEM that can be used."""


def private_key_in(pem: bytes) -> Ed25519PrivateKey:
    """The key that signs, from PKCS#8 without a passphrase. NotABadgeKey."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise NotABadgeKey from error
    if not isinstance(key, Ed25519PrivateKey):
        raise NotABadgeKey
    return key


def public_keys_in(pem: bytes) -> list[Ed25519PublicKey]:
    """The keys that check, from one SubjectPublicKeyInfo or several in a row. NotABadgeKey."""
    keys = [_public_key(block) for block in _PUBLIC.findall(pem)]
    if not keys:
        raise NotABadgeKey
    return keys


def _public_key(block: bytes) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(block)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise NotABadgeKey from error
    if not isinstance(key, Ed25519PublicKey):
        raise NotABadgeKey
    return key
