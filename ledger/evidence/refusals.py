"""What the evidence refuses, each with one line for people. Chinese first, English second."""

from typing import Any


class EvidenceRefusal(Exception):
    """Evidence can't be made or read as things stand; the message says why and what to do."""


class SigningRefused(EvidenceRefusal):
    """What stands in the ledger can't be what was signed before. Nothing more is signed.

    `evidence` holds both sides, as values of JSON.
    """

    def __init__(self, said: str, **evidence: Any) -> None:
        super().__init__(said)
        self.evidence = evidence


class NotProven(EvidenceRefusal):
    """There is no signed checkpoint above what was asked for."""


class FolderRefusal(EvidenceRefusal):
    """A folder of tiles can't be read, or is another ledger's."""
