"""The board's threads outlive whatever goes wrong in them, and what they were about shows it."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dashboards.board import correcting, notices
from dashboards.board.correcting import CorrectionPublisher
from dashboards.board.directory import DirectoryCache
from dashboards.board.live import watching
from dashboards.board.live.watching import LedgerWatch, LogWatch
from dashboards.board.notices import Channels, Notifier
from producers.kafka_access import KafkaAccess
from tests.board_world import POLICY, District, district_at, now
from tests.running import eventually

NOWHERE = KafkaAccess("127.0.0.1:9")


@pytest.fixture
def district(tmp_path: Path) -> Iterator[District]:
    with district_at(f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path) as found:
        yield found


@contextmanager
def running(thread: Any) -> Iterator[None]:
    thread.start()
    try:
        yield
    finally:
        thread.stop()
        thread.join(10)


def broken(*_: Any) -> Any:
    raise RuntimeError("a fault of ours")


def test_a_fault_in_reading_the_ledger_is_shown_until_it_is_over(
    district: District, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    watch = LedgerWatch(district.engine, POLICY, DirectoryCache(), now)
    with monkeypatch.context() as patched:
        patched.setattr(watching.Reader, "read", broken)
        assert not watch.look()
        assert not watch.look()
    assert watch.failing_since is not None
    assert len([one for one in caplog.records if one.exc_info]) == 1  # where it was, once
    assert watch.look()
    assert watch.failing_since is None


def test_a_fault_in_sending_corrections_is_shown_until_it_is_over(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(correcting.store, "waiting", broken)
    thread = CorrectionPublisher(district.engine, NOWHERE, "taps", now)
    with running(thread):
        eventually(lambda: thread.state.trouble == "a fault of ours", "its trouble")
        monkeypatch.undo()
        eventually(lambda: thread.state.trouble is None, "its going on")


def test_a_fault_in_asking_kafka_ends_no_thread(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = threading.Event()

    def failing(_: KafkaAccess) -> None:
        asked.set()
        broken()

    monkeypatch.setattr(watching, "reach", failing)
    ledger = LedgerWatch(district.engine, POLICY, DirectoryCache(), now)
    thread = LogWatch(NOWHERE, "taps", POLICY.shard_count, ledger, now)
    with running(thread):
        assert asked.wait(30)
        asked.clear()
        assert asked.wait(30)
        assert thread.freshness().asked_at is None


def test_a_fault_in_telling_of_exceptions_ends_no_thread(
    district: District, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(notices, "exceptions", broken)
    monkeypatch.setattr(notices, "_LOOK_SECONDS", 0.05)
    channels = Channels(None, None, "http://127.0.0.1:9/hook", "https://board.example")
    thread = Notifier(district.engine, POLICY, DirectoryCache(), channels, now)
    caplog.set_level(logging.ERROR)
    with running(thread):
        eventually(lambda: len(caplog.records) > 1, "a second try")
