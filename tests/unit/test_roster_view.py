"""What a reader makes of the roster's topic, record by record."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.roster_view import QUIET, RosterView

KEY = b"team/choir"


def told(revision: int, **fields: Any) -> bytes:
    return json.dumps({"revision": revision, **fields}).encode()


def view_of(*records: tuple[bytes | None, bytes | None]) -> RosterView:
    view = RosterView()
    for key, value in records:
        view.take(key, value)
    return view


def test_the_newest_value_of_each_key_stays_with_all_that_it_says() -> None:
    view = view_of((KEY, told(1)), (b"unit/a", told(2)), (KEY, told(3, rows=[{"code": "choir"}])))
    assert view.told == {
        "team/choir": {"revision": 3, "rows": [{"code": "choir"}]},
        "unit/a": {"revision": 2},
    }


def test_a_tombstone_takes_a_key_away_and_what_comes_after_it_is_new() -> None:
    assert view_of((KEY, told(5)), (KEY, None)).told == {}
    assert view_of((KEY, told(5)), (KEY, None), (KEY, told(2))).told == {
        "team/choir": {"revision": 2}
    }


def test_a_record_for_the_brokers_sake_says_nothing() -> None:
    assert view_of((QUIET.encode(), None), (KEY, told(1))).told.keys() == {"team/choir"}


@given(st.lists(st.integers(1, 9), min_size=1))
def test_repetitions_do_not_lead_back(revisions: list[int]) -> None:
    view = view_of(*((KEY, told(one)) for one in revisions))
    assert view.told["team/choir"]["revision"] == max(revisions)


@pytest.mark.parametrize(
    "value", [b"", b"not JSON", b"[]", b"{}", b'{"revision": "1"}', b'{"revision": 0}', b"\xff"]
)
def test_what_is_not_the_ledgers_is_named_and_replaces_nothing(value: bytes) -> None:
    view = view_of((KEY, told(1)), (KEY, value))
    assert view.told == {"team/choir": {"revision": 1}}
    assert view.unreadable.keys() == {"team/choir"}
    assert view.revisions["team/choir"] > 1 << 40
    view.take(KEY, told(2))
    assert (view.unreadable, view.revisions) == ({}, {"team/choir": 2})


def test_each_field_says_since_when_it_is_so() -> None:
    view = RosterView()
    view.take(KEY, told(1, status="active", badge={"generation": 1}), 10)
    view.take(KEY, told(2, status="active", badge={"generation": 2}), 20)
    view.take(KEY, told(3, status="left", badge={"generation": 2}), 30)
    view.take(KEY, told(2, status="active", badge={"generation": 2}), 40)
    assert view.since["team/choir"] == {"status": 30, "badge": 20}


def test_of_a_topic_read_anew_what_says_the_same_is_as_old_as_it_was() -> None:
    before = RosterView()
    before.take(KEY, told(7, status="active", name="王*"), 10)
    anew = RosterView(before)
    anew.take(KEY, told(1, status="active", name="李*", more=1), 50)
    assert anew.told["team/choir"]["revision"] == 1
    assert anew.since["team/choir"] == {"status": 10, "name": 50, "more": 50}


@pytest.mark.parametrize(
    ("key", "fields"),
    [
        ("team/choir", {"rows": {"code": "choir"}}),
        ("unit/a", {"rows": [{"valid_until": 3}]}),
        ("volunteer/V1", {"teams": [{"until": None}]}),
        ("volunteer/V1", {"badge": {"generation": "two"}}),
        ("activity/a", {"teams": [1]}),
        ("activity/a", {"planned_start": "tomorrow"}),
    ],
)
def test_what_has_another_shape_than_readers_count_on_is_unreadable(
    key: str, fields: dict[str, Any]
) -> None:
    view = view_of((key.encode(), told(1, **fields)))
    assert (view.told, view.unreadable.keys()) == ({}, {key})
