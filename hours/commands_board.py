"""`hours board`: the pages of leaders, officers, auditors, volunteers and the public.

Thin: what it is run with is checked here, the rest is `dashboards.board.running`.
"""

from pathlib import Path

import click

from hours.badge_keys import badge_key, badge_public_keys
from hours.settings import Settings

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8000, show_default=True)
@click.option("--cert", metavar="FILE", type=_FILE, help="TLS certificate and its chain (PEM).")
@click.option("--key", metavar="FILE", type=_FILE, help="The certificate's private key (PEM).")
@click.option(
    "--plain-http-behind-proxy",
    "behind_proxy",
    is_flag=True,
    help="Listen without TLS: a proxy in front of it, that nobody can go round, has it.",
)
@click.pass_obj
def board(
    settings: Settings,
    host: str,
    port: int,
    cert: Path | None,
    key: Path | None,
    behind_proxy: bool,
) -> None:
    """运行看板。 Run the board: live totals, exceptions, reports and the public page.

    Who may sign in is kept by `hours accounts`. Off this machine it serves by TLS alone.
    """
    from dashboards.board.running import BoardSettings, run_board  # noqa: PLC0415
    from producers.serving import Door  # noqa: PLC0415

    streams = settings.streams()
    run_board(
        BoardSettings(
            door=Door(host, port, cert, key, behind_proxy),
            ledger_url=settings.url,
            ledger_name=settings.ledger_name,
            policy=settings.policy,
            access=streams.kafka,
            taps_topic=streams.taps_topic,
            folder=settings.home.absolute() / "board",
            kiosk_address=settings.kiosk_address,
            address=settings.board_address,
            provider=settings.identity_provider(),
            mail_server=settings.mail_server,
            mail_from=settings.mail_from,
            webhook=settings.exceptions_webhook,
            web_host=settings.web_host,
            web_port=settings.web_port,
            vault=settings.vault() if settings.roster_key_file else None,
            badge_keys=tuple(badge_public_keys(settings)),
            badge_key=badge_key(settings) if settings.badge_key_file else None,
            star_hours=settings.star_levels,
        ),
        lambda line: click.echo(line, err=True),
    )
