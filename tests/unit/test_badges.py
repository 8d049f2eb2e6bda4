"""What a badge's QR code says: it reads back, nothing else does, and anybody can check it."""

import re
import shutil
import subprocess
import sys
from base64 import b32decode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from hours.badge_keys import badge_key
from hours.settings import WrongUse, read_settings
from producers.badge_keys import NotABadgeKey, private_key_in, public_keys_in
from producers.badges import (
    HIGHEST_GENERATION,
    Badge,
    BadgeReason,
    BadgeRefusal,
    key_id,
    read_badge,
    sign_badge,
)

LEDGER = "tongzhou.hours.example"
BADGE = Badge("V7K2M9QXTA1", "B000123", 1)
# RFC 8032, section 7.1, test 1.
KEY = Ed25519PrivateKey.from_private_bytes(
    bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
)
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
VECTOR = (
    "HOURS1-MH35KVIK-EH7DDX5B-V7K2M9QXTA1-B000123-1-QIYYIUK5ESUQPVSBSYKPRKHOUKZ26GYC3XUBNWU7"
    "LVFZXK3T3BAO6NWN567G3J6G54UUIK6VVQK6LMEVESN5KITARSIIURKKXYBREAQ"
)
DOCUMENT = (Path(__file__).parents[2] / "docs" / "badges.md").read_text()
OPENSSL = shutil.which("openssl")

printable_ascii = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=128)
badges = st.builds(
    Badge,
    st.one_of(printable_ascii, names).map(lambda text: text[:128]),
    names,
    st.integers(0, HIGHEST_GENERATION),
)


def read(text: str, ledger: str = LEDGER) -> Badge | BadgeRefusal:
    return read_badge(text, ledger, [KEY.public_key()])


def reason_of(text: str, ledger: str = LEDGER) -> BadgeReason:
    refused = read(text, ledger)
    assert isinstance(refused, BadgeRefusal)
    assert re.fullmatch(r"[^\n]*。 [^\n]*\.", refused.what)
    return refused.reason


def test_the_vector_of_the_document_is_what_is_signed_and_reads_back() -> None:
    assert sign_badge(BADGE, LEDGER, KEY) == VECTOR
    assert read(VECTOR) == BADGE
    assert VECTOR in DOCUMENT


def test_the_checker_of_the_document_accepts_the_vector_and_no_other_ledger(tmp_path: Path) -> None:
    (checker,) = re.findall(r"```python\n(.+?)```", DOCUMENT, re.S)
    public = tmp_path / "badge-public.pem"
    public.write_bytes(pem_of(KEY))

    def run(ledger: str) -> subprocess.CompletedProcess[str]:
        program = [sys.executable, "-c", checker, VECTOR, ledger, str(public)]
        return subprocess.run(program, check=False, capture_output=True, text=True, timeout=60)

    assert run(LEDGER).stdout == "V7K2M9QXTA1 B000123 1\n"
    assert "InvalidSignature" in run("elsewhere.hours.example").stderr


@given(badges)
def test_what_is_signed_reads_back_in_alphanumeric_characters_alone(badge: Badge) -> None:
    text = sign_badge(badge, LEDGER, KEY)
    assert re.fullmatch(r"[0-9A-Z $%*+\-./:]+", text)
    assert read(text) == badge


@given(badges, st.data())
def test_any_character_that_is_another_makes_it_no_badge(badge: Badge, data: st.DataObject) -> None:
    text = sign_badge(badge, LEDGER, KEY)
    at = data.draw(st.integers(0, len(text) - 1))
    put = data.draw(st.one_of(st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-+ ıſß"), names))
    changed = text[:at] + put + text[at + 1 :]
    if changed.strip().upper() != text or not changed.isascii():
        assert isinstance(read(changed), BadgeRefusal)


def test_every_character_of_a_badge_counts() -> None:
    for at, letter in enumerate(VECTOR):
        for put in "0AB27Z-+":
            if put != letter:
                assert isinstance(read(VECTOR[:at] + put + VECTOR[at + 1 :]), BadgeRefusal)
        assert isinstance(read(VECTOR[:at] + VECTOR[at + 1 :]), BadgeRefusal)


@given(st.text())
def test_nothing_that_is_scanned_raises_or_is_taken_for_a_badge(text: str) -> None:
    assert isinstance(read(text), BadgeRefusal)


@given(st.from_regex(r"HOURS1(-[0-9A-Z+]{1,20}){0,4}(-[0-9]{1,9})?(-[A-Z2-7]{100,105})?"))
def test_nothing_like_a_badge_raises_or_is_taken_for_one(text: str) -> None:
    assert isinstance(read(text), BadgeRefusal)


def test_a_scanner_that_types_may_type_lower_case_and_spaces_around() -> None:
    assert read(f" \t{VECTOR.lower()}\r\n") == BADGE
    assert reason_of(VECTOR.lower().replace("s1", "ſ1")) == BadgeReason.NOT_A_BADGE
    assert reason_of(VECTOR.replace("-B", "- B")) == BadgeReason.NOT_A_BADGE


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", BadgeReason.NOT_A_BADGE),
        ("https://example.com/v/V7K2M9QXTA1", BadgeReason.NOT_A_BADGE),
        ("HOURS1-", BadgeReason.NOT_A_BADGE),
        (VECTOR[:-1], BadgeReason.NOT_A_BADGE),
        (VECTOR * 100, BadgeReason.NOT_A_BADGE),
        (VECTOR[:-1] + "R", BadgeReason.NOT_A_BADGE),  # its spare bits say something
        (VECTOR.replace("B000123", "+"), BadgeReason.NOT_A_BADGE),
        (VECTOR.replace("B000123", "+IFBA"), BadgeReason.NOT_A_BADGE),  # AB needs no base32
        (VECTOR.replace("HOURS1", "HOURS2"), BadgeReason.UNKNOWN_VERSION),
        (VECTOR.replace("EH7DDX5B", "EH7DDX5C"), BadgeReason.UNKNOWN_KEY),
        (VECTOR.replace("V7K2M9QXTA1", "V7K2M9QXTA2"), BadgeReason.BAD_SIGNATURE),
        (VECTOR.replace("-1-", "-2-"), BadgeReason.BAD_SIGNATURE),
    ],
)
def test_each_text_that_is_no_badge_has_its_reason(text: str, reason: BadgeReason) -> None:
    assert reason_of(text) == reason


def test_a_badge_of_another_district_does_not_pass_though_the_key_be_the_same() -> None:
    assert reason_of(VECTOR, "elsewhere.hours.example") == BadgeReason.ANOTHER_LEDGER
    elsewhere = sign_badge(BADGE, "elsewhere.hours.example", KEY)
    relabelled = "-".join([*VECTOR.split("-")[:2], *elsewhere.split("-")[2:]])
    assert reason_of(relabelled) == BadgeReason.BAD_SIGNATURE


def test_while_keys_change_badges_of_old_and_new_are_good_and_of_no_others() -> None:
    both = public_keys_in(pem_of(KEY) + b"\n# the new one\n" + pem_of(OTHER_KEY))
    for key in (KEY, OTHER_KEY):
        assert read_badge(sign_badge(BADGE, LEDGER, key), LEDGER, both) == BADGE
    assert reason_of(sign_badge(BADGE, LEDGER, OTHER_KEY)) == BadgeReason.UNKNOWN_KEY
    forged = sign_badge(BADGE, LEDGER, OTHER_KEY).replace(
        key_id(OTHER_KEY.public_key()), key_id(KEY.public_key())
    )
    assert reason_of(forged) == BadgeReason.BAD_SIGNATURE


@pytest.mark.parametrize(
    "badge",
    [
        Badge("", "B1", 1),
        Badge("V" * 129, "B1", 1),
        Badge("V1", "", 1),
        Badge("V1", "\ud800", 1),
        Badge("V1", "B1", -1),
        Badge("V1", "B1", HIGHEST_GENERATION + 1),
    ],
)
def test_what_no_roster_holds_is_not_signed(badge: Badge) -> None:
    with pytest.raises(ValueError, match=r"badge|surrogates"):
        sign_badge(badge, LEDGER, KEY)


@pytest.mark.skipif(OPENSSL is None, reason="there is no openssl program")
def test_openssl_makes_the_key_and_verifies_the_badge_and_the_key_file_serves(
    tmp_path: Path,
) -> None:
    private, public = tmp_path / "badge-key.pem", tmp_path / "badge-public.pem"
    openssl("genpkey", "-algorithm", "ed25519", "-out", private)
    openssl("pkey", "-in", private, "-pubout", "-out", public)
    key = badge_key(read_settings({"HOURS_BADGE_KEY_FILE": str(private)}))
    text = sign_badge(BADGE, LEDGER, key)
    assert read_badge(text, LEDGER, public_keys_in(public.read_bytes())) == BADGE

    said, _, signature = text.rpartition("-")
    signed, signature_file = tmp_path / "signed", tmp_path / "signature"
    signed.write_text(f"{said}\n{LEDGER}")
    signature_file.write_bytes(b32decode(signature + "="))
    verify = ("pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", public)
    openssl(*verify, "-in", signed, "-sigfile", signature_file)


@pytest.mark.parametrize(
    ("algorithm", "more"),
    [
        ("ed448", ()),
        ("x25519", ()),
        ("ed25519", ("-aes256", "-pass", "pass:secret")),
    ],
)
@pytest.mark.skipif(OPENSSL is None, reason="there is no openssl program")
def test_a_key_of_another_kind_or_behind_a_passphrase_is_refused(
    tmp_path: Path, algorithm: str, more: tuple[str, ...]
) -> None:
    file = tmp_path / "key.pem"
    openssl("genpkey", "-algorithm", algorithm, *more, "-out", file)
    assert "holds no Ed25519 private key" in refused(file)


@pytest.mark.parametrize("content", [b"", b"no key", b"\xff\xfe"])
def test_a_key_file_that_holds_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(content)
    file.chmod(0o600)
    assert "holds no Ed25519 private key" in refused(file)
    with pytest.raises(NotABadgeKey):
        public_keys_in(content)


def test_a_public_key_is_no_private_one_nor_the_other_way_round(tmp_path: Path) -> None:
    with pytest.raises(NotABadgeKey):
        private_key_in(pem_of(KEY))
    broken = pem_of(KEY).replace(b"MCow", b"MCox")
    with pytest.raises(NotABadgeKey):
        public_keys_in(pem_of(KEY) + broken)


def test_a_key_file_that_is_missing_or_unset_is_refused(tmp_path: Path) -> None:
    assert "can't be read (No such file or directory)" in refused(tmp_path / "key.pem")
    assert "can't be read (Is a directory)" in refused(tmp_path)
    with pytest.raises(WrongUse, match="HOURS_BADGE_KEY_FILE is not set"):
        badge_key(read_settings({}))


@pytest.mark.parametrize(("mode", "good"), [(0o400, True), (0o640, True), (0o604, False)])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int, good: bool) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(private_pem_of(KEY))
    file.chmod(mode)
    if good:
        settings = read_settings({"HOURS_BADGE_KEY_FILE": str(file)})
        assert badge_key(settings).private_bytes_raw() == KEY.private_bytes_raw()
    else:
        assert f"chmod 600 {file}" in refused(file)


def refused(file: Path) -> str:
    """The one line that refuses a key file."""
    with pytest.raises(WrongUse) as raised:
        badge_key(read_settings({"HOURS_BADGE_KEY_FILE": str(file)}))
    assert "\n" not in str(raised.value)
    return str(raised.value)


def pem_of(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def private_pem_of(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=60)
