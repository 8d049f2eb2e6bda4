"""The demo's board: an account for each role, and its address, beside the kiosk.

By the product's own commands, in a process of its own. Invariant: what it started ends with it; the
password is made for this demo alone.
"""

import secrets
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from hours.demo_roster import run_hours
from hours.services.embedded import free_port
from hours.services.guard import Command, Guarded
from hours.services.unavailable import ServiceUnavailable

_READY_SECONDS = 60
_PASSWORD_BYTES = 9


@contextmanager
def demo_board(
    environment: Mapping[str, str], home: Path, team: str, office: str, kiosk: str
) -> Iterator[dict[str, str]]:
    """A board that runs: its address, and the password of its accounts; one for each role."""
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    _accounts(environment, home, password, team, office)
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    told = {**environment, "HOURS_BOARD_ADDRESS": address, "HOURS_KIOSK_ADDRESS": kiosk}
    command = Command(
        [sys.executable, "-m", "hours", "board", "--port", str(port)], str(Path.cwd())
    )
    board = Guarded(command, told, home / "board.log")
    try:
        _await(address, board, home)
        yield {"address": address, "password": password}
    finally:
        board.stop()


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


def _await(address: str, board: Guarded, home: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and not board.ended():
        try:
            with urllib.request.urlopen(f"{address}/public", timeout=5):  # noqa: S310 - ours
                return
        except OSError:
            time.sleep(0.1)
    raise ServiceUnavailable(
        f"看板没有启动，详见 {home / 'board.log'}。 The board did not start; its log says why."
    )
