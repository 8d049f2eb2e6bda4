"""`hours badges`, as a keeper of the roster uses it."""

import stat
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ledger.roster import store
from ledger.roster.records import Membership, Person, Team, Unit
from ledger.roster.roster import Change, Roster
from ledger.roster.store import Deed
from ledger.roster.vault import PrivateData, Vault, new_key
from producers.badge_keys import public_keys_in
from producers.badges import Badge, read_badge
from tests.running import Hours

NAME = "tongzhou.hours.example"


UNIT = Unit(code="centre", kind="centre", name_zh="实践中心")
CHOIR = Team(code="choir", kind="professional", name_zh="合唱队", unit="centre")
NAMES = {"V1": "王小明", "V2": "欧阳娜娜"}
PEOPLE = [
    Person(volunteer=id, badge_serial=f"B{id}", badge_generation=1, private_version=1)
    for id in NAMES
]
MEMBER = Membership(volunteer="V1", team="choir", since="2026-01-01")


@pytest.fixture
def keeper(hours: Hours, tmp_path: Path) -> Hours:
    """A keeper with both keys and two volunteers, one of them in a team."""
    hours.environment["HOURS_ROSTER_KEY_FILE"] = str(tmp_path / "roster.key")
    hours.environment["HOURS_BADGE_KEY_FILE"] = str(tmp_path / "badge.pem")
    hours.ok("init")
    key = new_key()
    (tmp_path / "roster.key").write_text(key)
    hours.ok("badges", "--new-key", str(tmp_path / "badge.pem"))
    vault = Vault([key])
    sealed = {(id, 1): vault.seal(id, PrivateData(name=name)) for id, name in NAMES.items()}
    with store.changing(hours.engine) as connection:
        changes = [Change(None, one) for one in (UNIT, CHOIR, *PEOPLE, MEMBER)]
        store.apply(connection, Roster.of(()), changes, Deed("keeper", "建名册", 1), sealed)
    return hours


def public_key(hours: Hours) -> Ed25519PublicKey:
    (key,) = public_keys_in(hours.ok("badges", "--public-key").encode())
    return key


def printed(file: Path) -> tuple[str, list[str]]:
    """What stands on the pages, and in their codes."""
    document = pypdfium2.PdfDocument(file)
    try:
        text = "".join(page.get_textpage().get_text_range() for page in document)
        pictures = [page.render(scale=4).to_pil() for page in document]
    finally:
        document.close()
    return text, [code.text for one in pictures for code in zxingcpp.read_barcodes(one)]


def test_badges_are_printed_signed_and_kept_among_the_disclosures(
    keeper: Hours, tmp_path: Path
) -> None:
    file = tmp_path / "badges.pdf"
    assert "2 badges on 2 pages" in keeper.ok("badges", str(file), "--all", "--why", "换证")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text, codes = printed(file)
    assert all(name in text for name in ("王小明", "欧阳娜娜", "合唱队", "未编队", "实践中心"))
    read = [read_badge(code, NAME, [public_key(keeper)]) for code in codes]
    assert {one for one in read if isinstance(one, Badge)} == {
        Badge(id, f"B{id}", 1) for id in NAMES
    }
    (kept,) = keeper.rows("roster", "disclosures")
    assert (kept["why"], sorted(kept["volunteers"])) == ("换证", ["V1", "V2"])


def test_a_badge_that_was_replaced_is_printed_with_its_next_generation(
    keeper: Hours, tmp_path: Path
) -> None:
    keeper.ok("roster", "replace-badge", "V1", "--why", "丢失")
    file = tmp_path / "badges.pdf"
    keeper.ok("badges", str(file), "--team", "choir")
    (code,) = printed(file)[1]
    read = read_badge(code, NAME, [public_key(keeper)])
    assert isinstance(read, Badge)
    assert (read.volunteer, read.generation) == ("V1", 2)


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (["badges.pdf"], "whose badges to print"),
        (["badges.pdf", "--team", "nobody"], "The roster has no nobody"),
        (["badges.pdf", "--volunteer", "V9", "--volunteer", "V1"], "The roster has no V9"),
        (["no-such-folder/badges.pdf", "--all"], "can't be written"),
        (["--new-key", "badge.pem"], "exists and is not overwritten"),
    ],
)
def test_what_can_not_be_printed_is_refused_in_one_line(
    keeper: Hours, tmp_path: Path, asked: list[str], says: str
) -> None:
    within = [str(tmp_path / one) if "." in one else one for one in asked]
    done = keeper.run("badges", *within)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.strip().splitlines()
    assert says in line
    assert not list(tmp_path.glob("*.pdf*"))
