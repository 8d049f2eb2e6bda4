"""The ledger's password may stand in a file, and in neither the URL nor a refusal."""

from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from hours.settings import WrongUse, read_settings

URL = "postgresql+psycopg://worker@db/hours"
HARD = "p@ss:w/rd%2F 中"


def url_of(url: str, file: Path) -> str:
    return read_settings({"HOURS_LEDGER_URL": url, "HOURS_LEDGER_PASSWORD_FILE": str(file)}).url


def test_the_password_is_the_first_line_of_the_file_whatever_is_in_it(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{HARD}\nsecond line\n")
    assert make_url(url_of(URL, file)).password == HARD
    settings = read_settings({"HOURS_LEDGER_URL": URL, "HOURS_LEDGER_PASSWORD_FILE": str(file)})
    assert HARD not in repr(settings)


@pytest.mark.parametrize(
    ("url", "content", "why"),
    [
        (URL, None, "can't be read (No such file or directory)"),
        (URL, b"\n", "is empty: the secret belongs there"),
        (URL, b"\xff\xfe", "can't be read (no text)"),
        ("postgresql://worker:other-secret@db/hours", b"x", "names a user and holds no password"),
        ("postgresql://db/hours", b"x", "names a user and holds no password"),
        ("sqlite:////tmp/ledger.db", b"x", "names a user and holds no password"),
    ],
)
def test_a_password_file_that_can_not_serve_is_refused(
    tmp_path: Path, url: str, content: bytes | None, why: str
) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(WrongUse) as refused:
        url_of(url, file)
    assert why in str(refused.value)
    assert "other-secret" not in str(refused.value)
