"""Every route of the board, by every role, on one's own and on others': as the table says."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from dashboards.board.rights import PUBLIC, RIGHTS, ROLES, VOLUNTEER
from dashboards.board.routes import ROUTERS
from ledger.accounts import volunteers
from ledger.corrections import store as corrections
from ledger.corrections.values import Proposal
from tests.board_world import (
    HOUR,
    LI,
    NEAR,
    PASSWORD,
    WANG,
    ZHAO,
    InProcess,
    board_in_process,
    came,
    district_at,
    left,
    now,
)

ROOT = Path(__file__).parents[2]
ROUTES = [one for router in ROUTERS for one in router.routes if isinstance(one, APIRoute)]
NAMED = {one.name: one for one in ROUTES}
ENDLESS = {"sign_out", "sign_out_everywhere", "change_password", "live_stream"}
WHO = (*ROLES, VOLUNTEER, PUBLIC)
OWN = {
    "volunteer": WANG,
    "number": "1",
    "shard": "0",
    "seq": "0",
    "code": "concert",
    "kind": "csv",
    "form": "xlsx",
    "mark": "x",
    "tree": "shard-0",
    "level": "0",
    "rest": "000",
    "name": "board.css",
}


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcess]:
    """SQLite, which is enough where only answers are looked at."""
    home = tmp_path_factory.mktemp("board")
    with district_at(f"sqlite:///{home / 'ledger.db'}", home) as district:
        at = now()
        district.settle(
            came(WANG, at - 30 * HOUR, "w1"),
            came(ZHAO, at - 30 * HOUR, "z1", "clinic", "station-2"),
            came(LI, at - 6 * HOUR, "l1"),
            left(LI, at - 4 * HOUR, "l2"),
            came(ZHAO, at - 6 * HOUR, "z2", "clinic", "station-2"),
            left(ZHAO, at - 4 * HOUR, "z3", "station-2"),
        )
        with board_in_process(district) as made:
            yield made


@pytest.fixture(scope="module")
def browsers(board: InProcess) -> dict[str, TestClient]:
    """One of each role, one of a volunteer, one of nobody."""
    found = {name: board.client(name) for name in (*ROLES, "other")}
    found[PUBLIC] = board.client()
    guest = board.client()
    code = volunteers.make_code(board.district.engine, WANG, "test", now())
    assert guest.post("/mine/sign-in", data={"code": code}).status_code == 303
    found[VOLUNTEER] = guest
    return found


def test_each_route_has_a_right_and_each_right_a_route() -> None:
    assert len(NAMED) == len(ROUTES), "two routes have one name"
    assert NAMED.keys() == RIGHTS.keys()
    for name, route in NAMED.items():
        assert RIGHTS[name].changes == (route.methods == {"POST"}), name


def test_who_only_reads_changes_nothing_but_their_own_account() -> None:
    own = {"sign_in", "sign_out", "language", "mine_sign_in"}
    own |= {"change_password", "sign_out_everywhere", "add_token", "revoke_token"}
    assert {name for name, one in RIGHTS.items() if one.changes and "auditor" in one.who} == own


def test_the_handbook_has_the_table_of_rights_as_it_is() -> None:
    rows = re.findall(r"^\| (`.+?`) \|(.+)\|$", (ROOT / "docs/board.md").read_text(), re.M)
    told = {
        name: [cell.strip() for cell in cells.split("|")]
        for names, cells in rows
        for name in re.findall(r"`(\w+)`", names)
        if not name.startswith("HOURS_")
    }
    assert told == {
        name: [("✎" if one.changes else "●") if who in one.who else "" for who in WHO]
        for name, one in RIGHTS.items()
    }


@pytest.mark.parametrize("name", sorted(NAMED))
def test_a_route_is_open_to_those_of_the_table_and_to_nobody_else(
    name: str, board: InProcess, browsers: dict[str, TestClient]
) -> None:
    route = NAMED[name]
    path = re.sub(r"{(\w+)(?::\w+)?}", lambda found: OWN[found[1]], route.path)
    for who in WHO:
        if name in ENDLESS and who in RIGHTS[name].who:
            continue  # it ends a session that others need, or never ends itself
        method = "POST" if RIGHTS[name].changes else "GET"
        answer = browsers[who].request(method, path)
        assert answer.status_code != 500, (who, path)
        if who in RIGHTS[name].who:
            assert reason(answer) not in ("sign-in", "not-your-role"), (who, path)
        elif who == PUBLIC:
            assert answer.status_code in (303, 401), (who, path)
            assert "/sign-in" in answer.headers.get("location", "/sign-in")
        else:
            assert answer.status_code == 403, (who, path)
            assert reason(answer) == "not-your-role", (who, path)


def reason(answer: Any) -> str:
    """Why it was refused, as far as a page says it."""
    if answer.headers.get("content-type", "").startswith("application/json"):
        return str(answer.json().get("reason", "")) if isinstance(answer.json(), dict) else ""
    if answer.status_code == 403 and "您的角色不能做这件事" in answer.text:
        return "not-your-role"
    if answer.status_code == 401:
        return "sign-in"
    return ""


FOREIGN = [
    ("GET", "/explore?team=clinic", {}),
    ("GET", "/explore?unit=office-2", {}),
    ("GET", "/explore/entries?team=clinic", {}),
    ("GET", "/explore/rows.csv?unit=office-2", {}),
    ("GET", f"/exceptions/fix?volunteer={ZHAO}&source=/kiosks/station-2&id=z1", {}),
    ("GET", f"/roster/people/{ZHAO}", {}),
    ("GET", "/roster/people?team=clinic", {}),
    ("POST", f"/roster/people/{ZHAO}/reveal", {"why": "x"}),
    ("POST", f"/roster/people/{ZHAO}/code", {}),
    ("POST", f"/roster/people/{ZHAO}/badge", {"why": "x"}),
    ("POST", f"/roster/people/{ZHAO}/consent", {"why": "x", "agrees": "true"}),
    ("POST", f"/roster/people/{WANG}/join", {"team": "clinic", "since": "2026-02-01", "why": "x"}),
    ("POST", f"/roster/people/{ZHAO}/leave", {"team": "clinic", "until": "2027-02-01", "why": "x"}),
    ("POST", "/roster/activities/checkup", {"served": "9", "why": "x"}),
    (
        "POST",
        "/corrections/preview",
        {
            "kind": "check-out",
            "volunteer": ZHAO,
            "tap_source": "/kiosks/station-2",
            "tap_id": "z1",
            "team": "choir",  # it says that it is one's own
            "place": "station-1",
            "when": "2026-11-24T10:00",
            "reason": "x",
        },
    ),
    (
        "POST",
        "/corrections/preview",
        {
            "kind": "void",
            "volunteer": ZHAO,
            "tap_source": "/kiosks/station-2",
            "tap_id": "z2",
            "team": "choir",
            "place": "station-1",
            "reason": "x",
        },
    ),
    ("GET", f"/corrections/bulk?tap={ZHAO}%20/kiosks/station-2%20z1", {}),
    ("GET", "/api/v1/entries?team=clinic", {}),
    ("GET", "/api/v1/report?unit=office-2", {}),
]


@pytest.mark.parametrize("who", ["leader", "officer"])
@pytest.mark.parametrize(("method", "path", "data"), FOREIGN, ids=lambda one: str(one)[:60])
def test_what_is_another_team_s_or_unit_s_is_refused(
    who: str, method: str, path: str, data: dict[str, str], browsers: dict[str, TestClient]
) -> None:
    answer = browsers[who].request(method, path, data=data or None)
    assert answer.status_code == 403, answer.text
    assert "不在您负责的队伍或单位里" in answer.text


def test_lists_hold_what_is_one_s_own_and_nothing_else(browsers: dict[str, TestClient]) -> None:
    leader, other, centre = (browsers[name] for name in ("leader", "other", "centre"))
    for path, mine, theirs in (
        ("/exceptions", "王**", "赵*"),
        ("/roster/people", "王**", "赵*"),
        (f"/roster/activities?{NEAR}", "社区音乐会", "义诊"),
    ):
        assert mine in leader.get(path).text
        assert theirs not in leader.get(path).text
        assert mine not in other.get(path).text
        assert {mine, theirs} <= set(
            re.findall("王\\*\\*|赵\\*|社区音乐会|义诊", centre.get(path).text)
        )
    teams = [one["code"] for one in leader.get("/api/v1/teams").json()["items"]]
    assert teams == ["choir"]
    assert leader.get("/api/v1/units").json()["items"] == []
    entries = leader.get(f"/api/v1/entries?{NEAR}").json()["items"]
    assert {one["team"] for one in entries} == {"choir"}
    present = other.get("/api/v1/exceptions").json()["items"]
    assert {one["volunteer"] for one in present} == {ZHAO}


def test_a_correction_of_another_team_is_neither_seen_nor_decided(
    board: InProcess, browsers: dict[str, TestClient]
) -> None:
    asked = Proposal(
        kind="adjustment",
        volunteer=ZHAO,
        team="clinic",
        day="2026-11-01",
        seconds=600,
        reason="x",
    )
    (number,) = corrections.propose(board.district.engine, [asked], "other", now())
    leader = browsers["leader"]
    assert leader.get(f"/corrections/{number}").status_code == 403
    decided = leader.post("/corrections/decide", data={"number": number, "approve": "true"})
    assert decided.status_code == 403
    by_api = leader.post(f"/api/v1/corrections/{number}", json={"approve": True})
    assert by_api.status_code == 403
    assert f"/corrections/{number}" not in leader.get("/corrections").text


def test_a_volunteer_sees_their_own_and_nobody_else_s(browsers: dict[str, TestClient]) -> None:
    page = browsers[VOLUNTEER].get("/mine").text
    assert "王**" in page
    assert "赵" not in page
    assert browsers[VOLUNTEER].get(f"/roster/people/{WANG}").status_code == 403


@pytest.mark.parametrize("path", ["/corrections", "/roster/people/x/reveal", "/accounts"])
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "", "sec-fetch-site": "cross-site"},
        {"origin": "", "sec-fetch-site": "same-site"},
    ],
)
def test_a_form_of_another_site_is_refused(
    path: str, headers: dict[str, str], board: InProcess
) -> None:
    client = board.client("operator" if path == "/accounts" else "centre")
    del client.headers["origin"]
    given = {name: value for name, value in headers.items() if value}
    answer = client.post(path, data={"why": "x"}, headers=given)
    assert answer.status_code == 403
    assert "请求不是从本站的页面来的" in answer.text
    unsaid = client.post(path, data={"why": "x"})
    assert unsaid.status_code == 403, "a browser always says where a form comes from"


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(board: InProcess) -> None:
    client = board.client()
    answer = client.post("/sign-in", data={"name": "centre", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    secret = re.match(r"hours-session=([^;]+)", cookie)
    assert secret is not None
    forged = board.client()
    middle = len(secret[1]) // 2
    other = "A" if secret[1][middle] != "A" else "B"
    forged.cookies.set("hours-session", secret[1][:middle] + other + secret[1][middle + 1 :])
    assert forged.get("/").status_code == 303


@pytest.mark.parametrize("path", ["/", "/public", "/sign-in", "/static/x/board.css", "/nothing"])
def test_every_answer_says_what_browsers_may_do_with_it(path: str, board: InProcess) -> None:
    headers = board.client("centre").get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert "server" not in headers


_TWO_SIZES = ("/sign-in", "/roster/import")


def test_what_is_too_large_or_of_no_said_length_is_not_read(board: InProcess) -> None:
    client = board.client()
    large = client.post("/mine/sign-in", content=b"x", headers={"content-length": str(1 << 30)})
    assert (large.status_code, large.json()["reason"]) == (413, "too-large")
    said = {"content-length": str(2 << 20)}
    statuses = [client.post(path, content=b"x", headers=said).status_code for path in _TWO_SIZES]
    assert (statuses[0], statuses[1] != 413) == (413, True), "a sheet may be larger than a form"
    endless = client.post("/mine/sign-in", content=iter([b"x"] * 3))
    assert (endless.status_code, endless.json()["reason"]) == (411, "length-required")
    assert "content-security-policy" in endless.headers


def test_one_fragment_alone_may_be_framed_and_what_is_private_is_kept_by_no_cache(
    board: InProcess,
) -> None:
    embed = board.client().get("/public/embed").headers
    assert "frame-ancestors *" in embed["content-security-policy"]
    assert "x-frame-options" not in embed
    for path in ("/", "/exceptions", f"/roster/people/{WANG}", "/me", "/public"):
        assert board.client("centre").get(path).headers["cache-control"] == "no-store"


def test_pages_hold_no_script_or_style_of_their_own(browsers: dict[str, TestClient]) -> None:
    for path in ("/", "/explore?period=year", "/exceptions", "/roster", "/assessments/scheme"):
        text = browsers["centre"].get(path).text
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", text), path
