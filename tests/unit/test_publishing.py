"""Publishing accounts for each line once, whatever the broker does, with a bound on what waits."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.errors import KafkaTimeoutError, MessageSizeTooLargeError

from producers import publishing
from producers.examples import EXAMPLES
from producers.publishing import Account, NotAcknowledged, Trouble, publish_events, publish_lines
from producers.reading import read_record
from producers.refusals import RefusalReason
from producers.writing import write_line, write_record
from tests.silent import Silent

GOOD = [write_line(example) for example in EXAMPLES]
BLANK = [b"", b"\n", b" \t\r\n"]
REFUSED = {b"garbage\n": RefusalReason.NOT_JSON, b"{}": RefusalReason.NOT_A_CLOUDEVENT}
TOPIC = "hours.taps"


class Broker:
    """A producer whose broker acknowledges late, and not each record: it says no by number."""

    def __init__(self, unsent: set[int] | None = None, unacknowledged: set[int] | None = None):
        self.sent: list[tuple[bytes, bytes, list[tuple[str, bytes]]]] = []
        self.waiting = self.most_waiting = 0
        self._tried = 0
        self._unsent = unsent or set()
        self._unacknowledged = unacknowledged or set()

    def send(self, topic: str, *, value: bytes, key: bytes, headers: Any) -> "Acknowledgement":
        assert topic == TOPIC
        number = self._tried
        self._tried += 1
        if number in self._unsent:
            raise MessageSizeTooLargeError("too large for the broker")
        self.sent.append((key, value, headers))
        self.waiting += 1
        self.most_waiting = max(self.most_waiting, self.waiting)
        return Acknowledgement(self, number in self._unacknowledged)


class Acknowledgement:
    def __init__(self, broker: Broker, fails: bool) -> None:
        self._broker = broker
        self._fails = fails

    def get(self, timeout: float) -> None:
        assert timeout > 0
        self._broker.waiting -= 1
        if self._fails:
            raise KafkaTimeoutError("no acknowledgement")


def publish(
    lines: Any, broker: Any, reports: list[dict[str, Any]] | None = None
) -> tuple[Account, list[Trouble]]:
    refused: list[Trouble] = []
    account = publish_lines(
        lines,
        broker,
        TOPIC,
        lambda so_far: None if reports is None else reports.append(asdict(so_far)),
        refused.append,
    )
    return account, refused


def ended(account: Account) -> tuple[int, int, int, int]:
    return account.blank, account.sent, account.refused, account.failed


def test_no_lines_are_an_empty_account() -> None:
    assert publish([], Broker()) == (Account(), [])


def test_lines_are_sent_in_order_as_records_that_read_back() -> None:
    broker = Broker()
    account, refused = publish([line + b"\r\n" for line in GOOD], broker)
    assert account == Account(lines=4, sent=4)
    assert refused == []
    assert broker.sent == [write_record(example) for example in EXAMPLES]
    assert [read_record(value, headers) for _, value, headers in broker.sent] == list(EXAMPLES)


def test_a_bad_line_is_refused_by_its_number_and_stops_nothing() -> None:
    account, refused = publish([GOOD[0], b"\n", *REFUSED, GOOD[1]], broker := Broker())
    assert account == Account(lines=5, blank=1, sent=2, refused=2)
    assert [(trouble.line, trouble.reason) for trouble in refused] == [
        (3, RefusalReason.NOT_JSON),
        (4, RefusalReason.NOT_A_CLOUDEVENT),
    ]
    assert all(trouble.detail for trouble in refused)
    assert len(broker.sent) == 2


def test_failures_are_counted_and_the_first_is_told() -> None:
    account, _ = publish([b"", *GOOD], Broker(unsent={3}, unacknowledged={1}))
    assert ended(account) == (1, 2, 0, 2)
    assert account.first_failure is not None
    assert account.first_failure.line == 5  # not taken at all, which is known at once
    account, _ = publish([b"", *GOOD], Broker(unacknowledged={1, 2}))
    assert ended(account) == (1, 2, 0, 2)
    assert account.first_failure == Trouble(
        3, "KafkaTimeoutError", str(KafkaTimeoutError("no acknowledgement"))
    )


def test_events_that_are_not_acknowledged_are_an_outage_and_the_others_are_sent() -> None:
    broker = Broker()
    publish_events(EXAMPLES, broker, TOPIC)
    assert broker.sent == [write_record(example) for example in EXAMPLES]
    assert broker.waiting == 0
    broker = Broker(unsent={0}, unacknowledged={2})
    with pytest.raises(NotAcknowledged, match="did not acknowledge 2 events"):
        publish_events(EXAMPLES, broker, TOPIC)
    assert broker.waiting == 0


@given(
    st.lists(st.sampled_from([*GOOD, *BLANK, *REFUSED])),
    st.sets(st.integers(0, 20)),
    st.sets(st.integers(0, 20)),
)
def test_each_line_ends_once(lines: list[bytes], unsent: set[int], lost: set[int]) -> None:
    account, refused = publish(lines, Broker(unsent, lost))
    good = [line for line in lines if line in GOOD]
    failed = len((unsent | lost) & set(range(len(good))))
    assert account.lines == len(lines) == sum(ended(account))
    assert account.blank == sum(line in BLANK for line in lines)
    assert account.refused == len(refused) == sum(line in REFUSED for line in lines)
    assert account.failed == failed
    assert account.sent == len(good) - failed
    assert (account.first_failure is None) == (failed == 0)


def test_no_more_than_a_bound_waits_and_no_line_is_read_before_its_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(publishing, "_IN_FLIGHT", 10)
    broker = Broker(unsent={5}, unacknowledged={17})

    def lines() -> Iterator[bytes]:
        for number in range(95):
            assert len(broker.sent) >= number - 1
            yield GOOD[number % 4]

    account, _ = publish(lines(), broker)
    assert broker.most_waiting == 10
    assert broker.waiting == 0
    assert ended(account) == (0, 93, 0, 2)


def test_a_client_that_never_answers_is_waited_for_once_not_for_each_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(publishing, "_DELIVERY_SECONDS", 0.05)
    broker = Silent()
    account, _ = publish([GOOD[0]] * 30, broker)
    assert ended(account) == (0, 0, 0, 30)
    assert len(broker.waited) == 30
    assert sum(broker.waited) <= 0.1


def test_reports_only_grow_and_the_last_is_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "_IN_FLIGHT", 10)
    reports: list[dict[str, Any]] = []
    account, _ = publish([*GOOD, b"", b"garbage"] * 9, Broker(), reports)
    assert len(reports) > 1
    assert [report["sent"] for report in reports] == sorted(report["sent"] for report in reports)
    assert reports[-1] == asdict(account)


def test_an_interrupt_of_the_lines_is_not_swallowed() -> None:
    def lines() -> Iterator[bytes]:
        yield GOOD[0]
        raise OSError("the file is gone")

    with pytest.raises(OSError, match="gone"):
        publish(lines(), Broker())


def test_what_is_published_is_what_was_understood() -> None:
    extra = GOOD[0][:-1] + b',"recordedat":"2026-03-06T00:00:00Z","mood":"good"}'
    broker = Broker()
    publish([extra], broker)
    (sent,) = broker.sent
    assert sent == write_record(EXAMPLES[0])
