"""The trouble that is expected: each says in one line what happened and what to do."""

from hours.services import ServiceUnavailable
from hours.settings import WrongUse
from ledger.evidence.refusals import EvidenceRefusal
from ledger.refusals import LedgerRefusal
from producers.kiosk.database import OtherVersion
from producers.kiosk.kiosks import KioskRefusal
from producers.kiosk.outbox import OutboxUnavailable
from producers.publishing import NoBroker, NotAcknowledged
from producers.serving import DoorRefusal
from producers.sheets import TooManyRows
from producers.simulated_run import AnotherPlan
from streams.at_once import JobLost
from streams.segments import ArchiveRefusal
from streams.topics import TopicRefusal

EXPECTED = (
    *(AnotherPlan, ArchiveRefusal, DoorRefusal, EvidenceRefusal, KioskRefusal, LedgerRefusal),
    *(
        JobLost,
        NoBroker,
        NotAcknowledged,
        OtherVersion,
        OutboxUnavailable,
        ServiceUnavailable,
        TooManyRows,
        TopicRefusal,
        WrongUse,
    ),
)
