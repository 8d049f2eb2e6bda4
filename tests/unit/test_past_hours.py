"""A row of paper becomes one adjustment, whose identity is what is written in it."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hours.past_hours import Line, Lines, by_private_data, lines_of, nobody
from hours.past_hours_plan import Fate, Plan, Sent, fates, notices, plan
from ledger.adjustments import DayKey, Entered
from ledger.entries import genesis
from ledger.policy import SECOND, Policy
from ledger.roster.records import Person, Team
from ledger.roster.roster import Roster
from ledger.roster.vault import PrivateData
from ledger.shard import Head, Shard
from ledger.taps import Record
from producers.past_hours import SOURCE, Flaw, PastHours, read_row
from producers.reading import read_record
from producers.writing import write_record
from streams.decoding import fact_of
from tests.past_hours import GOOD, row, tables

TODAY = "2026-03-05"
ENTERED_AT = 1_772_640_000 * SECOND
EMPTY = Roster.of(())
RESIDENT = "320602199001011239"


def lines(*files: Any, roster: Roster = EMPTY, **more: Any) -> Lines:
    arguments = {"who": nobody, "today": TODAY, "entered_at": ENTERED_AT, **more}
    return lines_of(tables(*files), roster, **arguments)


def identities(*files: Any, **more: Any) -> list[tuple[str, str]]:
    return [line.identity for line in lines(*files, **more).lines]


def planned(*files: Any, there: Any = (), coming: Any = ()) -> Plan:
    read = lines(*files)
    return plan(
        read.lines, read.refusals, {}, dict(map(entered, there)), dict(map(entered, coming))
    )


def entered(line: Line, partition: int = 0, offset: int = 0) -> tuple[tuple[str, str], Entered]:
    """The entry that a line became."""
    data = line.event.data
    content = (data.activity, data.day, data.seconds, data.by, data.approved_by, data.reason)
    return line.identity, Entered(*line.identity, data.team, *content, partition, offset)


def reasons(cells: dict[str, str]) -> list[tuple[str, str]]:
    read = read_row(cells, TODAY)
    return [] if isinstance(read, PastHours) else [(one.field, one.reason) for one in read]


def test_a_row_says_what_its_event_says() -> None:
    (line,) = lines([row(activity="a-1", hours="-90分钟")]).lines
    event, data = line.event, line.event.data
    assert (event.source, event.subject, event.time) == (SOURCE, "V7K2M9QXTA1", ENTERED_AT)
    assert event.importedfrom == "补录!2"
    assert (data.team, data.activity, data.day, data.seconds) == (
        *("合唱队", "a-1", "2026-02-05", -5_400),
    )
    assert (data.by, data.approved_by, data.reason) == ("leader-12", "leader-07", "签到机停电")
    assert read_record(*write_record(event)[1:]) == event


@pytest.mark.parametrize(
    ("cells", "field", "reason"),
    [
        *(({name: None}, name, "missing") for name in GOOD if name != "volunteer"),
        ({"volunteer": None}, "volunteer", "nobody"),
        ({"volunteer": None, "phone": "13800000000"}, "volunteer", "nobody"),
        ({"volunteer": "王小明"}, "volunteer", "bad-volunteer"),
        ({"volunteer": RESIDENT}, "volunteer", "private-number"),
        ({"by": "王小明"}, "by", "name-for-id"),
        ({"approved_by": "王小明"}, "approved_by", "name-for-id"),
        ({"approved_by": "Leader-12"}, "approved_by", "same-person"),
        ({"reason": "请致电138 0000 0000"}, "reason", "private-number"),
        ({"reason": f"证件{RESIDENT}"}, "reason", "private-number"),
        ({"reason": "请致电１３８００００００００"}, "reason", "private-number"),
        ({"reason": "因" * 1_001}, "reason", "bad-reason"),
        ({"team": "队" * 129}, "team", "bad-code"),
        ({"activity": "a\nb"}, "activity", "bad-code"),
        ({"id": "表" * 14}, "id", "bad-id"),
        ({"day": "2026-02-30"}, "day", "bad-day"),
        ({"day": "五月一日"}, "day", "bad-day"),
        ({"day": "2026-03-06"}, "day", "future-day"),
        ({"day": "1999-12-31"}, "day", "ancient-day"),
        ({"hours": "两小时"}, "hours", "bad-hours"),
        ({"hours": "0:00"}, "hours", "no-hours"),
        ({"hours": "24:00:01"}, "hours", "over-a-day"),
        ({"hours": "-25"}, "hours", "over-a-day"),
    ],
)
def test_one_bad_cell_is_refused_by_name(
    cells: dict[str, str | None], field: str, reason: str
) -> None:
    assert reasons(row(**cells)) == [(field, reason)]


@pytest.mark.parametrize(
    "cells",
    [
        *({"day": day} for day in (TODAY, "2000-01-01")),
        *({"hours": hours} for hours in ("24", "-24:00", "0:00:01")),
        *(
            {"id": "表" * 13},
            {"reason": "第一行\n第二行"},
            {"volunteer": None, "document": RESIDENT},
        ),
    ],
)
def test_what_is_at_the_edge_is_taken(cells: dict[str, str | None]) -> None:
    assert reasons(row(**cells)) == []


def test_all_that_is_wrong_with_a_row_is_said_at_once() -> None:
    bad = row(volunteer="王", hours="?", day="?", by="王", reason=None)
    assert {field for field, _ in reasons(bad)} == {"volunteer", "hours", "day", "by", "reason"}


@given(st.dictionaries(st.sampled_from([*GOOD, "id", "activity", "phone", "x"]), st.text()))
def test_any_cells_are_a_row_or_flaws(cells: dict[str, str]) -> None:
    read = read_row({**GOOD, **cells}, TODAY)
    assert isinstance(read, PastHours) or (read and all(isinstance(one, Flaw) for one in read))


def test_refusals_say_where_and_mask_what_may_be_private() -> None:
    (name, number) = lines([row(), row(volunteer="王小明"), row(reason="电话13800000000")]).refusals
    assert (name.file, name.sheet, name.row, name.column, name.header) == (
        *("1.xlsx", "补录", 3, "A", "志愿者编号"),
    )
    assert (name.value, name.reason) == ("王*明", "bad-volunteer")
    assert "0000" not in number.value


def test_a_row_keeps_its_identity_wherever_it_stands_and_however_it_is_spelt() -> None:
    rows = [row(volunteer=f"V{number}") for number in range(20)]
    before = identities(rows)
    random.Random(1).shuffle(rows)
    assert set(identities([row(volunteer="V99"), *rows])) > set(before)
    assert identities([row(hours="1.5")]) == identities([row(hours="1小时30分")])
    assert len(set(before)) == 20


@pytest.mark.parametrize("name", [*sorted(set(GOOD) - {"hours", "day"}), "activity"])
def test_a_row_with_another_cell_is_another_row(name: str) -> None:
    assert identities([row()]) != identities([row(**{name: "other"})])


def test_equal_rows_of_a_file_are_services_of_their_own_and_said_to_be_alike() -> None:
    read = planned([row(), row()])
    assert len({line.identity for line in read.new}) == 2
    assert [one.reason for one in notices(read.new, EMPTY, {})].count("alike-row") == 1


def test_a_row_that_stands_in_two_files_counts_once() -> None:
    both = planned([row(), row()], [row(), row(), row()])
    assert (len(both.new), len(both.repeated)) == (3, 2)


def test_rows_that_are_entries_or_on_their_way_are_not_new() -> None:
    old, coming, new = (row(volunteer=name) for name in ("V1", "V2", "V3"))
    read = planned([old, coming, new], there=lines([old]).lines, coming=lines([coming]).lines)
    found = [
        [one.event.subject for one in some] for some in (read.there, read.on_their_way, read.new)
    ]
    assert found == [["V1"], ["V2"], ["V3"]]
    assert read.sums() == [("合唱队", "2026-02", 1, 5_400)]


def test_an_id_of_its_authors_stands_for_one_content() -> None:
    first = row(id="表2026 017")
    there = lines([first]).lines
    assert there[0].event.id == "id-%E8%A1%A82026%20017"
    assert len(planned([first], there=there).there) == 1
    changed = planned([row(id="表2026 017", hours="2")], there=there)
    assert [one.reason for one in changed.refusals] == ["conflicting-id"]
    doubled = planned([first, first])
    assert [one.reason for one in doubled.refusals] == ["doubled-id"]
    assert planned([first], [first]).refusals == []
    assert len(planned([first, row(volunteer="V2", id="表2026 017")]).new) == 2


def test_a_team_may_be_named_and_the_name_it_had_then_decides() -> None:
    choir = Team(code="choir", kind="other", name_zh="合唱队", valid_until="2026-01-01")
    drums = Team(code="drums", kind="other", name_zh="合唱队", valid_from="2026-01-01")
    for roster, team in (
        (Roster.of([choir]), "choir"),
        (Roster.of([choir, drums]), "drums"),
        (EMPTY, "合唱队"),
    ):
        (line,) = lines([row()], roster=roster).lines
        assert line.event.data.team == team
        assert line.identity == identities([row()])[0]
    twice = Roster.of([drums, drums.model_copy(update={"code": "drums-2"})])
    assert [one.reason for one in lines([row()], roster=twice).refusals] == ["several-teams"]


def test_people_are_found_by_document_or_phone_and_name_and_nothing_of_it_is_in_the_event() -> None:
    who = by_private_data(
        {
            "V1": PrivateData(name="王小明", phone="13800000000", document="G123456"),
            "V2": PrivateData(name="李红", phone="13800000001", document="G7"),
            "V3": PrivateData(name="李红", phone="13800000001"),
        }
    )
    for cells in (
        {"document": "g123456"},
        {"phone": "13800000000", "name": "王小明"},
    ):
        read = lines([row(volunteer=None, **cells), row(**cells)], who=who)
        (line,) = read.lines
        assert line.event.subject == "V1"
        assert line.identity == identities([row(volunteer="V1")])[0]
        for private in (b"123456", "王".encode(), b"138"):
            assert private not in write_record(line.event)[1]
        assert [one.reason for one in read.refusals] == ["other-person"]
    by_name = {"volunteer": None, "phone": "13800000001", "name": "李红"}
    for cells, reason in (
        ({"volunteer": None, "document": "G9999"}, "unknown-person"),
        (by_name, "several-people"),
    ):
        (refusal,) = lines([row(**cells)], who=who).refusals
        assert refusal.reason == reason
        assert "*" in refusal.value


def test_codes_the_roster_lacks_are_warned_of_once_each() -> None:
    roster = Roster.of(
        [Team(code="合唱队", kind="other", name_zh="合唱队"), Person(volunteer="V1")]
    )
    new = planned([row(volunteer="V1"), row(), row(team="鼓队"), row(activity="a-1")]).new
    found = [(one.reason, one.value, one.rows) for one in notices(new, roster, {})]
    assert [one for one in found if one[0].startswith("unknown")] == [
        ("unknown-volunteer", "V7K2M9QXTA1", 3),
        ("unknown-team", "鼓队", 1),
        ("unknown-activity", "a-1", 1),
    ]


def test_a_day_that_has_hours_already_is_warned_of_and_one_taken_below_nothing() -> None:
    key = DayKey("V7K2M9QXTA1", "合唱队", "2026-02-05")

    def warned(there: int, *rows: dict[str, str]) -> list[str]:
        found = notices(planned(rows).new, EMPTY, {key: there})
        return [one.reason for one in found if not one.reason.startswith("unknown")]

    assert warned(3_600, row()) == ["hours-that-day"]
    assert warned(0, row()) == []
    assert warned(5_400, row(hours="-1:30")) == []
    assert warned(5_399, row(hours="-1:30")) == ["below-zero"]


def test_settling_takes_a_row_that_moved_for_a_duplicate() -> None:
    first, again = (lines([*above, row()]).lines[-1].event for above in ((), [row(team="鼓队")]))
    assert (first.id, first.importedfrom) != (first.id, again.importedfrom)
    policy = Policy(shard_count=1)
    shard = Shard(0, policy, Head.after(genesis(0, "test", policy)))
    now = ENTERED_AT + 9 * 3_600 * SECOND
    changes = shard.fold(
        Record(offset, now, fact_of(event)) for offset, event in enumerate([first, again])
    )
    assert [entry.seconds for entry in changes.entries] == [5_400]
    assert (changes.head.duplicates, changes.rejections) == (1, [])


def test_each_row_that_was_sent_has_one_fate() -> None:
    credited, duplicate, earlier, rejected, waiting = lines(
        [row(volunteer=f"V{number}") for number in range(5)]
    ).lines
    sent = [
        *(Sent(credited, 0, 10), Sent(duplicate, 0, 11), Sent(earlier, 0, 3, ours=False)),
        *(Sent(rejected, 0, 12), Sent(waiting, 1, 7)),
    ]
    there = dict([entered(credited, 0, 10), entered(duplicate, 0, 9), entered(earlier, 0, 2)])
    refused = {(0, 12): ("from-the-future", "its time is 400 s ahead")}
    assert fates(sent, there, refused, {0: 13, 1: 7}) == [
        Fate(credited, "credited"),
        Fate(duplicate, "duplicate"),
        Fate(earlier, "credited"),
        Fate(rejected, "rejected", "from-the-future", "its time is 400 s ahead"),
        Fate(waiting, "waiting"),
    ]
