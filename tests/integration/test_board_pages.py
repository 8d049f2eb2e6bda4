"""What the board's pages do, on both databases: figures, files, roster, public, volunteers."""

import html
import io
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote

import openpyxl
import pypdfium2
import pytest
from defusedxml.minidom import parseString
from sqlalchemy import text
from starlette.testclient import TestClient

from dashboards.board import public as public_view
from dashboards.board.times import field_of
from ledger import queries
from ledger.accounts import volunteers
from ledger.corrections import store as corrections
from ledger.good_people import GoodPerson
from ledger.queries import Filters, day_bounds
from ledger.roster import disclosing, store
from ledger.roster.records import Activity, Membership, Signup
from ledger.roster.roster import Change
from ledger.roster.store import Deed
from ledger.taps import Adjustment, Tap
from tests.board_world import (
    HOUR,
    LAST_YEAR,
    LI,
    NAMES,
    NEAR,
    PHONES,
    POLICY,
    QIAN,
    WANG,
    ZHAO,
    District,
    InProcess,
    as_a_board_may,
    board_in_process,
    came,
    district_at,
    left,
    now,
    shown,
)


@pytest.fixture
def district(ledger_url: str, tmp_path: Path) -> Iterator[District]:
    with district_at(ledger_url, tmp_path) as found:
        at = now()
        found.settle(
            came(LI, at - 30 * HOUR, "l1"),
            left(LI, at - 28 * HOUR, "l2"),
            came(ZHAO, at - 30 * HOUR, "z1", "clinic", "station-2"),
            left(ZHAO, at - 29 * HOUR, "z2", "station-2"),
            came(WANG, at - 30 * HOUR, "w1"),
            came(LI, at - HOUR, "l3"),
        )
        yield found


@pytest.fixture
def board(district: District) -> Iterator[InProcess]:
    """On PostgreSQL by a login that may do what the board's group may, and nothing else."""
    with as_a_board_may(district) as url, board_in_process(district, ledger_url=url) as made:
        yield made


def test_figures_are_the_ledger_s_for_each_scope(board: InProcess) -> None:
    board.look()
    choir, clinic = of_this_year(30, 2), of_this_year(30, 1)
    front = board.client("centre").get("/").text
    assert shown(front, "year") == choir + clinic
    assert (shown(front, "here"), shown(front, "exceptions")) == (1, 1)
    assert shown(board.client("leader").get("/").text, "year") == choir
    assert shown(board.client("other").get("/").text, "year") == clinic
    assert shown(board.client("officer").get("/").text, "year") == choir
    board.district.settle(left(LI, now(), "l4"))
    board.look()
    leaders = board.client("leader").get("/").text
    assert shown(leaders, "year") >= choir + of_this_year(1, 1) - 1
    assert shown(leaders, "here") == 0


def of_this_year(hours_ago: int, hours: int) -> int:
    """Seconds of a session, as far as figures of the year hold it: the last may have just ended."""
    days = (POLICY.civil_day(at) for at in (now() - hours_ago * HOUR, now()))
    return hours * 3_600 if len({day[:4] for day in days}) == 1 else 0


def test_every_figure_opens_what_it_is_made_of_down_to_a_tap(board: InProcess) -> None:
    centre = board.client("centre")
    for part in ("", "&unit=office-1", "&team=clinic", "&unit=station-1", "&activity=concert"):
        whole = shown(centre.get(f"/explore?{NEAR}{part}").text, "whole")
        page = centre.get(f"/explore/entries?{NEAR}{part}").text
        assert whole == shown(page, "entries"), part
    page = centre.get(f"/explore/entries?{NEAR}&team=clinic").text
    (entry,) = re.findall(r"/explore/entry/\d+/\d+", page)
    told = centre.get(entry).text
    assert "z1" in told
    assert "z2" in told
    assert "赵*" in told


def test_what_is_shown_can_be_kept_as_a_file_in_which_nothing_is_a_formula(
    board: InProcess,
) -> None:
    centre = board.client("centre")
    table = centre.get(f"/explore/rows.xlsx?by=team&{NEAR}")
    sheet = openpyxl.load_workbook(io.BytesIO(table.content)).active
    rows = {row[0]: row[2] for row in sheet.iter_rows(min_row=2, values_only=True)}
    assert rows == {"choir": 7_200, "clinic": 3_600}
    entries = centre.get(f"/explore/entries.csv?{NEAR}").content.decode("utf-8-sig")
    assert len(entries.splitlines()) == 1 + 2
    assert centre.get(f"/explore/rows.exe?{NEAR}").status_code == 404


def test_whatever_signs_a_code_has_the_links_to_it_lead_there(board: InProcess) -> None:
    code, held = "合唱 A&B/1#?100%", now() - HOUR
    odd = Activity(
        code=code, title="排练", unit="station-1", teams=("choir",), held_start=held, status="held"
    )
    with store.changing(board.district.engine) as connection:
        before = store.load(connection)
        store.apply(connection, before, [Change(None, odd)], Deed("test", "test", held))
    board.district.settle(
        Tap.of(QIAN, "in", held, "/kiosks/1", "q1", "choir", "station-1", code),
        left(QIAN, held + HOUR // 2, "q2"),
        Adjustment(
            *(QIAN, now(), "/desks/1", "q3", "choir", code, LAST_YEAR, 600),
            *("leader", "officer", "补录"),
        ),
    )
    centre = board.client("centre")
    (its_page,) = links(centre.get(f"/roster/activities?{NEAR}").text, "/roster/activities/合", "1")
    page = centre.get(its_page).text
    (form,) = re.findall(r'action="(/roster/activities/[^"]*)"', page)
    assert html.unescape(form) == its_page
    (its_hours,) = links(page, "/explore?activity=")
    explored = centre.get(its_hours).text
    assert shown(explored, "whole") == 1_800 + 600
    for entries in links(explored, "/explore/entries?", "activity="):
        adjusted = 0 if "unit=" in entries else 600  # which was served at no place
        assert shown(centre.get(entries).text, "entries") == 1_800 + adjusted


def links(page: str, start: str, within: str = "") -> list[str]:
    """Where links lead that begin so and have this in them."""
    found = map(html.unescape, re.findall(r'href="([^"]+)"', page))
    return [one for one in found if unquote(one).startswith(start) and within in one]


@pytest.mark.parametrize(
    "path",
    [
        *("/explore?first=x&last=y", "/explore?unit=nobody", "/explore/entry/9/9"),
        *(
            "/explore/entries?after=a/b/c",
            "/explore/entries?after=2026-01-01/²/1",
            "/corrections/99",
            "/assessments/99",
            "/nothing",
        ),
        *("/roster/people/nobody", "/roster/activities/nobody", "/explore/entry/x/y"),
        *("/exceptions/fix?volunteer=a&source=b&id=c", "/exceptions?after=-1", "/corrections/bulk"),
        f"/explore?unit={'x' * 3_000}",
        f"/corrections/bulk?{'&'.join(['tap=x'] * 201)}",
    ],
)
def test_what_is_not_there_or_makes_no_sense_is_refused_with_words(
    path: str, board: InProcess
) -> None:
    answer = board.client("centre").get(path)
    assert answer.status_code in (404, 409, 422), answer.status_code
    assert 'role="alert"' in answer.text
    assert "Traceback" not in answer.text


def proposal(board: InProcess, client_name: str) -> dict[str, str]:
    """What the page of a preview would send on."""
    client = board.client(client_name)
    given = {
        "kind": "check-out",
        "volunteer": WANG,
        "tap_source": "/kiosks/station-1",
        "tap_id": "w1",
        "team": "choir",
        "place": "station-1",
        "other": _local(board.district.begun_at - 27 * HOUR),
        "reason": "忘记签退",
    }
    page = client.post("/corrections/preview", data=given)
    assert page.status_code == 200, page.text
    assert shown(page.text, "change") > 0
    found = re.search(r'name="proposal" value="([^"]+)"', page.text)
    assert found
    return {"proposal": found[1].replace("&#34;", '"')}


def test_a_correction_s_reason_that_says_who_somebody_is_is_not_taken(board: InProcess) -> None:
    leader = board.client("leader")
    sent_on = json.loads(proposal(board, "leader")["proposal"])
    for said in (NAMES[WANG], PHONES[WANG], "13800001234", "电话 １３８ ００００ １２３４"):
        given = {**sent_on, "reason": f"{said} 忘记签退"}
        form = {name: str(value) for name, value in given.items() if value is not None}
        answers = [
            leader.post("/corrections/preview", data={**form, "other": "2026-07-01 10:00"}),
            leader.post("/corrections", data={"proposal": json.dumps(given)}),
            leader.post("/api/v1/corrections", json=given),
        ]
        assert [one.status_code for one in answers] == [422] * 3, said
        assert all("请换个说法" in one.text for one in answers), said
    with queries.reading(board.district.engine) as connection:
        assert corrections.corrections(connection) == []


def _local(at: int) -> str:
    return field_of(at, POLICY.timezone)


def test_two_leaders_at_once_make_one_correction_and_one_hears_whose_it_is(
    board: InProcess,
) -> None:
    data = proposal(board, "leader")
    clients = [board.client(name) for name in ("leader", "leader2")]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda one: one.post("/corrections", data=data), clients))
    assert sorted(one.status_code for one in answers) == [303, 409]
    (refused,) = [one for one in answers if one.status_code == 409]
    assert re.search("leader2? 已经提出了同样的更正（第 1 号）", refused.text)
    with queries.reading(board.district.engine) as connection:
        assert len(corrections.corrections(connection)) == 1


def test_two_who_decide_at_once_give_one_decision_and_nobody_decides_their_own(
    board: InProcess,
) -> None:
    data = proposal(board, "leader")
    assert board.client("leader").post("/corrections", data=data).status_code == 303
    own = board.client("leader").post("/corrections/decide", data={"number": 1, "approve": "true"})
    assert own.status_code == 409
    assert "要由另一个人批准" in own.text
    clients = [board.client(name) for name in ("leader2", "officer")]
    given = [{"number": 1, "approve": "true"}, {"number": 1, "approve": "false"}]
    with ThreadPoolExecutor(2) as pool:
        answers = list(
            pool.map(
                lambda one: one[0].post("/corrections/decide", data=one[1]),
                zip(clients, given, strict=True),
            )
        )
    assert sorted(one.status_code for one in answers) == [303, 409]
    (late,) = [one for one in answers if one.status_code == 409]
    assert "您的操作没有生效" in late.text
    with queries.reading(board.district.engine) as connection:
        states = [one.state for one in corrections.steps(connection, 1)]
    assert states in (["proposed", "approved"], ["proposed", "declined"])


def test_what_was_declined_or_withdrawn_can_be_proposed_again(board: InProcess) -> None:
    data = proposal(board, "leader")
    leader, officer = board.client("leader"), board.client("officer")
    leader.post("/corrections", data=data)
    assert officer.post("/corrections/1/withdraw").status_code == 409
    assert leader.post("/corrections/1/withdraw").status_code == 303
    assert leader.post("/corrections", data=data).status_code == 303
    declined = {"number": 2, "approve": "false", "why": "时间不对"}
    assert officer.post("/corrections/decide", data=declined).status_code == 303
    assert "时间不对" in leader.get("/corrections/2").text
    assert leader.post("/corrections", data=data).status_code == 303


def test_what_would_change_nothing_or_be_refused_is_not_proposed(board: InProcess) -> None:
    leader = board.client("leader")
    sent = json.loads(proposal(board, "leader")["proposal"])
    for change in (
        {"occurred_at": board.district.begun_at - 20 * 24 * HOUR},
        {"occurred_at": board.district.begun_at + 5 * HOUR},
        {"kind": "void", "tap_id": "nothing"},
    ):
        answer = leader.post("/corrections", data={"proposal": json.dumps({**sent, **change})})
        assert answer.status_code in (403, 422), answer.text
    for broken in ("{", "{}", json.dumps({**sent, "seconds": 10**9}), json.dumps({**sent, "x": 1})):
        assert leader.post("/corrections", data={"proposal": broken}).status_code == 422
    with queries.reading(board.district.engine) as connection:
        assert corrections.corrections(connection) == []


def test_looking_at_a_name_takes_a_reason_and_is_kept(board: InProcess) -> None:
    leader = board.client("leader")
    masked = leader.get(f"/roster/people/{WANG}").text
    assert NAMES[WANG] not in masked
    assert PHONES[WANG] not in masked
    told = leader.post(f"/roster/people/{WANG}/reveal", data={"why": "要打电话"}).text
    assert NAMES[WANG] in told
    assert PHONES[WANG] in told
    with queries.reading(board.district.engine) as connection:
        (seen, *_), _ = disclosing.disclosures(connection, 5, 0)
    assert (seen.by, seen.why, seen.volunteers) == ("leader", "要打电话", (WANG,))
    assert leader.post(f"/roster/people/{WANG}/reveal", data={"why": ""}).status_code == 422


@pytest.mark.parametrize("sought", ["王小明", "wxm", "wangxiaoming", "1234", WANG])
def test_people_are_found_by_name_pinyin_phone_and_number(sought: str, board: InProcess) -> None:
    page = board.client("leader").get("/roster/people", params={"q": sought}).text
    assert WANG in page
    assert LI not in page


def test_a_newcomer_is_enrolled_once_into_one_s_own_team_and_named_in_no_history(
    board: InProcess,
) -> None:
    leader = board.client("leader")
    given = {"name": "周杰", "phone": "13700001111", "team": "choir", "why": "新登记"}
    made = leader.post("/roster/enrol", data=given)
    assert made.status_code == 303, made.text
    page = leader.get(made.headers["location"]).text
    assert "周*" in page
    assert "合唱队" in page
    again = leader.post("/roster/enrol", data=given)
    assert again.status_code == 409
    assert made.headers["location"].rpartition("/")[2] in again.text
    assert leader.post("/roster/enrol", data={**given, "other_person": "1"}).status_code == 303
    assert leader.post("/roster/enrol", data={**given, "team": "clinic"}).status_code in (403, 409)
    for wrong in ({"name": ""}, {"phone": "12"}, {"team": ""}, {"why": "周杰来了", "name": "周杰"}):
        answer = leader.post("/roster/enrol", data={**given, "other_person": "1", **wrong})
        assert answer.status_code == 422, wrong
    with board.district.engine.connect() as connection:
        kept = str(connection.execute(text("SELECT * FROM roster_changes")).all())
        kept += str(connection.execute(text("SELECT * FROM roster_change_sets")).all())
    assert "周杰" not in kept
    assert "13700001111" not in kept


def test_the_roster_is_changed_with_a_reason_and_a_change_is_undone(board: InProcess) -> None:
    leader, centre = board.client("leader"), board.client("centre")
    today = POLICY.civil_day(now())
    join = {"team": "choir", "since": today, "why": "新来的"}
    assert leader.post(f"/roster/people/{QIAN}/join", data=join).status_code in (303, 403, 422)
    joined = centre.post(f"/roster/people/{ZHAO}/join", data=join)
    assert joined.status_code == 303, joined.text
    with queries.reading(board.district.engine) as connection:
        roster = store.load(connection)
        (last, *_) = reversed(store.change_sets(connection))
    assert roster.get(Membership, ZHAO, "choir", today) is not None
    assert (last.deed.by, last.deed.why) == ("centre", "新来的")
    undone = centre.post("/roster/undo", data={"number": last.number, "why": "弄错了"})
    assert undone.status_code == 303, undone.text
    with queries.reading(board.district.engine) as connection:
        assert store.load(connection).get(Membership, ZHAO, "choir", today) is None


def test_an_activity_is_planned_held_and_counted_by_its_own_leader(board: InProcess) -> None:
    leader = board.client("leader")
    given = {
        "title": "扫街 <b>",
        "unit": "office-1",
        "teams": "choir",
        "planned_start": "2026-12-01T09:00",
        "planned_end": "2026-12-01T11:00",
        "status": "planned",
        "why": "计划",
    }
    made = leader.post("/roster/activities", data=given)
    assert made.status_code == 303, made.text
    page = leader.get(made.headers["location"])
    assert "扫街 &lt;b&gt;" in page.text
    held = {"status": "held", "held_start": "2026-12-01T09:00", "served": "30", "why": "办了"}
    assert leader.post(made.headers["location"], data=held).status_code == 303
    wrong = leader.post(made.headers["location"], data={"served": "many", "why": "x"})
    assert wrong.status_code == 422
    assert "served" in wrong.text
    code = made.headers["location"].rpartition("/")[2]
    with queries.reading(board.district.engine) as connection:
        activity = store.load(connection, (Activity,)).get(Activity, code)
    assert activity is not None
    assert (activity.status, activity.served) == ("held", 30)


def test_a_spreadsheet_is_tried_first_and_what_is_refused_changes_nothing(
    board: InProcess,
) -> None:
    centre = board.client("centre")
    good = "编号,类别,名称,上级编号\nstation-9,站,新村站,office-1\n".encode("utf-8-sig")
    tried = centre.post("/roster/import", files={"file": ("单位.csv", good, "text/csv")})
    assert tried.status_code == 200, tried.text
    if 'data-refused="0"' not in tried.text:
        raise AssertionError(re.findall(r'class="refusal">([^<]+)', tried.text))
    kept = re.search(r'name="kept" value="([^"]+)"', tried.text)
    assert kept
    with queries.reading(board.district.engine) as connection:
        assert "station-9" not in store.load(connection).units
    done = centre.post("/roster/import/apply", data={"kept": kept[1], "why": "新站"})
    assert done.status_code == 303, done.text
    with queries.reading(board.district.engine) as connection:
        assert "station-9" in store.load(connection).units
    again = centre.post("/roster/import/apply", data={"kept": kept[1], "why": "新站"})
    assert again.status_code == 404
    bad = "编号,类别,名称,上级编号\nstation-8,站,村站,nowhere\n".encode("utf-8-sig")
    refused = centre.post("/roster/import", files={"file": ("单位.csv", bad, "text/csv")})
    assert 'name="kept"' not in refused.text
    assert "nowhere" in refused.text
    for name, content in (("a.exe", b"x"), ("a.xlsx", b"no workbook"), ("a.csv", b"\xff\xfe\x00")):
        answer = centre.post("/roster/import", files={"file": (name, content, "text/plain")})
        assert answer.status_code in (200, 422), name
        assert 'name="kept"' not in answer.text
    for escape in ("../../ledger.db", "..%2f", "/etc/passwd"):
        assert (
            centre.post("/roster/import/apply", data={"kept": escape, "why": "x"}).status_code
            == 404
        )


def test_badges_are_printed_for_one_s_own_and_it_is_kept_that_names_were_seen(
    board: InProcess,
) -> None:
    officer = board.client("officer")
    printed = officer.post("/roster/badges", data={"volunteer": WANG, "why": "丢了"})
    assert printed.headers["content-type"] == "application/pdf"
    page = pypdfium2.PdfDocument(printed.content)[0].get_textpage().get_text_range()
    assert NAMES[WANG] in page
    assert officer.post("/roster/badges", data={"volunteer": ZHAO, "why": "x"}).status_code == 403
    with queries.reading(board.district.engine) as connection:
        (seen, *_), _ = disclosing.disclosures(connection, 1, 0)
    assert (seen.by, seen.why) == ("officer", "丢了")


def test_the_public_sees_figures_and_who_agreed_masked_and_nothing_else(board: InProcess) -> None:
    board.look()
    nobody = board.client()
    page = nobody.get("/public")
    assert "3 名志愿者在册" in page.text  # the fourth has left
    for name in (*NAMES.values(), *PHONES.values(), *NAMES):
        assert name not in page.text
    assert page.headers["cache-control"] == "public, max-age=30"
    unchanged = nobody.get("/public/feed.json", headers={"if-none-match": "x"})
    mark = unchanged.headers["etag"]
    assert nobody.get("/public/feed.json", headers={"if-none-match": mark}).status_code == 304
    feed = unchanged.json()
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    atom = parseString(nobody.get("/public/feed.atom").content)
    assert len(atom.getElementsByTagName("entry")) == len(feed["items"])
    assert len(nobody.get("/public", headers={"accept-encoding": "gzip"}).content) < 60_000


def test_each_of_many_activities_is_on_some_page_and_in_the_feeds_and_the_api(
    board: InProcess,
) -> None:
    midnight, after_it = day_bounds(POLICY.civil_day(now()), POLICY.timezone)
    yesterday = midnight - HOUR
    many = [
        Activity(
            code=f"many-{number:03}",
            title=f"活动{number:03}",
            unit="station-2",
            teams=("clinic",) if number else ("choir",),
            planned_start=after_it - (number + 1) * 1_000_000,
        )
        for number in range(230)
    ]
    many.append(
        many[0].model_copy(update={"code": "earlier", "title": "前", "planned_start": yesterday})
    )
    with store.changing(board.district.engine) as connection:
        before = store.load(connection)
        changes = [Change(None, one) for one in many]
        store.apply(connection, before, changes, Deed("test", "test", now()))
    nobody, codes = board.client(), {one.code for one in many[:-1]}

    def on(client: TestClient, path: str, at_once: int) -> list[str]:
        pages = [client.get(f"{path}?after={at}").text for at in range(0, 300, at_once)]
        return [code for page in pages for code in re.findall(r"活动\d{3}(?=<)", page)]

    titles = {f"活动{number:03}" for number in range(230)}
    assert sorted(on(nobody, "/public", 60)) == sorted(titles)
    first = nobody.get("/public").text
    assert "活动229" in first
    assert "活动000" not in first
    assert ">前<" not in first
    assert codes <= {
        one["id"].partition("#")[2] for one in nobody.get("/public/feed.json").json()["items"]
    }
    listed, after = set[str](), ""
    while after is not None:
        answer = board.client("auditor").get(f"/api/v1/activities?{NEAR}&after={after}").json()
        listed |= {one["code"] for one in answer["items"]}
        after = answer["next"]
    assert {"earlier", *codes} <= listed
    wang = volunteer(board, WANG)
    mine = on(wang, "/mine", 50)
    assert sorted(set(mine)) == sorted(titles)
    assert mine[0] == "活动000"  # their team's
    assert wang.post("/mine/sign-up", data={"activity": "many-100"}).status_code == 303
    assert on(wang, "/mine", 50)[0] == "活动100"


def test_only_who_agreed_is_on_the_wall(board: InProcess) -> None:
    district = board.district
    at = now() - 60 * HOUR
    for number in range(13):  # of eight hours each: beyond the first star
        begun = at - number * 20 * HOUR
        for who, team, place in ((WANG, "choir", "station-1"), (ZHAO, "clinic", "station-2")):
            district.settle(
                came(who, begun, f"{who}{number}", team, place),
                left(who, begun + 8 * HOUR, f"{who}{number}o", place),
            )
    page = board.client().get("/public").text
    assert "王**" in page
    assert "★☆☆☆☆" in page
    assert "赵" not in page
    assert "时数最多的" not in page


def test_a_wall_that_is_too_long_says_how_many_there_are(
    board: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreed = [GoodPerson(f"{name}**", 360_000) for name in "赵钱孙"]
    monkeypatch.setattr(public_view, "_MOST_PEOPLE", 2)
    monkeypatch.setattr(public_view, "good_people", lambda *_: agreed)
    page = board.client().get("/public").text
    assert "共 3 人，这里是时数最多的 2 人。" in page
    assert ("钱**" in page, "孙**" in page) == (True, False)


def test_a_volunteer_comes_in_by_badge_and_phone_or_by_a_code_and_by_nothing_else(
    board: InProcess,
) -> None:
    district, tail = board.district, PHONES[WANG][-4:]
    right = {"badge": district.badge(WANG), "tail": tail}
    for wrong in (
        {**right, "tail": "0000"},
        {**right, "tail": ""},
        {**right, "tail": "²²²²"},
        {**right, "badge": district.badge(WANG, generation=2)},
        {**right, "badge": district.badge(LI)},
        {**right, "badge": altered(right["badge"])},
        {"badge": district.badge(QIAN), "tail": PHONES[QIAN][-4:]},
        {"badge": "'; DROP TABLE roster_people; --", "tail": tail},
        {"code": "ABCDE-FGHJK"},
        {},
    ):
        answer = board.client().post("/mine/sign-in", data=wrong)
        assert answer.status_code == 403, wrong
        assert "再试一次" in answer.text
    client = board.client()
    assert client.post("/mine/sign-in", data=right).status_code == 303
    assert "王**" in client.get("/mine").text
    assert client.post("/sign-out").status_code == 303
    assert client.get("/mine").status_code == 303


def test_who_has_found_a_badge_cannot_try_the_phones_digits_one_after_the_other(
    board: InProcess,
) -> None:
    badge = board.district.badge(WANG)
    for guess in range(5):
        wrong = {"badge": badge, "tail": f"{guess:04}"}
        assert board.client().post("/mine/sign-in", data=wrong).status_code == 403
    right = {"badge": badge, "tail": PHONES[WANG][-4:]}
    refused = board.client().post("/mine/sign-in", data=right)
    assert refused.status_code == 429
    assert "一次性码" in refused.text
    other = {"badge": board.district.badge(LI), "tail": PHONES[LI][-4:]}
    assert board.client().post("/mine/sign-in", data=other).status_code == 303  # nobody else's


def test_digits_of_a_chinese_keyboard_are_as_good(board: InProcess) -> None:
    wide = "".join(chr(ord(one) - ord("0") + ord("０")) for one in PHONES[WANG][-4:])
    said = {"badge": board.district.badge(WANG), "tail": wide}
    assert board.client().post("/mine/sign-in", data=said).status_code == 303


def altered(badge: str) -> str:
    """With another character within its signature."""
    at = len(badge) // 2
    return f"{badge[:at]}{'B' if badge[at] == 'A' else 'A'}{badge[at + 1 :]}"


def volunteer(board: InProcess, who: str) -> TestClient:
    client = board.client()
    code = volunteers.make_code(board.district.engine, who, "test", now())
    assert client.post("/mine/sign-in", data={"code": code}).status_code == 303
    return client


def test_volunteers_sign_up_while_there_is_room_and_take_it_back(board: InProcess) -> None:
    wang, li = (volunteer(board, who) for who in (WANG, LI))
    data = {"activity": "concert"}
    assert wang.post("/mine/sign-up", data=data).status_code == 303
    full = li.post("/mine/sign-up", data=data)
    assert full.status_code == 422
    assert "名额已满" in full.text
    assert wang.post("/mine/take-back", data=data).status_code == 303
    assert li.post("/mine/sign-up", data=data).status_code == 303
    with queries.reading(board.district.engine) as connection:
        roster = store.load(connection)
    assert [one.volunteer for one in roster.all(Signup)] == [LI]
    assert li.post("/mine/sign-up", data={"activity": "checkup"}).status_code == 422


def test_two_who_want_the_last_place_at_once_get_one(board: InProcess) -> None:
    clients = [volunteer(board, who) for who in (WANG, LI)]
    with ThreadPoolExecutor(2) as pool:
        ends = list(
            pool.map(
                lambda one: one.post("/mine/sign-up", data={"activity": "concert"}).status_code,
                clients,
            )
        )
    assert sorted(ends) == [303, 422]


def test_a_request_is_answered_once_by_the_team_s_own_leader(board: InProcess) -> None:
    wang, today = volunteer(board, WANG), POLICY.civil_day(now())
    for number in range(5):
        asked = {"day": today, "said": f"忘了签退 {number} <script>"}
        assert wang.post("/mine/ask", data=asked).status_code == 303
    sixth = wang.post("/mine/ask", data={"day": today, "said": "还有"})
    assert sixth.status_code == 409
    leader = board.client("leader")
    assert "忘了签退 0 &lt;script&gt;" in leader.get("/roster").text
    answered = {"number": 1, "answer": "已补"}
    assert board.client("other").post("/roster/requests", data=answered).status_code == 403
    assert leader.post("/roster/requests", data=answered).status_code == 303
    assert leader.post("/roster/requests", data=answered).status_code == 409
    assert "已补" in wang.get("/mine").text


def test_an_assessment_adds_up_is_frozen_and_says_what_came_since(board: InProcess) -> None:
    centre, today = board.client("centre"), POLICY.civil_day(now())
    days = {"first": "2026-01-01", "last": today}
    draft = centre.get("/assessments/draft", params=days).text
    with queries.reading(board.district.engine) as connection:
        whole = sum(one.seconds for one in queries.totals(connection, Filters()))
    assert shown(draft, "assessed") == whole
    made = centre.post("/assessments/publish", data=days)
    assert made.status_code == 303, made.text
    before = centre.get("/api/v1/assessments/1").json()
    board.district.settle(left(LI, now(), "late"))
    after = centre.get("/api/v1/assessments/1").json()
    assert after["body"] == before["body"]
    assert (before["later_entries"], after["later_entries"]) == (0, 1)
    page = centre.get(made.headers["location"]).text
    assert shown(page, "assessed") == whole
    assert 'data-later="1"' in page
    for kind in ("office", "station", "team"):
        hours = sum(
            float(point["figure"])
            for unit in before["body"]["rankings"][kind]
            for point in unit["points"]
            if point["indicator"] == "hours"
        )
        unassigned = float(before["body"]["unassigned_hours"][kind])
        assert round((hours + unassigned) * 3_600) == whole
    sheet = openpyxl.load_workbook(io.BytesIO(centre.get("/assessments/1.xlsx").content)).active
    assert sheet.max_row == 1 + sum(map(len, before["body"]["rankings"].values()))
    pdf = pypdfium2.PdfDocument(centre.get("/assessments/1.pdf").content)
    said = "".join(page.get_textpage().get_text_range() for page in pdf)
    assert "金沙所" in said
    assert before["heads"]["0"]["root"] in said.replace("\r\n", "")
    future = centre.post("/assessments/publish", data={**days, "last": "2099-01-01"})
    assert future.status_code == 409


def test_a_scheme_is_changed_by_the_centre_and_says_what_can_not_be(board: InProcess) -> None:
    centre = board.client("centre")
    given = {"hours.weight": "100", "hours.team": "100", "hours.office": ""}
    assert centre.post("/assessments/scheme", data=given).status_code == 303
    assert 'value="100"' in centre.get("/assessments/scheme").text
    for wrong in ({"hours.weight": "many"}, {"hours.weight": "-1"}, {}):
        assert centre.post("/assessments/scheme", data=wrong).status_code == 422
    with (
        pytest.raises(Exception, match="append-only"),
        board.district.engine.begin() as connection,
    ):
        connection.execute(text("UPDATE board_schemes SET body = '{}'"))


def test_pages_speak_english_when_asked_and_go_on_doing_so(board: InProcess) -> None:
    client = board.client("centre")
    assert "在场" in client.get("/").text
    chosen = client.post("/language", data={"lang": "en", "back": "/exceptions"})
    assert chosen.headers["location"] == "/exceptions"
    assert "Here now" in client.get("/").text
    assert 'lang="en"' in client.get("/").text


def test_without_the_roster_s_key_pages_work_and_names_are_refused(
    district: District,
) -> None:
    with board_in_process(district) as made:
        object.__setattr__(made.board, "vault", None)
        leader = made.client("leader")
        assert leader.get("/roster/people?q=王").status_code == 200
        refused = leader.post(f"/roster/people/{WANG}/reveal", data={"why": "x"})
        assert refused.status_code == 409
        assert "名册密钥" in refused.text
