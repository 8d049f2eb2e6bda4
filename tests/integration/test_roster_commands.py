"""What keepers of the roster can do with `hours roster`, on SQLite and on PostgreSQL."""

import json
import re
import stat
from pathlib import Path

import pytest
from sqlalchemy import select

from ledger import queries
from ledger.engine import open_engine
from ledger.roster import tables
from producers.volunteer_numbers import number_of
from tests.roster_desk import Desk

WANG = {
    "name": "王小明",
    "phone": "138 0000 1234",
    "document_type": "居民身份证",
    "document": "11010519491231002x",
}
LI = {"name": "李芳", "phone": "13900005678"}
WHY = ("--why", "改")


@pytest.fixture
def desk(tmp_path: Path, ledger_url: str) -> Desk:
    """A small district: a centre, an office, a post of it, a choir with one member, an activity."""
    desk = Desk.at(tmp_path, ledger_url)
    desk.add("unit", "code=c", "kind=中心", "name_zh=实践中心")
    desk.add("单位", "code=o1", "kind=office", "name_zh=金沙实践所", "parent=c")
    desk.add("unit", "code=p1", "kind=驿站", "name_zh=红色物业", "parent=o1")
    desk.add("have-item", "code=place", "name_zh=有阵地")
    desk.add("team", "code=choir", "kind=分队", "name_zh=合唱队", "unit=o1")
    desk.enrol("V1", WANG, "unit=o1", "teams=choir", "joined=2026-01-01")
    desk.add("activity", "code=a1", "title=排练", "unit=o1", "teams=choir", "capacity=1")
    return desk


def by_code(desk: Desk, *words: str) -> list[str]:
    return [row["code"] for row in desk.rows("list", *words)]


def test_what_was_added_is_listed_and_shown(desk: Desk) -> None:
    (office,) = desk.rows("show", "unit", "o1")
    assert office["above"] == [{"code": "c", "name_zh": "实践中心"}]
    assert (office["beneath"], office["teams"], office["people"]) == ({"post": 1}, 1, 1)
    (post,) = desk.rows("show", "unit", "p1")
    assert [(row["item"], row["state"]) for row in post["haves"]] == [("place", None)]
    (person,) = desk.rows("show", "志愿者", "V1")
    assert person["who"][0] == {
        "name": "王**",
        "phone": "138****1234",
        "document_type": "resident",
        "document": "1101**********002X",
    }
    assert [row["team"] for row in person["memberships"]] == ["choir"]
    assert person["badge_generation"] == 1
    assert person["number"] == number_of("V1")
    assert "合唱队" in desk.ok("list", "team")


def test_lists_are_filtered_by_what_is_beneath_and_by_day_and_come_in_pages(desk: Desk) -> None:
    desk.ok("change", "unit", "o1", "name_zh=新名", "--from", "2026-07-01", *WHY)
    assert by_code(desk, "unit", "--unit", "o1", "--on", "2026-08-01") == ["o1", "p1"]
    assert by_code(desk, "unit", "--unit", "c", "--limit", "2", "--page", "2") == ["o1", "p1"]
    assert "共 4 个" in desk.run("list", "unit", "--limit", "2").stderr
    assert [row["volunteer"] for row in desk.rows("list", "person", "--team", "choir")] == ["V1"]
    assert desk.rows("list", "person", "--team", "choir", "--on", "2025-12-31") == []
    assert desk.rows("list", "person", "--status", "退出") == []
    assert "--team" in desk.refused("list", "unit", "--team", "choir")


def test_a_renaming_from_a_day_keeps_the_old_name_for_the_time_before(desk: Desk) -> None:
    desk.ok("change", "unit", "o1", "name_zh=新名", "--from", "2026-07-01", *WHY)
    for day, name in (("2026-06-30", "金沙实践所"), ("2026-07-01", "新名")):
        (row,) = (row for row in desk.rows("list", "unit", "--on", day) if row["code"] == "o1")
        assert row["name_zh"] == name


def test_all_that_is_wrong_is_told_in_a_line_each_and_nothing_is_done(desk: Desk) -> None:
    said = desk.refused(
        "add", "activity", "code=a2", "titel=x", "teams=choir", "category=跳舞", "served=多",
        "planned_start=2026-07-01 25:00", *WHY,
    )  # fmt: skip
    told = {re.split("[=:]", line)[0] for line in said.splitlines()}
    assert told == {"titel", "title", "unit", "category", "served", "planned_start"}
    assert "培训 training" in said
    assert by_code(desk, "activity") == ["a1"]
    said = desk.refused("add", "unit", "code=o2", "kind=所", "name_zh=所", "parent=no", *WHY)
    assert "unit o2/0001-01-01 parent=no" in said
    assert "change" in desk.refused("add", "unit", "code=c", "kind=中心", "name_zh=又", *WHY)
    assert "hours roster search" in desk.refused("change", "unit", "no", "name_zh=又", *WHY)
    assert "--successor" in desk.refused("change", "unit", "o1", "code=o9", *WHY)


def test_a_dry_run_shows_what_would_be_done_and_does_nothing(desk: Desk) -> None:
    said = desk.ok("change", "team", "choir", "name_zh=老年合唱队", "--dry-run", *WHY)
    assert "合唱队 → 老年合唱队" in said
    assert desk.rows("list", "team")[0]["name_zh"] == "合唱队"
    assert desk.rows("history", "team", "choir")[0]["before"] is None


def test_times_are_those_of_the_ledgers_timezone(desk: Desk) -> None:
    when = ("planned_start=2026-08-01 09:00", "planned_end=2026-08-01 10:30:05")
    desk.ok("change", "activity", "a1", *when, *WHY)
    (row,) = desk.rows("list", "activity", "--on", "2026-08-01")
    assert (row["planned_start"], row["planned_end"]) == (
        "2026-08-01 09:00",
        "2026-08-01 10:30:05",
    )
    assert desk.rows("list", "activity", "--on", "2026-07-31") == []
    (told,) = desk.rows("history", "activity", "a1", "--limit", "1")
    assert told["after"]["planned_start"] == 1_785_546_000_000_000


def test_an_activity_takes_no_more_sign_ups_than_it_has_places_unless_overruled(
    desk: Desk,
) -> None:
    desk.enrol("V2", LI)
    desk.add("signup", "activity=a1", "volunteer=V1")
    second = ("add", "signup", "activity=a1", "volunteer=V2", *WHY)
    assert "--over-capacity" in desk.refused(*second)
    desk.ok(*second, "--over-capacity")
    (shown,) = desk.rows("show", "activity", "a1")
    assert (shown["sign_ups"], shown["places_left"]) == (2, -1)
    desk.ok("end", "signup", "a1", "V2", *WHY)
    assert desk.rows("show", "activity", "a1")[0]["places_left"] == 0


def test_how_a_post_stands_is_noted_and_noted_again(desk: Desk) -> None:
    for state in ("建设中", "有"):
        desk.ok("change", "have", "p1", "place", f"state={state}", "day=2026-07-02", *WHY)
    (have,) = desk.rows("show", "unit", "p1")[0]["haves"]
    assert (have["state"], have["checked_by"]) == ("have", "keeper")


def test_what_ends_keeps_its_past_and_a_person_leaves_all_teams(desk: Desk) -> None:
    desk.ok("end", "team", "choir", "--on", "2026-09-01", *WHY)
    assert desk.rows("list", "team")[0]["valid_until"] == "2026-09-01"
    desk.ok("end", "person", "V1", "--on", "2026-08-01", *WHY)
    (person,) = desk.rows("show", "person", "V1")
    assert (person["status"], person["memberships"][0]["until"]) == ("left", "2026-08-01")
    assert "--on" in desk.refused("end", "unit", "o1", *WHY)


def test_private_values_are_refused_on_the_command_line_and_not_repeated(desk: Desk) -> None:
    for field in ("name=张三丰", "手机号码=13812345678", "document=G1234567"):
        said = desk.refused("add", "person", field, *WHY)
        assert "--private-from" in said
        assert field.partition("=")[2] not in said
    said = desk.refused("add", "person", "--why", "又", input="")
    assert "--private-from" in said


@pytest.mark.parametrize(
    ("who", "field"),
    [
        ({"phone": "13812345678"}, "name"),
        ({"name": "张三", "phone": "12-AB"}, "phone"),
        ({"name": "张三", "document_type": "驾照", "document": "G7654321"}, "document_type"),
        (
            {"name": "张三", "document_type": "resident", "document": "110105194912310021"},
            "document",
        ),
        ({"name": "张三", "nickname": "三哥"}, "nickname"),
    ],
)
def test_private_values_that_cant_be_are_refused_without_being_repeated(
    sqlite_url: str, tmp_path: Path, who: dict[str, str], field: str
) -> None:
    desk = Desk.at(tmp_path, sqlite_url)
    words = ("add", "person", "--private-from", "-", *WHY)
    said = desk.refused(*words, input=json.dumps(who))
    assert said.startswith(f"{field}: ")
    shown = [who[name] for name in who if name != "document_type" and who[name] in said]
    assert shown == []


def test_somebody_who_is_in_the_roster_already_is_not_added_again_unseen(desk: Desk) -> None:
    words = ("add", "person", "volunteer=V2", "--private-from", "-", *WHY)
    again = json.dumps({"name": "王小明", "phone": "+86 138-0000-1234"})
    assert "V1" in desk.refused(*words, input=again)
    desk.ok(*words, "--other-person", input=again)


def test_a_reason_that_says_who_somebody_is_is_refused(desk: Desk) -> None:
    words = ("change", "person", "V1", "--private-from", "-", "--why", "王小明换了号码")
    assert "--why" in desk.refused(*words, input=json.dumps({"phone": "13811112222"}))
    assert "--why" in desk.refused("erase", "V1", "--yes", "--why", "13800001234 要求")


def test_people_and_things_are_searched_and_shown_masked(desk: Desk) -> None:
    for text in ("小明", "wxm", "wang xiaoming", "1234"):
        (found,) = desk.rows("search", text)
        assert (found["code"], found["name"]) == ("V1", "王**"), text
        assert "phone" in found
    assert {row["code"] for row in desk.rows("search", "jinsha")} == {"o1"}
    assert desk.rows("search", "hcd")[0]["code"] == "choir"
    assert desk.rows("search", "没有") == []


def test_who_somebody_is_is_revealed_for_a_reason_that_is_kept(desk: Desk) -> None:
    assert "--why" in desk.refused("show", "person", "V1", "--reveal")
    assert desk.rows("disclosures") == []
    (shown,) = desk.rows("show", "person", "V1", "--reveal", "--by", "张三", "--why", "本人要求")
    assert (shown["who"][0]["name"], shown["who"][0]["phone"]) == ("王小明", "13800001234")
    (found,) = desk.rows("search", "1234", "--reveal", "--why", "失物招领")
    assert found["name"] == "王小明"
    told = [(row["by"], row["why"], row["volunteers"]) for row in desk.rows("disclosures")]
    assert told == [("keeper", "失物招领", ["V1"]), ("张三", "本人要求", ["V1"])]


def test_without_the_key_nobody_is_named_and_without_it_nothing_is_revealed(desk: Desk) -> None:
    blind = desk.using(roster_key_file="")
    assert blind.rows("list", "person")[0]["name"] is None
    assert [row["by"] for row in blind.rows("search", "V1")] == ["id"]
    assert blind.rows("search", "小明") == []
    said = blind.refused("show", "person", "V1", "--reveal", "--why", "想看")
    assert "HOURS_ROSTER_KEY_FILE" in said
    assert desk.rows("disclosures") == []


def test_a_lost_badge_is_replaced_and_the_old_one_is_no_longer_the_persons(desk: Desk) -> None:
    before = desk.rows("list", "person")[0]
    desk.ok("replace-badge", "V1", "--why", "丢失")
    after = desk.rows("list", "person")[0]
    assert after["badge_serial"] != before["badge_serial"]
    assert after["badge_generation"] == 2
    assert desk.rows("search", before["badge_serial"]) == []


def test_the_history_says_who_when_why_and_from_what_to_what(desk: Desk) -> None:
    desk.ok("change", "team", "choir", "name_zh=老年合唱队", "--by", "张三", "--why", "更名")
    (latest, first) = desk.rows("history", "team", "choir")
    assert (latest["by"], latest["why"], first["by"]) == ("张三", "更名", "keeper")
    assert (latest["before"]["name_zh"], latest["after"]["name_zh"]) == ("合唱队", "老年合唱队")
    assert "name_zh: 合唱队 → 老年合唱队" in desk.ok("history")
    assert {row["kind"] for row in desk.rows("history", "person", "V1")} == {"person", "membership"}
    assert desk.rows("history", "--limit", "1", "--page", "2")[0]["number"] == latest["number"] - 1


def test_a_change_set_is_undone_and_redone(desk: Desk) -> None:
    desk.ok("change", "team", "choir", "name_zh=老年合唱队", *WHY)
    number = desk.rows("history")[0]["number"]
    desk.ok("undo", str(number), *WHY)
    assert desk.rows("list", "team")[0]["name_zh"] == "合唱队"
    latest = desk.rows("history")[0]
    assert latest["undoes"] == number
    desk.ok("undo", str(latest["number"]), *WHY)
    assert desk.rows("list", "team")[0]["name_zh"] == "老年合唱队"


def test_what_was_changed_since_is_not_undone_and_the_change_set_is_named(desk: Desk) -> None:
    desk.ok("change", "team", "choir", "name_zh=甲", *WHY)
    number = desk.rows("history")[0]["number"]
    desk.ok("change", "team", "choir", "name_zh=乙", *WHY)
    said = desk.refused("undo", str(number), *WHY)
    assert f"change set {number + 1} changed team choir" in said
    assert "There is no unit c" in desk.refused("undo", "1", *WHY)
    assert desk.rows("list", "team")[0]["name_zh"] == "乙"


def test_private_data_is_taken_back_too_and_may_be_changed_again(desk: Desk) -> None:
    change = ("change", "person", "V1", "--private-from", "-", *WHY)
    desk.ok(*change, input=json.dumps({"phone": "13911112222"}))
    assert desk.rows("search", "2222")[0]["code"] == "V1"
    desk.ok("undo", str(desk.rows("history")[0]["number"]), *WHY)
    assert desk.rows("search", "2222") == []
    assert desk.rows("search", "1234")[0]["code"] == "V1"
    desk.ok(*change, input=json.dumps({"phone": "13933334444"}))
    (row,) = desk.rows("search", "4444")
    assert row["document"] == "1101**********002X"


def test_what_somebody_is_called_at_kiosks_follows_their_name_whatever_becomes_of_it(
    desk: Desk, tmp_path: Path, ledger_url: str
) -> None:
    assert called(ledger_url) == "王**"
    change = ("change", "person", "V1", "--private-from", "-", *WHY)
    desk.ok(*change, input=json.dumps({"name": "李小明明"}))
    assert called(ledger_url) == "李***"
    desk.ok("undo", str(desk.rows("history")[0]["number"]), *WHY)
    assert called(ledger_url) == "王**"
    desk.ok("undo", str(desk.rows("history")[0]["number"]), *WHY)
    assert called(ledger_url) == "李***"
    desk.ok("end", "membership", "V1", "choir", "--on", "2026-07-01", *WHY)
    assert called(ledger_url) == "李***"
    both = tmp_path / "both.key"
    desk.ok("new-key", str(both))
    both.write_text(both.read_text() + (tmp_path / "roster.key").read_text())
    desk.using(roster_key_file=str(both)).ok("rotate-key")
    desk.ok("replace-badge", "V1", *WHY)
    assert called(ledger_url) == "李***"


def called(ledger_url: str) -> str | None:
    """What the roster's newest message about the volunteer calls them."""
    engine = open_engine(ledger_url)
    table = tables.outbox
    with queries.reading(engine) as connection:
        found = connection.execute(
            select(table.c.value)
            .where(table.c.key == "volunteer/V1")
            .order_by(table.c.change_set.desc())
        ).first()
    engine.dispose()
    assert found is not None
    name: str | None = json.loads(found.value)["called"]
    return name


def test_whoever_is_new_or_has_a_new_badge_is_told_the_number_to_type(desk: Desk) -> None:
    number = str(number_of("V2"))
    added = ("add", "person", "volunteer=V2", "--private-from", "-", *WHY)
    anybody = json.dumps({"name": "李芳", "phone": "13700001111"})
    assert number not in desk.ok(*added, "--dry-run", input=anybody)
    assert number in desk.ok(*added, input=anybody)
    assert number in desk.ok("replace-badge", "V2", *WHY)
    assert number not in desk.ok("change", "person", "V2", "unit=o1", *WHY)
    assert {row["volunteer"]: row["number"] for row in desk.rows("list", "person")} == {
        one: number_of(one) for one in ("V1", "V2")
    }
    assert number in desk.ok("list", "person")


def test_an_erased_volunteer_comes_back_by_no_way(desk: Desk) -> None:
    desk.add("signup", "activity=a1", "volunteer=V1")
    signed_up = desk.rows("history")[0]["number"]
    desk.ok("end", "signup", "a1", "V1", *WHY)
    desk.ok("erase", "V1", "--yes", *WHY)
    for number in (signed_up, signed_up + 1, signed_up + 2):
        assert "V1" in desk.refused("undo", str(number), *WHY)
    for words in (
        ("change", "person", "V1", "status=在册"),
        ("change", "person", "V1", "unit=o1"),
        ("add", "membership", "volunteer=V1", "team=choir", "since=2026-07-01"),
        ("add", "signup", "activity=a1", "volunteer=V1"),
        ("change", "team", "choir", "leaders=V1"),
        ("replace-badge", "V1"),
    ):
        assert "erased" in desk.refused(*words, *WHY), words
    again = json.dumps(WANG)
    words = ("person", "volunteer=V1", "--private-from", "-", *WHY)
    desk.refused("add", *words, input=again)
    desk.refused("change", "person", "V1", *words[2:], input=again)


def test_nobody_is_erased_who_was_not_confirmed(desk: Desk) -> None:
    result = desk.run("erase", "V1", *WHY, input="V2\n")
    assert (result.exit_code, "Not confirmed" in result.stderr) == (2, True)
    assert desk.rows("list", "person")[0]["status"] == "active"
    desk.ok("erase", "V1", *WHY, input="V1\n")
    assert "hours roster search" in desk.refused("erase", "V9", "--yes", *WHY)


def test_a_key_is_written_for_its_owner_alone_and_never_overwritten(
    desk: Desk, tmp_path: Path
) -> None:
    file = tmp_path / "another.key"
    said = desk.ok("new-key", str(file))
    assert said == f"export HOURS_ROSTER_KEY_FILE={file}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    key = file.read_text()
    assert key.strip() not in said
    assert "not overwritten" in desk.refused("new-key", str(file))
    assert file.read_text() == key


def test_a_rotated_key_opens_alone_and_rotating_again_does_nothing(
    desk: Desk, tmp_path: Path
) -> None:
    old = Path(desk.environment["HOURS_ROSTER_KEY_FILE"])
    new = tmp_path / "new.key"
    desk.ok("new-key", str(new))
    both = tmp_path / "both.key"
    both.write_text(new.read_text() + old.read_text())
    assert "1 sealed anew" in desk.using(roster_key_file=str(both)).ok("rotate-key")
    assert "0 sealed anew" in desk.using(roster_key_file=str(both)).ok("rotate-key")
    assert desk.using(roster_key_file=str(new)).rows("list", "person")[0]["name"] == "王**"
    assert "HOURS_ROSTER_KEY_FILE" in desk.refused("list", "person")
    assert [row["why"] for row in desk.rows("history", "--limit", "1")] == ["rotate-key"]
    assert "nothing to take back" in desk.refused(
        "undo", str(desk.rows("history")[0]["number"]), *WHY
    )
