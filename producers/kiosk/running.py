"""A gateway from its start to its end: threads, ports, and leaving in order.

Invariant: it answers nothing it has not kept, also while it ends; and one gateway runs on a file.
"""

import asyncio
import fcntl
import ipaddress
import signal
import socket
import sqlite3
import ssl
import stat
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
import uvloop
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from producers.kafka_access import KafkaAccess
from producers.kiosk.app import create_app
from producers.kiosk.connections import BoundedConnection
from producers.kiosk.gateway import Gateway
from producers.kiosk.gateway_clock import GatewayClock
from producers.kiosk.kiosks import Kiosks
from producers.kiosk.outbox import Outbox
from producers.kiosk.outbox_rows import OutboxRows
from producers.kiosk.publisher import Publisher
from producers.kiosk.roster_cache import RosterCache
from producers.kiosk.roster_reader import RosterReader
from producers.kiosk.time_server import TimeServer
from producers.kiosk.watch import create_watch_app

_KEEP_REPORTS_SECONDS = 10
_LEAVING_SECONDS = 3
_BACKLOG = 2_048
_SWITCH_SECONDS = 0.0005
"""How long a thread that publishes may keep those waiting who have a request: a tenth of usual."""


class GatewayRefusal(Exception):
    """The gateway can't run as it is asked to; one line says why."""


@dataclass(frozen=True)
class GatewaySettings:
    """What a gateway must know. `web_port` serves metrics and health; None serves neither.

    `behind_proxy` lets it listen without TLS off this machine: a proxy before it has TLS.
    """

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
    behind_proxy: bool = False
    ntp_server: str | None = None
    web_host: str = "127.0.0.1"
    web_port: int | None = None


def run_gateway(settings: GatewaySettings, say: Callable[[str], None]) -> None:
    """Serve until told to stop. GatewayRefusal, OSError, `database.OtherVersion`."""
    refuse_an_open_door(settings)
    sys.setswitchinterval(_SWITCH_SECONDS)
    with _alone(settings.file), ExitStack() as stack:
        gateway = stack.enter_context(_parts(settings))
        door = stack.enter_context(_listening(settings.host, settings.port, "--port"))
        servers = [(_server(settings, create_app(gateway)), door)]
        if settings.web_port is not None:
            watched = _listening(settings.web_host, settings.web_port, "HOURS_WEB_PORT")
            watch = _Server(_config(create_watch_app(gateway)))
            servers.append((watch, stack.enter_context(watched)))
        say(f"网关就绪：{_address(settings, door)} Ready: the gateway serves kiosks.")
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(gateway, servers))
        with suppress(sqlite3.Error):  # the disk is full: what was reported is reported again
            gateway.keep_reports(is_over=True)


def refuse_an_open_door(settings: GatewaySettings) -> None:
    """What kiosks say must not cross a network in the clear. GatewayRefusal."""
    if (settings.certificate is None) != (settings.certificate_key is None):
        raise GatewayRefusal(
            "证书和私钥要一起给：--cert 和 --key。 "
            "A certificate and its key go together: --cert and --key."
        )
    if settings.certificate is None and not settings.behind_proxy and not _is_here(settings.host):
        raise GatewayRefusal(
            f"在 {settings.host} 上监听要用 TLS：给出 --cert 和 --key（hours kiosks certificate "
            "可以自制），或在有 TLS 的代理后面用 --plain-http-behind-proxy。 Listening on "
            f"{settings.host} takes TLS: give --cert and --key (hours kiosks certificate makes "
            "them), or --plain-http-behind-proxy where a proxy before it has TLS."
        )
    if settings.certificate_key is not None:
        _refuse_an_open_key(settings.certificate_key)


def _refuse_an_open_key(file: Path) -> None:
    try:
        open_to_others = file.stat().st_mode & stat.S_IRWXO
    except OSError as error:
        raise GatewayRefusal(
            f"读不了私钥 {file}。 The key {file} can't be read ({error.strerror})."
        ) from error
    if open_to_others:
        raise GatewayRefusal(
            f"别人也能读私钥 {file}：运行 chmod 600 {file}。 "
            f"Others may read the key {file}: run chmod 600 {file}."
        )


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def _listening(host: str, port: int, setting: str) -> Iterator[socket.socket]:
    """A socket that listens. GatewayRefusal where the port is taken, or the host isn't ours."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        made = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, UnicodeError) as error:
        raise GatewayRefusal(
            f"不能在 {host}:{port} 上监听（{error}）：换一个，见 {setting}。 "
            f"Can't listen on {host}:{port} ({error}): choose another, by {setting}."
        ) from error
    with made:
        yield made


async def _serve(gateway: Gateway, servers: Sequence[tuple["_Server", socket.socket]]) -> None:
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    serving = [asyncio.create_task(server.serve([door])) for server, door in servers]
    keeping = asyncio.create_task(_keep_reports(gateway))
    told = asyncio.create_task(over.wait())
    await asyncio.wait([*serving, told], return_when=asyncio.FIRST_COMPLETED)
    for server, _ in servers:
        server.should_exit = True
    await asyncio.gather(*serving)
    for task in (keeping, told):
        task.cancel()


async def _keep_reports(gateway: Gateway) -> None:
    while True:
        with suppress(sqlite3.Error):  # the disk is full: taps say so, and this is tried again
            await asyncio.to_thread(gateway.keep_reports)
        await asyncio.sleep(_KEEP_REPORTS_SECONDS)


@contextmanager
def _parts(settings: GatewaySettings) -> Iterator[Gateway]:
    """The gateway with all its threads running; they end in the opposite order."""
    with ExitStack() as stack:
        clock = GatewayClock()
        outbox = Outbox(settings.file)
        stack.callback(outbox.close)
        # Two of rows: who answers requests must not wait until the publisher's are on the disk.
        rows, publishing = OutboxRows(settings.file), OutboxRows(settings.file)
        roster, kiosks = RosterCache(settings.file), Kiosks(settings.file)
        for part in (rows, publishing, roster, kiosks):
            stack.callback(part.close)
        publisher = Publisher(
            settings.file, publishing, outbox.kept, settings.access, settings.taps_topic, clock
        )
        reader = RosterReader(roster, settings.access, settings.roster_topic)
        threads: list[Any] = [publisher, reader]
        if settings.ntp_server:
            threads.append(TimeServer(clock, settings.ntp_server))
        for thread in threads:
            thread.start()
        stack.callback(_stop, threads)
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


def _stop(threads: Sequence[Any]) -> None:
    """Let them finish what they do, as long as that takes no longer than people wait.

    One that Kafka keeps waiting ends with the process: what it had in hand is on the disk.
    """
    for thread in threads:
        thread.stop()
    deadline = time.monotonic() + _LEAVING_SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))


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
    config = _config(app)
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


def _config(app: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=BoundedConnection,
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="error",  # of what is no HTTP it would warn each time
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_LEAVING_SECONDS,
    )


def _address(settings: GatewaySettings, door: socket.socket) -> str:
    scheme = "http" if settings.certificate is None else "https"
    behind = "，在代理后面 behind a proxy" if settings.behind_proxy else ""
    return f"{scheme}://{settings.host}:{door.getsockname()[1]}{behind}"
