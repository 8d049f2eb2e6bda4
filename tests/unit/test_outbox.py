"""The outbox on a real file: kept before it is told, the first version for ever, a full disk."""

import multiprocessing
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from producers.events import CheckedOut, CheckedOutData
from producers.kiosk import outbox as outboxes
from producers.kiosk.database import OtherVersion, open_database
from producers.kiosk.gateway_clock import Moment
from producers.kiosk.outbox import NewTap, Outbox, OutboxUnavailable, RefusedTap
from producers.kiosk.outbox_rows import OutboxRows, Published

RECEIVED = Moment(1_790_000_000_000_000, "boot", 1_000)


def tap(number: int, place: str = "p", volunteer: str = "V1") -> NewTap:
    event = CheckedOut(
        id=f"tap-{number}",
        source="/kiosks/k",
        subject=volunteer,
        time=RECEIVED.best_at,
        data=CheckedOutData(place=place),
    )
    return NewTap(event, place, RECEIVED)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "gateway.db"


@pytest.fixture
def outbox(file: Path) -> Iterator[Outbox]:
    with closing(Outbox(file, reserve_bytes=0)) as outbox:
        yield outbox


@pytest.fixture
def rows(file: Path) -> Iterator[OutboxRows]:
    with closing(OutboxRows(file)) as rows:
        yield rows


def test_taps_wait_in_the_order_they_came_however_they_were_given(
    outbox: Outbox, rows: OutboxRows
) -> None:
    kept = [outbox.add([tap(number), tap(number + 1)]) for number in range(0, 100, 2)]
    assert all(one.result(10) == [True, True] for one in kept)
    assert [row.id for row in rows.waiting(1_000)] == [f"tap-{number}" for number in range(100)]


def test_of_one_source_and_id_the_first_stays(outbox: Outbox, rows: OutboxRows) -> None:
    assert outbox.add([tap(1, place="first")]).result(10) == [True]
    assert outbox.add([tap(1, place="second"), tap(2)]).result(10) == [False, True]
    first = rows.waiting(10)[0]
    assert b'"place":"first"' in first.event
    assert len(rows.waiting(10)) == 2


def test_what_was_given_before_closing_is_kept(file: Path) -> None:
    outbox = Outbox(file, reserve_bytes=0)
    kept = [outbox.add([tap(number)]) for number in range(50)]
    outbox.close()
    assert all(one.result(0) == [True] for one in kept)


def test_without_the_room_that_is_kept_in_reserve_nothing_new_is_taken(
    file: Path, rows: OutboxRows
) -> None:
    with closing(Outbox(file, reserve_bytes=1 << 60)) as full:
        with pytest.raises(OutboxUnavailable) as refused:
            full.add([tap(1)]).result(10)
        assert refused.value.reason == "disk-full"
        assert full.trouble() is not None
    assert rows.standing().waiting == 0


def test_a_commit_that_fails_fails_those_who_wait_for_it_and_the_next_works(
    outbox: Outbox, rows: OutboxRows
) -> None:
    bad = RefusedTap("/kiosks/k", "x", "reason", "detail", "no bytes" * 3, 1)  # type: ignore[arg-type]
    unbindable = bad._replace(at=1 << 70)
    with pytest.raises(OutboxUnavailable) as refused:
        outbox.refuse([unbindable]).result(10)
    assert refused.value.reason == "disk-error"
    assert outbox.add([tap(1)]).result(10) == [True]
    assert rows.standing().waiting == 1


def test_refusals_are_kept_up_to_a_number_and_counted_for_ever(
    outbox: Outbox, rows: OutboxRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outboxes, "MOST_REFUSALS", 3)
    for number in range(10):
        one = RefusedTap("", str(number), "unreadable", "detail", b"x" * 9_000, number)
        outbox.refuse([one]).result(10)
    kept = rows.refusals(100)
    assert [one.id for one in kept] == ["7", "8", "9"]
    assert all(len(one.body) < 9_000 for one in kept)
    assert rows.standing().refused_at_door == 10


def test_what_is_published_waits_no_more_and_is_forgotten_in_the_end(
    outbox: Outbox, rows: OutboxRows
) -> None:
    outbox.add([tap(number) for number in range(3)]).result(10)
    first, second, third = rows.waiting(10)
    rows.published([Published(first.number, 0, 7)], at=1_000)
    rows.refused_by_kafka(second.number, "MessageSizeTooLarge")
    assert [row.number for row in rows.waiting(10)] == [third.number]
    assert rows.standing()._replace(oldest_at=None) == (1, None, 1, 1, 0)
    assert rows.is_published("/kiosks/k", "tap-0")
    rows.forget_published(before=2_000)
    assert not rows.has("/kiosks/k", "tap-0")
    assert rows.has("/kiosks/k", "tap-1")


def test_what_kafka_was_offered_never_changes_again(outbox: Outbox, rows: OutboxRows) -> None:
    outbox.add([tap(1)]).result(10)
    (row,) = rows.waiting(1)
    rows.offer([row._replace(event=b"put right")])
    (offered,) = rows.waiting(1)
    assert (offered.event, bool(offered.offered)) == (b"put right", True)
    rows.offer([offered._replace(event=b"once more")])
    assert rows.waiting(1)[0].event == b"put right"


def _add(file: Path, first: int) -> None:
    with closing(Outbox(file, reserve_bytes=0)) as outbox:
        for number in range(first, first + 200):
            outbox.add([tap(number)]).result(30)


def test_two_processes_may_keep_taps_in_one_file(file: Path, rows: OutboxRows) -> None:
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=_add, args=(file, first)) for first in (0, 1_000)]
    for one in both:
        one.start()
    for one in both:
        one.join(60)
    assert [one.exitcode for one in both] == [0, 0]
    assert rows.standing().waiting == 400


def test_a_file_of_another_version_is_refused_in_words(file: Path) -> None:
    with closing(open_database(file)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(OtherVersion, match="99"):
        open_database(file)


def test_every_commit_is_on_the_disk_before_it_is_told(file: Path) -> None:
    with closing(open_database(file)) as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert isinstance(connection, sqlite3.Connection)
