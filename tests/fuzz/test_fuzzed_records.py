"""Fuzzing, a little of it in every run: `make fuzz` goes on for a million records."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count, islice
from typing import Any
from unittest.mock import patch

import pytest

from producers import reading
from producers.events import CheckedIn
from producers.refusals import Refusal
from tests.fuzz import campaign, corpus, judging
from tests.fuzz.judging import complaints
from tests.fuzz.records import STRUCTURED, RawRecord, records
from tests.running import Hours

NOW = datetime(2026, 11, 25, tzinfo=UTC)
CASES = corpus.cases()


@pytest.mark.parametrize("name", CASES)
def test_each_kept_record_is_read_as_it_must_be(name: str) -> None:
    assert complaints(CASES[name]) == []


def test_fuzzed_records_are_read_as_they_must_be(fuzz_seed: int) -> None:
    for record in islice(records(fuzz_seed, NOW, 4), 1_500):
        assert complaints(record) == [], record


def test_the_same_seed_gives_the_same_records() -> None:
    first, again, other = (list(islice(records(seed, NOW, 4), 200)) for seed in (7, 7, 8))
    assert first == again
    assert first != other


def test_records_are_of_every_kind() -> None:
    made = list(islice(records(1, NOW, 4), 8_000))
    read = [reading.read_record(one.value, one.headers) for one in made]
    assert {getattr(one, "reason", "accepted") for one in read} == {
        "accepted",
        *reading.RefusalReason,
    }
    assert 0.4 < sum(not hasattr(one, "reason") for one in read) / len(read) < 0.7
    assert {one.partition for one in made} == set(range(4))
    assert max(len(one.value or b"") for one in made) > reading.MAX_RECORD_BYTES
    assert {None, b""} <= {one.key for one in made}


def raises(value: Any, headers: Any) -> Any:
    return reading.read_record(value, headers) if value else value.decode()


def forgets(value: Any, headers: Any, calls: Iterator[int] = count()) -> Any:  # noqa: B008
    return reading.read_record(value if next(calls) % 9 else None, headers)


def takes_nan_for_a_number(value: Any, headers: Any) -> Any:
    return reading.read_record(value and value.replace(b"NaN", b"0"), headers)


def takes_the_first_of_two(value: Any, headers: Any) -> Any:
    return reading.read_record(value and value.replace(b'"id":"other",', b""), headers)


def trims_a_name(value: Any, headers: Any) -> Any:
    read = reading.read_record(value, headers)
    return read if isinstance(read, Refusal) else read.model_copy(update={"id": read.id[:-1]})


def coerces_a_number(value: Any, headers: Any) -> Any:
    number = rb'"(id|source|subject|team|place)"\s*:\s*(-?[0-9]+)\b(?![.eE])'
    return reading.read_record(value and re.sub(number, rb'"\1":"\2"', value), headers)


def refuses_a_place(value: Any, headers: Any) -> Any:
    read = reading.read_record(value, headers)
    if isinstance(read, CheckedIn) and read.data.team == "t-3":
        return Refusal(reading.RefusalReason.INVALID_FIELD, "no such team")
    return read


FAULTY = (
    *(raises, forgets, takes_nan_for_a_number, takes_the_first_of_two, trims_a_name),
    *(coerces_a_number, refuses_a_place),
)


@pytest.mark.parametrize("reader", FAULTY)
def test_a_reader_with_a_fault_is_found_and_the_case_made_small(reader: Any) -> None:
    with patch.object(judging, "read_record", reader):
        made = islice(records(1, NOW, 4), 20_000)
        found = next((one for one in made if complaints(one)), None)
        assert found is not None
        if reader is not forgets:  # which never fails twice alike
            small = corpus.minimised(found, complaints)
            assert complaints(small)
            assert len(small.value or b"") <= len(found.value or b"")
    assert complaints(found) == []


def test_a_case_that_is_kept_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus, "FOLDER", tmp_path_factory.mktemp("corpus"))
    record = RawRecord(0, None, b"\xff{", (*STRUCTURED, ("h", None)))
    assert list(corpus.cases()) == []
    corpus.keep(record, "odd")
    corpus.keep(record._replace(value=None))
    assert corpus.cases()["odd"] == record
    assert len(corpus.cases()) == 2


def test_a_worker_accounts_for_every_fuzzed_record(hours: Hours, fuzz_seed: int) -> None:
    hours.ok("init")
    report = campaign.run(hours, 5_000, fuzz_seed, print)
    assert sum(report.sent.values()) == sum(report.ends.values()) == 5_000
    assert report.ends["skipped"] == 0
    assert report.ends["accepted"] > 1_000
    assert set(report.reasons) >= {"not-json", "too-late", "invalid-field", "wrong-partition"}
    assert report.findings == []


@pytest.fixture
def fuzz_seed() -> int:
    """Another in every run; pytest shows it where a test fails."""
    seed = int(datetime.now(UTC).timestamp() * 1_000) % 1_000_000
    print(f"fuzz seed {seed}")
    return seed
