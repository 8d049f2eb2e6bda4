"""Checking a certificate's file, with nothing but a public key: what it states against its proof.

The paper's words are drawn from what is attached; what is attached is computed again from the
record. Invariant: a certificate passes only if its statement is, to the byte, what its record
gives.
"""

import json
from ctypes import c_ulong
from typing import NamedTuple

import pypdfium2
import pypdfium2.raw as pdfium
from pydantic import BaseModel, ConfigDict, ValidationError

from ledger.evidence.notes import Key
from ledger.evidence.records import ProvenRecord, read_record, verified_record
from ledger.evidence.statements import Identity, Statement, statement_of
from ledger.evidence.tlog_proofs import NotAProof
from ledger.faults import first_fault
from ledger.policy import Policy

RECORD, CERTIFICATE = "record.json", "certificate.json"
"""The files in it: the proof, and what it states."""

MOST_BYTES = 1 << 28
"""No file that proves something is larger, nor is all that is packed into it."""

_PDF = b"%PDF-"


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    identity: Identity
    statement: Statement


class ProvenCertificate(NamedTuple):
    """What a certificate states, whom it names, and the record it follows from."""

    statement: Statement
    identity: Identity
    proven: ProvenRecord


def is_pdf(data: bytes) -> bool:
    """Whether these bytes say that they are one."""
    return data.startswith(_PDF)


def attachments_of(pdf: bytes) -> dict[str, bytes]:
    """The files in a PDF, by name. NotAProof where it can't be read, or holds too much."""
    try:
        document = pypdfium2.PdfDocument(pdf)
        found = [document.get_attachment(at) for at in range(document.count_attachments())]
        if sum(map(_unpacked_bytes, found)) > MOST_BYTES:
            raise NotAProof("the files attached to it are too large to be a proof")
        return {one.get_name(): bytes(one.get_data()) for one in found}
    except pypdfium2.PdfiumError as error:
        raise NotAProof(f"no PDF that can be read ({error})") from error


def verified_certificate(pdf: bytes, keys: tuple[Key, ...]) -> ProvenCertificate:
    """What the certificate proves to who trusts these keys. NotANote, NotAProof."""
    files = attachments_of(pdf)
    if RECORD not in files or CERTIFICATE not in files:
        raise NotAProof(f"no {RECORD} and {CERTIFICATE} are attached: it is no certificate")
    said, proven = _said(files[CERTIFICATE]), verified_record(read_record(files[RECORD]), keys)
    statement, identity = said.statement, said.identity
    policy = Policy(timezone=statement.timezone)
    try:
        expected = statement_of(proven, statement.number, identity, policy, statement.policy)
    except ValueError as error:
        raise NotAProof(str(error)) from error
    if expected.body != statement.body:
        raise NotAProof(
            f"it states other than its record gives: {_difference(statement, expected)}"
        )
    _refuse_other_paper(pdf, statement, identity)
    return ProvenCertificate(statement, identity, proven)


def hours_words(seconds: int) -> str:
    """Hours and minutes, and seconds where there are any."""
    sign, seconds = ("−" if seconds < 0 else ""), abs(seconds)
    hours, minutes, rest = seconds // 3_600, seconds // 60 % 60, seconds % 60
    return f"{sign}{hours} 小时 h {minutes:02d} 分 min" + (f" {rest:02d} 秒 s" if rest else "")


def _unpacked_bytes(attachment: pypdfium2.PdfAttachment) -> int:
    """PDFium unpacks it to tell, up to a gibibyte, and lets go of it."""
    size = c_ulong()
    pdfium.FPDFAttachment_GetFile(attachment, None, 0, size)
    return size.value


def _said(data: bytes) -> _Said:
    try:
        return _Said.model_validate_json(data)
    except ValidationError as error:
        raise NotAProof(f"{CERTIFICATE}: {first_fault(error)}") from error


def _difference(statement: Statement, expected: Statement) -> str:
    there, here = (json.loads(one.body) for one in (statement, expected))
    name = next(name for name in here if here[name] != there.get(name))
    return f"{name} {there.get(name)} ≠ {here[name]}"


def _refuse_other_paper(pdf: bytes, statement: Statement, identity: Identity) -> None:
    """The page must show the number, the name and the hours that are attached to it."""
    document = pypdfium2.PdfDocument(pdf)
    text = "".join(page.get_textpage().get_text_bounded() for page in document)
    shown = "".join(text.split())
    hours = hours_words(statement.certified_seconds)
    for wanted in (statement.number, identity.name, statement.hash, hours):
        if "".join(wanted.split()) not in shown:
            raise NotAProof(f"the page does not show what is attached to it: {wanted}")
