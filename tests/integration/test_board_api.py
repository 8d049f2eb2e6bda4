"""The API as a program sees it: described, paged, marked, refused in JSON; fuzzed from OpenAPI."""

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import (
    negative_data_rejection,
    positive_data_acceptance,
)
from starlette.testclient import TestClient

from ledger.accounts import tokens
from tests.board_world import (
    HOUR,
    LI,
    NEAR,
    ORIGIN,
    WANG,
    ZHAO,
    InProcess,
    board_in_process,
    came,
    district_at,
    left,
    now,
)

# That a value of the right form means something is more than a schema can say.
MEANING = [positive_data_acceptance, negative_data_rejection]


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcess]:
    home = tmp_path_factory.mktemp("api")
    with district_at(f"sqlite:///{home / 'ledger.db'}", home) as district:
        at = now()
        for number in range(5):
            begun = at - (30 + 3 * number) * HOUR
            district.settle(
                came(LI, begun, f"l{number}"),
                left(LI, begun + HOUR, f"lo{number}"),
            )
        district.settle(
            came(WANG, at - 30 * HOUR, "w1"), came(ZHAO, at - HOUR, "z1", "clinic", "station-2")
        )
        with board_in_process(district) as made:
            made.look()
            yield made


def program(board: InProcess, account: str) -> TestClient:
    """A program with a token of an account."""
    token = tokens.make_token(board.district.engine, account, "test", 1, now())
    client = TestClient(board.app, base_url=ORIGIN, headers={"authorization": f"Bearer {token}"})
    client.follow_redirects = False
    return client


def test_whatever_is_asked_nothing_fails_and_every_answer_is_described(board: InProcess) -> None:
    token = tokens.make_token(board.district.engine, "centre", "fuzz", 1, now())
    headers = {"Authorization": f"Bearer {token}"}
    described = schemathesis.openapi.from_asgi("/api/v1/openapi.json", board.app)
    operations = [found.ok() for found in described.get_all_operations()]
    assert len(operations) >= 14
    for operation in operations:

        @given(case=operation.as_strategy())
        @settings(max_examples=15, suppress_health_check=list(HealthCheck))
        def each(case: schemathesis.Case) -> None:
            case.call_and_validate(headers=headers, excluded_checks=MEANING)

        each()


def test_a_list_is_paged_to_its_end_without_losing_or_doubling_anything(
    board: InProcess,
) -> None:
    client = program(board, "centre")
    for path in (f"/api/v1/entries?{NEAR}", "/api/v1/units?x=1", "/api/v1/exceptions?x=1"):
        whole = client.get(f"{path}&limit=1000").json()["items"]
        found, after = [], ""
        while True:
            page = client.get(f"{path}&limit=2&after={after}").json()
            found += page["items"]
            if page["next"] is None:
                break
            after = page["next"]
        assert found == whole
        assert whole


def test_what_has_not_changed_is_not_sent_again(board: InProcess) -> None:
    client = program(board, "centre")
    first = client.get("/api/v1/teams")
    again = client.get("/api/v1/teams", headers={"if-none-match": first.headers["etag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")


def test_a_token_has_its_account_s_rights_and_none_says_why_in_json(board: InProcess) -> None:
    assert program(board, "leader").get("/api/v1/me").json()["teams"] == ["choir"]
    nobody = TestClient(board.app, base_url=ORIGIN)
    refused = nobody.get("/api/v1/me")
    assert (refused.status_code, refused.json()["reason"]) == (401, "sign-in")
    assert refused.headers["www-authenticate"] == "Bearer"
    operator = program(board, "operator").get("/api/v1/exceptions")
    assert (operator.status_code, operator.json()["reason"]) == (403, "not-your-role")
    missing = program(board, "centre").get("/api/v1/nothing")
    assert (missing.status_code, missing.json()["reason"]) == (404, "no-such-thing")
    made = program(board, "centre").post("/me/tokens", data={"label": "x", "days": "1"})
    assert made.status_code == 403, "a token makes no other"


def test_the_api_says_what_the_pages_say(board: InProcess) -> None:
    client = program(board, "centre")
    report = client.get(f"/api/v1/report?by=team&{NEAR}").json()
    assert report["seconds"] == sum(row["seconds"] for row in report["rows"]) == 5 * 3_600
    entries = client.get(f"/api/v1/entries?{NEAR}").json()["items"]
    assert sum(one["seconds"] for one in entries) == 5 * 3_600
    live = client.get("/api/v1/live").json()
    assert (live["present"], live["exceptions"]) == (1, 1)
    assert [one["volunteer"] for one in client.get("/api/v1/present").json()["items"]] == [ZHAO]
