"""From an event to a Kafka record: key, value and headers, in CloudEvents' structured mode.

It sends nothing. Invariant: what it writes, `producers.reading` reads back as the same event.
"""

from producers.events import Event

CONTENT_TYPE = ("content-type", b"application/cloudevents+json; charset=utf-8")

KafkaRecord = tuple[bytes, bytes, list[tuple[str, bytes]]]


def write_record(event: Event) -> KafkaRecord:
    """Key (the volunteer id: one volunteer's taps meet in one partition), value, headers."""
    return event.subject.encode(), write_line(event), [CONTENT_TYPE]


def write_line(event: Event) -> bytes:
    """The event as one line of JSON, without the line's end."""
    return event.model_dump_json(exclude_none=True).encode()
