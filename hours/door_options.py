"""Where a program of ours listens, as options of its command: the gateway's and the board's."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from producers.serving import Door

_FILE = click.Path(dir_okay=False, path_type=Path)
Command = Callable[..., Any]


def door_options(port: int) -> Callable[[Command], Command]:
    """`--host`, `--port` (this one unless told), TLS; they come as one value for `door_of`."""
    options = (
        click.option(
            "--host", default="127.0.0.1", show_default=True, help="The address to listen on."
        ),
        click.option("--port", type=click.IntRange(0, 65_535), default=port, show_default=True),
        click.option("--cert", metavar="FILE", type=_FILE, help="TLS certificate, chain (PEM)."),
        click.option("--key", metavar="FILE", type=_FILE, help="The certificate's key (PEM)."),
        click.option(
            "--plain-http-behind-proxy",
            "behind_proxy",
            is_flag=True,
            help="Listen without TLS: a proxy in front of it, that nobody can go round, has it.",
        ),
    )

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def door_of(
    host: str, port: int, cert: Path | None, key: Path | None, behind_proxy: bool
) -> "Door":
    """The door that the options describe."""
    from producers.serving import Door  # noqa: PLC0415 - other commands need no server

    return Door(host, port, cert, key, behind_proxy)
