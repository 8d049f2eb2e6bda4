"""Serving HTTP, as the gateway and the board do: doors, TLS, signals, leaving in order.

Not what is served. Invariant: nothing is served in the clear beyond this machine unless somebody
said that a proxy before it has TLS.
"""

import asyncio
import ipaddress
import signal
import socket
import ssl
import stat
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
import uvloop

from producers.kiosk.connections import BoundedConnection

LEAVING_SECONDS = 3
_BACKLOG = 2_048


class DoorRefusal(Exception):
    """It can't be served as it is asked to; one line says why."""


@dataclass(frozen=True)
class Door:
    """Where it listens. `behind_proxy`: without TLS off this machine, a proxy before it has it."""

    host: str = "127.0.0.1"
    port: int = 0
    certificate: Path | None = None
    certificate_key: Path | None = None
    behind_proxy: bool = False

    @property
    def scheme(self) -> str:
        return "http" if self.certificate is None else "https"


Serving = tuple["Server", socket.socket]


class Server(uvicorn.Server):
    """Signals are for whoever runs several of these."""

    def capture_signals(self) -> Any:
        return nullcontext()


def refuse_an_open_door(door: Door) -> None:
    """What people say must not cross a network in the clear. DoorRefusal."""
    if (door.certificate is None) != (door.certificate_key is None):
        raise DoorRefusal(
            "证书和私钥要一起给：--cert 和 --key。 "
            "A certificate and its key go together: --cert and --key."
        )
    if door.certificate is None and not door.behind_proxy and not _is_here(door.host):
        raise DoorRefusal(
            f"在 {door.host} 上监听要用 TLS：给出 --cert 和 --key（hours kiosks certificate "
            "可以自制），或在有 TLS 的代理后面用 --plain-http-behind-proxy。 Listening on "
            f"{door.host} takes TLS: give --cert and --key (hours kiosks certificate makes "
            "them), or --plain-http-behind-proxy where a proxy before it has TLS."
        )
    if door.certificate_key is not None:
        _refuse_an_open_key(door.certificate_key)


@contextmanager
def listening(host: str, port: int, setting: str) -> Iterator[socket.socket]:
    """A socket that listens. DoorRefusal where the port is taken, or the host isn't ours."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        made = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, UnicodeError) as error:
        raise DoorRefusal(
            f"不能在 {host}:{port} 上监听（{error}）：换一个，见 {setting}。 "
            f"Can't listen on {host}:{port} ({error}): choose another, by {setting}."
        ) from error
    with made:
        yield made


def server(app: Any, door: Door | None = None) -> Server:
    """A server of an app; by the door's TLS, if it has any. DoorRefusal."""
    config = uvicorn.Config(
        app,
        http=BoundedConnection,
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="error",  # of what is no HTTP it would warn each time
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=LEAVING_SECONDS,
    )
    if door is not None and door.certificate is not None:
        config.ssl_certfile = str(door.certificate)
        config.ssl_keyfile = str(door.certificate_key)
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        raise DoorRefusal(
            f"证书或私钥不能用（{error}）：请检查 --cert 和 --key。 "
            f"The certificate or its key can't be used ({error}): check --cert and --key."
        ) from error
    return Server(config)


def serve(servers: Sequence[Serving], beside: Sequence[Coroutine[Any, Any, None]] = ()) -> None:
    """Serve until told to stop; `beside` runs as long, in the same loop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(servers, beside))


def address(door: Door, listener: socket.socket) -> str:
    """What a browser on this machine opens."""
    behind = "，在代理后面 behind a proxy" if door.behind_proxy else ""
    return f"{door.scheme}://{door.host}:{listener.getsockname()[1]}{behind}"


async def _serve(servers: Sequence[Serving], beside: Sequence[Coroutine[Any, Any, None]]) -> None:
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    serving = [asyncio.create_task(one.serve([listener])) for one, listener in servers]
    others = [asyncio.create_task(one) for one in (*beside, over.wait())]
    await asyncio.wait([*serving, others[-1]], return_when=asyncio.FIRST_COMPLETED)
    for one, _ in servers:
        one.should_exit = True
    await asyncio.gather(*serving)
    for task in others:
        task.cancel()


def _refuse_an_open_key(file: Path) -> None:
    try:
        open_to_others = file.stat().st_mode & stat.S_IRWXO
    except OSError as error:
        raise DoorRefusal(
            f"读不了私钥 {file}。 The key {file} can't be read ({error.strerror})."
        ) from error
    if open_to_others:
        raise DoorRefusal(
            f"别人也能读私钥 {file}：运行 chmod 600 {file}。 "
            f"Others may read the key {file}: run chmod 600 {file}."
        )


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
