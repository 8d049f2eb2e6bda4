"""A gateway from its start to its end: threads, ports, and leaving in order.

Invariant: it answers nothing it has not kept, also while it ends; and one gateway runs on a file.
"""

import asyncio
import fcntl
import signal
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from producers.kafka_access import KafkaAccess
from producers.kiosk.app import create_app
from producers.kiosk.gateway import Gateway
from producers.kiosk.gateway_clock import GatewayClock
from producers.kiosk.kiosks import Kiosks
from producers.kiosk.outbox import Outbox
from producers.kiosk.outbox_rows import OutboxRows
from producers.kiosk.publisher import Publisher
from producers.kiosk.roster_cache import RosterCache, RosterReader
from producers.kiosk.time_server import TimeServer
from producers.kiosk.watch import create_watch_app

_KEEP_REPORTS_SECONDS = 10
_LEAVING_SECONDS = 5


class GatewayRefusal(Exception):
    """The gateway can't run as it is asked to; one line says why."""


@dataclass(frozen=True)
class GatewaySettings:
    """What a gateway must know. `web_port` serves metrics and health; None serves neither."""

    file: Path
    access: KafkaAccess
    taps_topic: str
    roster_topic: str
    ledger_name: str
    timezone: str
    badge_keys: Sequence[Ed25519PublicKey] = ()
    host: str = "127.0.0.1"
    port: int = 8080
    certificate: Path | None = None
    certificate_key: Path | None = None
    ntp_server: str | None = None
    web_host: str = "127.0.0.1"
    web_port: int | None = None


def run_gateway(settings: GatewaySettings, say: Callable[[str], None]) -> None:
    """Serve until told to stop. GatewayRefusal, OSError, `database.OtherVersion`."""
    with _alone(settings.file), _parts(settings) as gateway:
        servers = [_server(settings, create_app(gateway))]
        if settings.web_port is not None:
            servers.append(
                _Server(_config(create_watch_app(gateway), settings.web_host, settings.web_port))
            )
        uvicorn_loop = uvicorn.Config(create_app(gateway), loop="uvloop").get_loop_factory()
        with asyncio.Runner(loop_factory=uvicorn_loop) as runner:
            runner.run(_serve(gateway, servers, settings, say))
        gateway.keep_reports()


async def _serve(
    gateway: Gateway,
    servers: Sequence["_Server"],
    settings: GatewaySettings,
    say: Callable[[str], None],
) -> None:
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    serving = [asyncio.create_task(server.serve()) for server in servers]
    keeping = asyncio.create_task(_keep_reports(gateway))
    await _begun(servers, serving)
    say(f"网关就绪：{_address(settings)} The gateway is ready.")
    await asyncio.wait(
        [*serving, asyncio.create_task(over.wait())], return_when=asyncio.FIRST_COMPLETED
    )
    for server in servers:
        server.should_exit = True
    await asyncio.gather(*serving)
    keeping.cancel()


async def _begun(servers: Sequence["_Server"], serving: Sequence["asyncio.Task[None]"]) -> None:
    while not all(server.started for server in servers):
        ended = [task for task in serving if task.done()]
        if ended:
            raise GatewayRefusal(
                "端口被占用或不能使用：用 --port 换一个。 "
                "The port is taken, or can't be used: name another with --port."
            )
        await asyncio.sleep(0.01)


async def _keep_reports(gateway: Gateway) -> None:
    while True:
        await asyncio.sleep(_KEEP_REPORTS_SECONDS)
        await asyncio.to_thread(gateway.keep_reports)


@contextmanager
def _parts(settings: GatewaySettings) -> Iterator[Gateway]:
    """The gateway with all its threads running; they end in the opposite order."""
    with ExitStack() as stack:
        clock = GatewayClock()
        outbox = Outbox(settings.file)
        stack.callback(outbox.close)
        rows, roster, kiosks = (
            OutboxRows(settings.file),
            RosterCache(settings.file),
            Kiosks(settings.file),
        )
        for part in (rows, roster, kiosks):
            stack.callback(part.close)
        publisher = Publisher(
            settings.file, rows, outbox.kept, settings.access, settings.taps_topic, clock
        )
        reader = RosterReader(roster, settings.access, settings.roster_topic)
        threads: list[Any] = [publisher, reader]
        if settings.ntp_server:
            threads.append(TimeServer(clock, settings.ntp_server))
        for thread in threads:
            thread.start()
            stack.callback(thread.join, _LEAVING_SECONDS)
            stack.callback(thread.stop)
        yield Gateway(
            ledger_name=settings.ledger_name,
            timezone=settings.timezone,
            badge_keys=settings.badge_keys,
            outbox=outbox,
            rows=rows,
            clock=clock,
            roster=roster,
            kiosks=kiosks,
            publisher=lambda: publisher.state,
        )


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with file.with_name(f"{file.name}.gateway").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise GatewayRefusal(
                f"另一个网关正在使用 {file}：一个文件只能有一个网关，或另设 HOURS_HOME。 "
                f"Another gateway uses {file}: stop it, or set another HOURS_HOME."
            ) from error
        yield


class _Server(uvicorn.Server):
    """Signals are for whoever runs several of these."""

    def capture_signals(self) -> Any:
        return nullcontext()


def _server(settings: GatewaySettings, app: Any) -> _Server:
    config = _config(app, settings.host, settings.port)
    if settings.certificate is not None:
        config.ssl_certfile = str(settings.certificate)
        config.ssl_keyfile = str(settings.certificate_key)
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        raise GatewayRefusal(
            f"证书或私钥不能用（{error}）：请检查 --cert 和 --key。 "
            f"The certificate or its key can't be used ({error}): check --cert and --key."
        ) from error
    return _Server(config)


def _config(app: Any, host: str, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_LEAVING_SECONDS,
        backlog=2_048,
    )


def _address(settings: GatewaySettings) -> str:
    scheme = "http" if settings.certificate is None else "https"
    return f"{scheme}://{settings.host}:{settings.port}"
