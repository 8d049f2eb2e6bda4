"""What a certificate states: hours that count, on their days, by the issuer's reporting policy."""

from typing import Any

import pytest

from ledger.entries import genesis
from ledger.evidence.checkpoints import Checkpoint, SignedCheckpoint
from ledger.evidence.moments import Moment
from ledger.evidence.records import ProvenRecord
from ledger.evidence.statements import Identity, ReportingPolicy, Served, Statement, statement_of
from ledger.policy import SECOND, Policy
from ledger.shard import Head, Shard
from ledger.taps import Adjustment, Fact, Record, Tap, Void

LEDGER = "tongzhou.hours.example"
POLICY = Policy(shard_count=1)
HOUR = 3_600 * SECOND
NOON = 1_790_049_600 * SECOND
"""2026-09-22 in Shanghai, noon."""
WHO = Identity(document="", document_type="", name="王小明", salt="0" * 32)
PLAIN = ReportingPolicy()


def session(id: str, at: int, seconds: int, team: str = "choir", **more: Any) -> list[Fact]:
    return [
        Tap.of("V1", "in", at, "/kiosks/1", f"{id}-in", team, "station-1", **more),
        Tap.of("V1", "out", at + seconds * SECOND, "/kiosks/1", f"{id}-out"),
    ]


def adjusted(id: str, day: str, seconds: int, activity: str | None = None) -> Adjustment:
    said = (activity, day, seconds, "leader", "office", "户外服务")
    return Adjustment("V1", NOON, "/desks/1", id, "choir", *said)


def proven(*facts: Fact, is_whole: bool = True) -> ProvenRecord:
    """What the ledger settled of them, as if all of it had been proven."""
    shard = Shard(0, POLICY, Head.after(genesis(0, LEDGER, POLICY)))
    log = [Record(at, NOON + 24 * HOUR, fact) for at, fact in enumerate(facts)]
    moment = Moment(at="2026-09-24T00:00:00.000000Z", ledger=LEDGER, seq=0, shards=[])
    signed = SignedCheckpoint(Checkpoint(LEDGER, 1, bytes(32)), {}, "")
    bodies = [entry.body for entry in shard.fold(log).entries]
    return ProvenRecord("V1", bodies, moment, signed, is_whole)


def stated(*facts: Fact, reporting: ReportingPolicy = PLAIN) -> Statement:
    return statement_of(proven(*facts), "2026-1", WHO, POLICY, reporting)


def test_sessions_count_on_the_day_they_began_and_adjustments_on_theirs() -> None:
    late = NOON + 11 * HOUR + HOUR // 2  # half past eleven at night
    found = stated(
        *session("a", NOON, 3_600, activity="concert"),
        *session("b", late, 3_600),
        adjusted("x", "2026-09-20", 900),
        adjusted("y", "2026-09-25", -300, "concert"),
    )
    assert (found.first_day, found.last_day) == ("2026-09-20", "2026-09-25")
    assert (found.sessions, found.adjustments, found.taken_back) == (2, 2, 0)
    assert found.ledger_seconds == 7_200 + 900 - 300
    assert found.certified_seconds == 7_200 + 900  # a day that owes hours certifies none
    assert found.served == [
        Served(activity="", seconds=4_500, sessions=1, team="choir"),
        Served(activity="concert", seconds=3_300, sessions=1, team="choir"),
    ]


def test_what_was_taken_back_does_not_count_and_is_counted_as_that() -> None:
    void = Void("V1", NOON, "/desks/1", "v", "/kiosks/1", "a-out", "leader", "误")
    other = void._replace(id="w", tap_id="c-out")
    found = stated(
        *session("a", NOON, 3_600), void, *session("b", NOON + 5 * HOUR, 60, "clinic"),
        *session("c", NOON + 9 * HOUR, 600), other,
    )  # fmt: skip
    assert (found.sessions, found.taken_back, found.ledger_seconds) == (1, 2, 60)
    assert found.served == [Served(activity="", seconds=60, sessions=1, team="clinic")]


def test_nothing_served_is_stated_as_nothing() -> None:
    found = stated()
    assert (found.first_day, found.last_day, found.served) == ("", "", [])
    assert (found.ledger_seconds, found.certified_seconds, found.sessions) == (0, 0, 0)


@pytest.mark.parametrize(
    ("cap", "rounding", "certified"),
    [
        (0, "none", 8_999 + 1_800),
        (0, "half-hour", 7_200 + 1_800),
        (0, "hour", 7_200),
        (2, "none", 7_200 + 1_800),
        (1, "hour", 3_600),
    ],
)
def test_each_day_is_capped_then_rounded_down_and_the_ledger_s_own_seconds_stand_beside_it(
    cap: int, rounding: Any, certified: int
) -> None:
    reporting = ReportingPolicy(day_cap_hours=cap, rounding=rounding)
    found = stated(
        *session("a", NOON, 8_999), *session("b", NOON - 24 * HOUR, 1_800), reporting=reporting
    )
    assert (found.certified_seconds, found.ledger_seconds) == (certified, 8_999 + 1_800)
    assert found.policy == reporting


def test_the_statement_says_of_whom_when_and_where_and_binds_the_name_without_saying_it() -> None:
    found = stated(*session("a", NOON, 60))
    assert (found.volunteer, found.number, found.ledger) == ("V1", "2026-1", LEDGER)
    assert (found.moment, found.timezone) == ("2026-09-24T00:00:00.000000Z", "Asia/Shanghai")
    assert found.identity == WHO.hash
    assert "王小明" not in found.body.decode()
    assert Statement.model_validate_json(found.body) == found


def test_a_record_that_may_leave_something_out_gives_no_statement() -> None:
    record = proven(*session("a", NOON, 60), is_whole=False)
    with pytest.raises(ValueError, match="whole record"):
        statement_of(record, "2026-1", WHO, POLICY, PLAIN)
