"""The demo's board: an account for each role, and its address, beside the kiosk.

Invariant: it ends with the demo; the password is made for this demo alone.
"""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from hours.demo_commands import run_hours, serving

_PASSWORD_BYTES = 9


@contextmanager
def demo_board(
    environment: Mapping[str, str], home: Path, team: str, office: str
) -> Iterator[dict[str, str]]:
    """A board that runs: its address, and the password of its accounts; one for each role."""
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    _accounts(environment, home, password, team, office)
    with serving(environment, home, "board", "HOURS_BOARD_ADDRESS", "/public") as address:
        yield {"address": address, "password": password}


def tell_board(board: Mapping[str, str], console: Console) -> None:
    """Where it is, and who may sign in."""
    console.print("\n[bold]看板 The board[/bold]")
    console.print(
        f"  在浏览器打开 open in a browser:  {board['address']}", highlight=False, soft_wrap=True
    )
    console.print("  账号 accounts:                   leader officer centre auditor operator")
    console.print(
        f"  密码 the password of all:        {board['password']}", highlight=False, soft_wrap=True
    )
    console.print(
        f"  公开页 for the public:           {board['address']}/public",
        highlight=False,
        soft_wrap=True,
    )


def _accounts(
    environment: Mapping[str, str], home: Path, password: str, team: str, office: str
) -> None:
    file = home / "board-password"
    file.touch(mode=0o600)
    file.write_text(password)
    more = {"leader": ("--team", team), "officer": ("--unit", office)}
    for role in ("leader", "officer", "centre", "auditor", "operator"):
        given = ("--role", role, *more.get(role, ()), "--password-file", str(file))
        run_hours(environment, "accounts", "add", role, *given)
