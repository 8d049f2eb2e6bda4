"""The verifier page in real Chromium, from a file, offline: it says what the program says."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Connection, select

from dashboards.certificates import certificate_pdf
from dashboards.proof_telling import tell
from ledger import queries
from ledger.evidence import proving
from ledger.evidence.checkpoints import one_line
from ledger.evidence.growths import growth
from ledger.evidence.statements import ReportingPolicy
from ledger.evidence.tables import checkpoints
from tests.e2e.pages import hindrances
from tests.evidence_world import LEDGER, VOLUNTEERS, Evidence, evidence_at
from tests.integration.test_certificates import stated

PAGE = Path(__file__).parents[2] / "dashboards/verifier/verify.html"


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evidence]:
    home = tmp_path_factory.mktemp("verifier")
    with evidence_at(f"sqlite:///{home / 'ledger.db'}", home) as made:
        made.serve(300)
        made.void(VOLUNTEERS[5], "o45")
        made.adjust(VOLUNTEERS[5], 900)
        made.seal()
        made.serve(40)
        made.seal()
        yield made


@pytest.fixture(scope="module")
def good(evidence: Evidence) -> dict[str, bytes]:
    """A file of each kind."""
    with queries.reading(evidence.engine) as connection:
        record = proving.volunteer_record(connection, LEDGER, VOLUNTEERS[5])
        bundle = proving.entry_proof(connection, "shard-1", 17)
        note = proving.latest_signed(connection, "district").note
        grown = shown_growth(connection, "shard-1")
    return {
        "record": record.text.encode(),
        "bundle": bundle.text.encode(),
        "checkpoint": note.encode(),
        "line": one_line(note).encode(),
        "growth": grown.encode(),
        "certificate": certificate_pdf(stated(record, evidence.key)),
    }


def shown_growth(connection: Connection, tree: str) -> str:
    """From a tree's first checkpoint to its latest."""
    signed = select(checkpoints.c.size, checkpoints.c.note).where(checkpoints.c.tree == tree)
    (size, first), *_, (_, latest) = connection.execute(signed.order_by(checkpoints.c.size)).all()
    return growth(first, latest, proving.growth_proof(connection, tree, size)).text


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(offline=True, locale="zh-CN")
    opened = context.new_page()
    opened.goto(PAGE.as_uri())
    yield opened
    context.close()


def give(page: Page, content: bytes, key: str) -> None:
    page.fill("#key", key)
    given: Any = {"name": "file", "mimeType": "application/octet-stream", "buffer": content}
    page.set_input_files("#file", given)
    page.click("#go")
    expect(page.locator(".verdict")).to_be_visible()


def verdict(page: Page, content: bytes, key: str) -> bool:
    give(page, content, key)
    holds = page.locator(".verdict.good").count() == 1
    page.evaluate("document.getElementById('result').replaceChildren()")
    return holds


def test_a_good_file_of_each_kind_passes_and_none_with_another_key(
    page: Page, evidence: Evidence, good: dict[str, bytes]
) -> None:
    other = evidence.public._replace(
        public=Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    )
    for kind, content in good.items():
        assert verdict(page, content, evidence.public.vkey), kind
        assert not verdict(page, content, other.vkey), kind


@pytest.mark.parametrize(
    ("kind", "proven", "unproven"),
    [
        ("growth", "只有增加", None),
        ("checkpoint", f"由 {LEDGER} 签名", "树里有什么"),
        ("bundle", "条目 17", "此人是否还有别的条目"),
        ("record", "没有一个被遗漏", "是不是本人"),
    ],
)
def test_what_each_kind_proves_is_said_and_what_it_does_not(
    page: Page, evidence: Evidence, good: dict[str, bytes], kind: str, proven: str,
    unproven: str | None,
) -> None:  # fmt: skip
    give(page, good[kind], evidence.public.vkey)
    said = page.locator("#result ul")
    expect(said.first).to_contain_text(proven)
    if unproven is None:
        expect(said).to_have_count(1)
    else:
        expect(said.last).to_contain_text(unproven)


def spoiled(good: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    record = json.loads(good["record"])
    entries, moment = record["entries"], record["moment"]
    first = {**entries[0], "body": entries[0]["body"].replace("3600", "7200")}
    later = {**moment, "body": moment["body"].replace('"v":1', '"v":2')}
    for what, change in {
        "an entry": {"entries": [first, *entries[1:]]},
        "a path": {"entries": [{**entries[0], "path": entries[1]["path"]}, *entries[1:]]},
        "dropped": {"entries": entries[1:]},
        "reordered": {"entries": entries[::-1]},
        "moment": {"moment": later},
        "another volunteer": {"volunteer": VOLUNTEERS[6]},
        "another's, not whole": {"volunteer": VOLUNTEERS[6], "whole": None},
        "index": {"whole": {**record["whole"], "index": record["whole"]["index"] + 1}},
        "hashes": {"hashes": record["hashes"][::-1]},
        "extra": {"more": 1},
        "ledger": {"ledger": "other.example"},
    }.items():
        yield what, json.dumps({**record, **change}).encode()
    grown = json.loads(good["growth"])
    for what, change in {
        "the other way round": {"old": grown["new"], "new": grown["old"]},
        "no hashes": {"hashes": []},
        "a hash less": {"hashes": grown["hashes"][:-1]},
        "a hash more": {"hashes": grown["hashes"] * 2},
        "hashes reversed": {"hashes": grown["hashes"][::-1]},
        "another tree's": {"old": good["checkpoint"].decode()},
        "of two versions": {"version": 2},
        "said more": {"more": 1},
    }.items():
        yield what, json.dumps({**grown, **change}).encode()
    for kind in ("bundle", "checkpoint", "line", "growth"):
        content = good[kind]
        for at in range(3, len(content), len(content) // 9):
            bad = bytearray(content)
            bad[at] ^= 1
            yield f"{kind} {at}", bytes(bad)
    pdf = good["certificate"]
    yield "no PDF", pdf[: len(pdf) // 2]
    yield "rubbish", b"\xff\xfe\x00"
    yield "empty", b" "


def test_whatever_is_altered_is_refused_as_the_program_refuses_it(
    page: Page, evidence: Evidence, good: dict[str, bytes]
) -> None:
    for what, content in spoiled(good):
        expected = tell(content, [evidence.public]).holds
        assert verdict(page, content, evidence.public.vkey) == expected, what


def test_a_certificate_that_states_more_than_its_record_is_refused(
    page: Page, evidence: Evidence
) -> None:
    with queries.reading(evidence.engine) as connection:
        made = stated(proving.volunteer_record(connection, LEDGER, VOLUNTEERS[5]), evidence.key)
    fewer = made.statement.served[1:]
    for change in (
        {"certified_seconds": 1},
        {"sessions": 99},
        {"moment": "2020"},
        {"first_day": "2020-01-01"},
        {"last_day": "2020-01-01"},
        {"served": fewer},
        {"volunteer": VOLUNTEERS[6]},
        {"policy": ReportingPolicy(day_cap_hours=1)},
    ):
        more = made._replace(statement=made.statement.model_copy(update=change))
        assert not verdict(page, certificate_pdf(more), evidence.public.vkey)
    someone = made._replace(identity=made.identity.model_copy(update={"name": "张三"}))
    assert not verdict(page, certificate_pdf(someone), evidence.public.vkey)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_leaves_the_page(
    browser: Browser, evidence: Evidence, good: dict[str, bytes], scheme: Any
) -> None:
    context = browser.new_context(
        color_scheme=scheme, locale="zh-CN", viewport={"width": 360, "height": 740}
    )
    page, asked = context.new_page(), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(PAGE.as_uri())
    page.click("#language")
    expect(page.locator("h1")).to_have_text("Verify volunteer hours")
    give(page, good["certificate"], evidence.public.vkey)
    expect(page.locator(".verdict")).to_have_text("✓ Proven")
    assert hindrances(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    assert asked == [PAGE.as_uri()]
    context.close()
