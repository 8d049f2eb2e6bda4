"""The roster on the board: nobody overwrites what they never saw, reasons stay, who looked is told.

On both databases; what is another's is in test_board_rights.
"""

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from ledger import queries
from ledger.roster import disclosing, store
from ledger.roster.records import Activity, Have, Membership, Person
from ledger.roster.roster import Change, Roster
from ledger.roster.store import Deed
from tests.board_world import (
    HOUR,
    LI,
    NAMES,
    PHONES,
    QIAN,
    WANG,
    ZHAO,
    District,
    InProcess,
    as_a_board_may,
    board_in_process,
    district_at,
    now,
)

UNITS = "编号,类别,名称,上级编号\n"


@pytest.fixture
def district(ledger_url: str, tmp_path: Path) -> Iterator[District]:
    with district_at(ledger_url, tmp_path) as found:
        yield found


@pytest.fixture
def board(district: District) -> Iterator[InProcess]:
    """On PostgreSQL by a login that may do what the board's group may, and nothing else."""
    with as_a_board_may(district) as url, board_in_process(district, ledger_url=url) as made:
        yield made


def roster(board: InProcess) -> Roster:
    with queries.reading(board.district.engine) as connection:
        return store.load(connection)


def fields(page: str) -> dict[str, str]:
    """The form of an activity as a browser would send it, unchanged."""
    found = dict(re.findall(r'<input [^>]*?name="(\w+)" value="([^"]*)"', page))
    for name, options in re.findall(r'<select name="(\w+)">(.*?)</select>', page, re.S):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    return {name: text for name, text in found.items() if name not in ("back", "lang")}


def changed(board: InProcess, *changes: Change) -> None:
    """Changes of the roster, made elsewhere."""
    with store.changing(board.district.engine) as connection:
        deed = Deed("keeper", "整理", now())
        store.apply(connection, store.load(connection), changes, deed)


def test_whoever_saves_an_activity_that_another_has_changed_is_told_and_overwrites_nothing(
    board: InProcess,
) -> None:
    first, second = board.client("leader"), board.client("leader2")
    seen_by_both = fields(first.get("/roster/activities/concert").text)
    assert seen_by_both["title"] == "社区音乐会"
    to_the_microsecond = roster(board).activities["concert"].planned_start
    counted = {**seen_by_both, "served": "30", "why": "数了人"}
    assert first.post("/roster/activities/concert", data=counted).status_code == 303
    renamed = {**seen_by_both, "title": "新年音乐会", "why": "改名"}
    late = second.post("/roster/activities/concert", data=renamed)
    assert late.status_code == 409
    assert "被别人改过" in late.text
    concert = roster(board).activities["concert"]
    assert (concert.title, concert.served) == ("社区音乐会", 30)
    assert concert.planned_start == to_the_microsecond
    page = second.get("/roster/activities/concert").text
    assert "leader — 数了人" in page
    again = {**fields(page), "title": "新年音乐会", "why": "改名"}
    assert second.post("/roster/activities/concert", data=again).status_code == 303
    concert = roster(board).activities["concert"]
    assert (concert.title, concert.served) == ("新年音乐会", 30)


def test_of_two_who_end_a_membership_or_replace_a_badge_one_does_and_one_is_told(
    board: InProcess,
) -> None:
    first, second = board.client("leader"), board.client("leader2")
    ended = {"team": "choir", "until": "2026-10-01", "why": "退出"}
    assert first.post(f"/roster/people/{WANG}/leave", data=ended).status_code == 303
    late = board.client("officer").post(
        f"/roster/people/{WANG}/leave", data={**ended, "until": "2026-05-01"}
    )
    assert (late.status_code, "被别人改过" in late.text) == (409, True)
    membership = roster(board).get(Membership, WANG, "choir", "2026-01-01")
    assert membership is not None
    assert membership.until == "2026-10-01"
    generation = re.search(
        r'name="generation" value="(\d+)"', second.get(f"/roster/people/{LI}").text
    )
    assert generation
    anew = {"generation": generation[1], "why": "丢了"}
    assert first.post(f"/roster/people/{LI}/badge", data=anew).status_code == 303
    assert second.post(f"/roster/people/{LI}/badge", data=anew).status_code == 409
    person = roster(board).get(Person, LI)
    assert person is not None
    assert person.badge_generation == int(generation[1]) + 1


def test_whatever_signs_somebody_s_id_has_the_links_and_forms_of_their_page_work(
    board: InProcess,
) -> None:
    odd = "V-12/小 ?#%&"
    changed(
        board,
        Change(None, Person(volunteer=odd, unit="station-1")),
        Change(None, Membership(volunteer=odd, team="choir", since="2026-01-01")),
    )
    leader = board.client("leader")
    pages = re.findall(r'href="(/roster/people/[^"]+)"', leader.get("/roster/people").text)
    (its_page,) = [html.unescape(one) for one in pages if "12" in one]
    page = leader.get(its_page).text
    actions = re.findall(r'action="(/roster/people/[^"]+)"', page)
    (leaving,) = [html.unescape(one) for one in actions if one.endswith("/leave")]
    ended = {"team": "choir", "until": "2026-10-01", "why": "退出"}
    answer = leader.post(leaving, data=ended)
    assert (answer.status_code, answer.headers["location"]) == (303, its_page)
    membership = roster(board).get(Membership, odd, "choir", "2026-01-01")
    assert membership is not None
    assert membership.until == "2026-10-01"


def test_of_two_who_let_somebody_join_on_one_day_one_does_and_one_is_told(
    board: InProcess,
) -> None:
    join = {"team": "clinic", "since": "2026-03-01", "why": "兼队"}
    centre = board.client("centre")
    assert centre.post(f"/roster/people/{LI}/join", data=join).status_code == 303
    late = centre.post(f"/roster/people/{LI}/join", data=join)
    assert (late.status_code, "被别人改动" in late.text) == (409, True)
    overlapping = centre.post(f"/roster/people/{LI}/join", data={**join, "since": "2026-04-01"})
    assert overlapping.status_code == 422


def test_nothing_is_changed_without_a_reason(board: InProcess) -> None:
    before = roster(board).records
    leader, centre, given = board.client("leader"), board.client("centre"), {"why": " \u3000"}
    person = f"/roster/people/{WANG}"
    answers = [
        leader.post("/roster/activities/concert", data={"title": "x", **given}),
        leader.post(f"{person}/leave", data={"team": "choir", "until": "2026-10-01", **given}),
        leader.post(f"{person}/consent", data={"agrees": "false", **given}),
        leader.post(f"{person}/badge", data=given),
        leader.post(f"{person}/reveal", data=given),
        centre.post("/roster/posts", data={"post": "post-1", "item": "sign", "state": "missing"}),
        centre.post("/roster/badges", data={"volunteer": WANG, **given}),
        centre.post("/roster/undo", data={"number": "1", **given}),
    ]
    assert [one.status_code for one in answers] == [422] * len(answers)
    assert roster(board).records == before
    with queries.reading(board.district.engine) as connection:
        assert disclosing.disclosures(connection, 1, 0)[1] == 0


def test_a_reason_that_says_who_it_is_about_is_not_kept(board: InProcess) -> None:
    leader, phone = board.client("leader"), PHONES[WANG]
    for said in (NAMES[WANG], phone, f"{phone[:3]} {phone[3:]}"):
        left = {"team": "choir", "until": "2026-10-01", "why": f"{said} 搬走了"}
        refused = leader.post(f"/roster/people/{WANG}/leave", data=left)
        assert (refused.status_code, "请换个说法" in refused.text) == (422, True), said
    with queries.reading(board.district.engine) as connection:
        assert len(store.change_sets(connection)) == 1


MALFORMED: list[tuple[str, dict[str, str]]] = [
    (f"/roster/people/{WANG}/join", {"team": " choir ", "since": "2026-03-01"}),
    (f"/roster/people/{WANG}/join", {"team": "a" * 300, "since": "2026-03-01"}),
    (f"/roster/people/{WANG}/join", {"team": "nowhere", "since": "2026-03-01"}),
    (f"/roster/people/{WANG}/leave", {"team": "choir", "until": "2025-01-01"}),
    (f"/roster/people/{WANG}/leave", {"team": "choir", "until": "soon"}),
    (f"/roster/people/{WANG}/badge", {"generation": "one"}),
    ("/roster/people", {"badge": " ", "team": "choir", "since": "2026-03-01"}),
    ("/roster/people", {"badge": "BNOBODY", "team": "choir", "since": "2026-03-01"}),
    ("/roster/posts", {"post": "post-1", "item": "nothing", "state": "have"}),
    ("/roster/posts", {"post": "post-1", "item": "sign", "state": "perhaps"}),
    ("/roster/undo", {"number": str(2**70)}),
    ("/roster/undo", {"number": "-1"}),
    ("/roster/requests", {"number": str(2**70), "answer": "x"}),
    ("/roster/activities", {"title": "x", "unit": "nowhere", "teams": "choir"}),
    ("/roster/activities", {"title": "x", "unit": "centre", "teams": "choir", "served": "-3"}),
]


def test_what_can_not_be_is_refused_with_words_and_changes_nothing(board: InProcess) -> None:
    before, centre = roster(board).records, board.client("centre")
    for path, data in MALFORMED:
        answer = centre.post(path, data={"why": "试试", **data})
        assert answer.status_code in (404, 409, 422), (path, data)
        assert 'class="refusal"' in answer.text
    assert roster(board).records == before


def test_a_page_says_who_looked_at_whom_and_why_and_nobody_else_s(board: InProcess) -> None:
    leader = board.client("leader")
    assert "没有人" in leader.get(f"/roster/people/{WANG}").text
    leader.post(f"/roster/people/{WANG}/reveal", data={"why": "要打电话"})
    for who in ("leader2", "officer", "auditor"):
        assert "leader — 要打电话" in board.client(who).get(f"/roster/people/{WANG}").text
    assert "要打电话" not in leader.get(f"/roster/people/{LI}").text


def test_a_leader_takes_in_whoever_shows_a_badge_and_nobody_who_does_not(
    board: InProcess,
) -> None:
    leader = board.client("leader")
    join = {"team": "choir", "since": "2026-03-01", "why": "新队员"}
    assert leader.post(f"/roster/people/{ZHAO}/join", data=join).status_code == 403
    assert leader.post(f"/roster/people/{ZHAO}/reveal", data={"why": "x"}).status_code == 403
    foreign = {**join, "badge": f"b{ZHAO[1:].lower()}", "team": "clinic"}
    assert leader.post("/roster/people", data=foreign).status_code == 403
    assert leader.post("/roster/people", data={**foreign, "team": "choir"}).status_code == 303
    assert roster(board).get(Membership, ZHAO, "choir", "2026-03-01") is not None
    assert leader.get(f"/roster/people/{ZHAO}").status_code == 200
    assert 'name="badge"' in leader.get("/roster/people").text
    assert 'name="badge"' not in board.client("auditor").get("/roster/people").text


def test_activities_that_were_called_off_or_have_no_time_yet_are_still_found(
    board: InProcess,
) -> None:
    at = now() - 48 * HOUR
    bare = {"unit": "station-1", "teams": ("choir",)}
    off = Activity(code="off", title="雨停", planned_start=at, status="cancelled", **bare)
    changed(board, Change(None, off), Change(None, Activity(code="some", title="待定", **bare)))
    day = board.board.policy.civil_day(at)
    page = board.client("leader").get(f"/roster/activities?first={day}&last={day}").text
    assert "雨停" in page
    assert page.index("待定") < page.index("雨停")
    assert "社区音乐会" not in page


def test_a_leader_plans_an_activity_at_any_unit_s_place(board: InProcess) -> None:
    leader = board.client("leader")
    assert '<option value="station-2"' in leader.get("/roster/activities/new").text
    given = {"title": "下乡", "unit": "station-2", "teams": "choir", "why": "计划"}
    assert leader.post("/roster/activities", data=given).status_code == 303
    theirs = {**given, "teams": "choir、clinic"}
    assert leader.post("/roster/activities", data=theirs).status_code == 403


def test_a_dry_run_shows_from_what_to_what_and_an_import_made_twice_changes_nothing(
    board: InProcess,
) -> None:
    centre = board.client("centre")
    sheet = f"{UNITS}station-1,站,运河新站,office-1\nstation-9,站,新村站,office-1\n"
    first, second = (tried(centre, "单位.csv", sheet) for _ in range(2))
    text = re.sub(r"<[^>]+>", " ", first)
    assert re.search(r"名称: 运河站 → 运河新站", text)
    assert re.search(r"单位\s+2\s+0\s+1\s+1\s+0\s+0", text)
    answers = [
        centre.post("/roster/import/apply", data={"kept": kept(page), "why": "新站"})
        for page in (first, second)
    ]
    assert [one.status_code for one in answers] == [303, 303]
    page = centre.get("/roster").text
    assert "没有变化" in page
    with queries.reading(board.district.engine) as connection:
        last = store.change_sets(connection)[-1]
    assert (last.number, last.deed.by) == (2, "centre")
    assert re.fullmatch(r"单位\.csv sha256:[0-9a-f]{12}", last.deed.source or "")
    assert str(last.deed.source) in page


def test_what_was_imported_does_not_hide_what_was_changed_before(board: InProcess) -> None:
    have = Have(post="post-1", item="sign", state="missing", day="2026-01-02", checked_by="x")
    before = roster(board).get(Have, "post-1", "sign")
    changed(board, Change(before, have))
    centre = board.client("centre")
    many = UNITS + "".join(f"point-{n},点,村点{n},station-1\n" for n in range(40))
    page = tried(centre, "单位.csv", many)
    centre.post("/roster/import/apply", data={"kept": kept(page), "why": "四十个点"})
    told = centre.get("/roster").text
    assert ("四十个点" in told, "整理" in told, "建名册" in told) == (True, True, True)


def test_who_can_not_have_a_badge_is_said_to_and_nothing_is_printed(board: InProcess) -> None:
    refused = board.client("centre").post("/roster/badges", data={"volunteer": QIAN, "why": "补"})
    assert (refused.status_code, "没有可印的证" in refused.text) == (409, True)
    with queries.reading(board.district.engine) as connection:
        assert disclosing.disclosures(connection, 1, 0)[1] == 0


def tried(client: TestClient, name: str, text: str) -> str:
    """The page of a dry run that refuses nothing."""
    answer = client.post("/roster/import", files={"file": (name, text.encode("utf-8-sig"))})
    assert (answer.status_code, 'data-refused="0"' in answer.text) == (200, True), answer.text
    return answer.text


def kept(page: str) -> str:
    found = re.search(r'name="kept" value="(\w+)"', page)
    assert found
    return found[1]
