"""`hours kiosk`: the gateway that serves the page people tap on, run from the settings.

Thin: what it is run with is checked here, the rest is `producers.kiosk.running`.
"""

from typing import Any

import click

from hours.badge_keys import badge_public_keys
from hours.door_options import door_of, door_options
from hours.settings import Settings


@click.command()
@door_options(8080)
@click.pass_obj
def kiosk(settings: Settings, /, **door: Any) -> None:
    """运行签到机网关。 Run a gateway: it serves the kiosks' page and takes their taps.

    Off this machine it serves by TLS alone: `hours kiosks certificate` makes a certificate where
    there is no domain. HOURS_WEB_PORT serves /metrics, /health/live and /health/ready on
    HOURS_WEB_HOST (127.0.0.1).
    """
    from producers.kiosk.running import GatewaySettings, run_gateway  # noqa: PLC0415

    streams = settings.streams()
    gateway = GatewaySettings(
        file=settings.gateway_file,
        access=streams.kafka,
        taps_topic=streams.taps_topic,
        roster_topic=streams.roster_topic,
        ledger_name=settings.ledger_name,
        timezone=settings.timezone,
        badge_keys=badge_public_keys(settings),
        door=door_of(**door),
        ntp_server=settings.ntp_server,
        web_host=settings.web_host,
        web_port=settings.web_port,
    )
    run_gateway(gateway, lambda line: click.echo(line, err=True))
