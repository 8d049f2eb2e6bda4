"""`hours board`: the pages of leaders, officers, auditors, volunteers and the public.

Thin: what it is run with is checked here, the rest is `dashboards.board.running`.
"""

from typing import Any

import click

from hours.badge_keys import badge_key, badge_public_keys
from hours.door_options import door_of, door_options
from hours.settings import Settings


@click.command()
@door_options(8000)
@click.pass_obj
def board(settings: Settings, /, **door: Any) -> None:
    """运行看板。 Run the board: live totals, exceptions, reports and the public page.

    Who may sign in is kept by `hours accounts`. Off this machine it serves by TLS alone.
    """
    from dashboards.board.running import BoardSettings, run_board  # noqa: PLC0415

    streams = settings.streams()
    run_board(
        BoardSettings(
            door=door_of(**door),
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
