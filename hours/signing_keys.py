"""The keys that sign checkpoints, and those they are verified with, from files.

Whoever reads a key that signs can vouch for another ledger in this one's name: it belongs on the
signer's machine alone.
"""

from collections.abc import Iterable
from pathlib import Path

from hours.key_files import private_bytes
from hours.settings import Settings, WrongUse
from ledger.evidence.notes import Key, NotAKey, Sign, key_of
from producers.badge_keys import NotABadgeKey, private_key_in

_VKEY_PARTS = 3


def signing_keys(files: Iterable[Path], ledger: str) -> list[tuple[Key, Sign]]:
    """The keys in files, under the ledger's name; the first is the one that stays. WrongUse."""
    if "+" in ledger:
        raise WrongUse(
            "HOURS_LEDGER_NAME 里有 +，不能作签名者的名字。 HOURS_LEDGER_NAME has a + in it and "
            "can't be a signer's name."
        )
    keys = [_signing_key(file, ledger) for file in files]
    if not keys:
        raise WrongUse(
            "没有签名密钥：用 hours sign --new-key 文件 生成，再设置 HOURS_SIGNING_KEY_FILE。 "
            "There is no signing key: make one with hours sign --new-key FILE, and set "
            "HOURS_SIGNING_KEY_FILE."
        )
    return keys


def trusted_keys(settings: Settings, given: str | None) -> list[Key]:
    """The keys that were given, or else the setting's. WrongUse where there are none."""
    if given is None and settings.public_key_file is None:
        raise WrongUse(
            "没有公钥：给出 --key，或设置 HOURS_PUBLIC_KEY_FILE。 There is no public key: give "
            "--key, or set HOURS_PUBLIC_KEY_FILE."
        )
    return verifier_keys(given or str(settings.public_key_file))


def verifier_keys(given: str) -> list[Key]:
    """The keys in a file of vkey lines, or the one that the text itself is. WrongUse."""
    text = given
    if given.count("+") < _VKEY_PARTS - 1 or Path(given).is_file():
        try:
            text = Path(given).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise WrongUse(
                f"读不了公钥文件 {given}。 The file of public keys {given} can't be read: give a "
                "file of lines name+id+base64, or such a line."
            ) from error
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    try:
        keys = [key_of(line.split()[0]) for line in lines]
    except NotAKey as error:
        raise WrongUse(
            f"{given} 不是公钥（{error}）。 {given} holds no public key: {error}."
        ) from error
    if not keys:
        raise WrongUse(f"{given} 里没有公钥。 There is no public key in {given}.")
    return keys


def _signing_key(file: Path, ledger: str) -> tuple[Key, Sign]:
    try:
        key = private_key_in(private_bytes(file, "HOURS_SIGNING_KEY_FILE"))
    except NotABadgeKey as error:
        raise WrongUse(
            f"{file} 不是没有口令的 Ed25519 私钥（PEM）：用 hours sign --new-key 生成。 {file} "
            "holds no Ed25519 private key in PEM without a passphrase: make one with "
            "hours sign --new-key FILE."
        ) from error
    return Key(ledger, key.public_key().public_bytes_raw()), key.sign
