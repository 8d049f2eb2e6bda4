"""Who a volunteer is: name, phone and document, sealed by a key the database doesn't hold.

Fernet (authenticated AES) by `cryptography`; several keys serve for rotation: the first seals, any
opens. What is sealed holds the volunteer's id, so that one row can't stand in for another.
Invariant: nothing here is printed by `repr`, so that no log or traceback shows it.
"""

from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ledger.refusals import LedgerRefusal

_LINE = r"^[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$"

DocumentType = Literal["resident", "passport", "hk-macau", "taiwan", "foreign-resident", "other"]


class WrongKey(LedgerRefusal):
    """The roster's key is missing, isn't one, or isn't the one that sealed."""


class PrivateData(BaseModel):
    """Who a volunteer is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=100, pattern=_LINE, repr=False)]
    phone: Annotated[str | None, Field(max_length=40, pattern=_LINE, repr=False)] = None
    document_type: DocumentType | None = None
    document: Annotated[str | None, Field(max_length=60, pattern=_LINE, repr=False)] = None


class Sealed(NamedTuple):
    """What the database keeps of who somebody is: opened by the key alone, but for `called`."""

    content: bytes
    called: str


class _Sealed(PrivateData):
    volunteer: str


class Vault:
    """Seals and opens."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Keys as `new_key` makes them, the newest first. WrongKey where one can't be."""
        try:
            fernets = [Fernet(_padded(key)) for key in keys]
            self._newest, self._fernet = fernets[0], MultiFernet(fernets)
        except ValueError as error:
            raise WrongKey(
                "名册密钥的格式不对：每行一个 44 字符的密钥，用 hours roster new-key 生成。 "
                "The roster's key is malformed: one key of 44 characters a line, as "
                "hours roster new-key makes them."
            ) from error

    def seal(self, volunteer: str, data: PrivateData) -> Sealed:
        """What the database keeps."""
        whole = _Sealed(volunteer=volunteer, **dict(data))
        content = self._fernet.encrypt(whole.model_dump_json(exclude_none=True).encode())
        return Sealed(content, called(data.name))

    def open(self, volunteer: str, sealed: bytes) -> PrivateData:
        """What was sealed for this volunteer. WrongKey where it wasn't, or by another key."""
        try:
            opened = _Sealed.model_validate_json(self._fernet.decrypt(sealed))
        except (InvalidToken, ValidationError) as error:
            raise _another_key() from error
        if opened.volunteer != volunteer:
            raise _another_key()
        fields = {name: getattr(opened, name) for name in PrivateData.model_fields}
        return PrivateData.model_construct(**fields)

    def sealed_again(self, sealed: bytes) -> bytes | None:
        """The same, sealed by the newest key; None where it is already. WrongKey."""
        try:
            self._newest.decrypt(sealed)
        except InvalidToken:
            try:
                return self._fernet.rotate(sealed)
            except InvalidToken as error:
                raise _another_key() from error
        return None


def new_key() -> str:
    """A key to keep in a file of its own."""
    return Fernet.generate_key().decode()


def masked(data: PrivateData) -> dict[str, str | None]:
    """As those see it who may not see it: 王＊＊, 138****5678, 3206**********1234."""
    return {
        "name": called(data.name),
        "phone": _covered(data.phone, 3, 4),
        "document_type": data.document_type,
        "document": _covered(data.document, 4, 4),
    }


def called(name: str) -> str:
    """A name with nothing left but its first character."""
    return name[0] + "*" * max(1, len(name) - 1)


def _covered(text: str | None, first: int, last: int) -> str | None:
    if text is None:
        return None
    if len(text) < first + last + 3:
        return text[0] + "*" * (len(text) - 1)
    return text[:first] + "*" * (len(text) - first - last) + text[-last:]


def identities(data: PrivateData) -> set[tuple[str, ...]]:
    """What tells who somebody is: the document, and phone and name together."""
    document, phone = document_of(data), phone_of(data)
    found: set[tuple[str, ...]] = set()
    if document is not None:
        found.add(("document", *document))
    if phone is not None:
        found.add(("phone and name", *phone))
    return found


def document_of(data: PrivateData) -> tuple[str, str] | None:
    """Type and number of the document, in capitals."""
    return None if data.document is None else (data.document_type or "", data.document.upper())


def phone_of(data: PrivateData) -> tuple[str, str] | None:
    """Phone and name, which together tell who somebody is."""
    return None if data.phone is None else (data.phone, data.name)


def _padded(key: str) -> str:
    """With the signs that end base64, which `make secrets` leaves out."""
    return key + "=" * (-len(key) % 4)


def _another_key() -> WrongKey:
    return WrongKey(
        "名册密钥打不开已保存的姓名：请用封存时的密钥（HOURS_ROSTER_KEY_FILE）。 "
        "The roster's key doesn't open the names that are kept: HOURS_ROSTER_KEY_FILE must hold "
        "the key that sealed them."
    )
