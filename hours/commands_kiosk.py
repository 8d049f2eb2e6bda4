"""`hours kiosk`: the gateway that serves the page people tap on, run from the settings.

Thin: what it is run with is checked here, the rest is `producers.kiosk.running`.
"""

from pathlib import Path

import click

from hours.badge_keys import badge_public_keys
from hours.settings import Settings

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8080, show_default=True)
@click.option("--cert", metavar="FILE", type=_FILE, help="TLS certificate and its chain (PEM).")
@click.option("--key", metavar="FILE", type=_FILE, help="The certificate's private key (PEM).")
@click.option(
    "--plain-http-behind-proxy",
    "behind_proxy",
    is_flag=True,
    help="Listen without TLS: a proxy in front of it, that nobody can go round, has it.",
)
@click.pass_obj
def kiosk(
    settings: Settings,
    host: str,
    port: int,
    cert: Path | None,
    key: Path | None,
    behind_proxy: bool,
) -> None:
    """运行签到机网关。 Run a gateway: it serves the kiosks' page and takes their taps.

    Off this machine it serves by TLS alone: `hours kiosks certificate` makes a certificate where
    there is no domain. HOURS_WEB_PORT serves /metrics, /health/live and /health/ready on
    HOURS_WEB_HOST (127.0.0.1).
    """
    from producers.kiosk.running import GatewaySettings, run_gateway  # noqa: PLC0415
    from producers.serving import Door  # noqa: PLC0415

    streams = settings.streams()
    gateway = GatewaySettings(
        file=settings.gateway_file,
        access=streams.kafka,
        taps_topic=streams.taps_topic,
        roster_topic=streams.roster_topic,
        ledger_name=settings.ledger_name,
        timezone=settings.timezone,
        badge_keys=badge_public_keys(settings),
        door=Door(host, port, cert, key, behind_proxy),
        ntp_server=settings.ntp_server,
        web_host=settings.web_host,
        web_port=settings.web_port,
    )
    run_gateway(gateway, lambda line: click.echo(line, err=True))
