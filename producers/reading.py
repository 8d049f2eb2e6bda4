"""From a Kafka record, or a line of a file, to an event or a refusal.

It judges form only: what time and the ledger make of the event is settling's. Invariant: no
bytes whatever make it raise, and the same bytes and headers always end the same way.
"""

from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from producers.events import ANY_EVENT, EVENT_MODELS, SPEC_VERSION, Event, Instant
from producers.json_text import NotJson, object_of, repeats_no_key
from producers.modes import Binary, mode_of
from producers.refusals import Refusal, RefusalReason, shown
from producers.writing import CONTENT_TYPE

MAX_VALUE_BYTES = 65_536

Headers = Sequence[tuple[str, bytes | None]]
