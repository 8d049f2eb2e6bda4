"""A board from its start to its end: its parts, its threads, its ports.

Invariant: it shows nothing before it has read the ledger, and what it began it ends.
"""

import os
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from dashboards.board.app import create_app
from dashboards.board.board import Board
from dashboards.board.cookies import Cookies
from dashboards.board.correcting import CorrectionPublisher
from dashboards.board.directory import DirectoryCache
from dashboards.board.identity import IdentityProvider
from dashboards.board.live.streaming import Broadcast
from dashboards.board.live.watching import LedgerWatch, LogWatch, now
from dashboards.board.metrics import BoardMetrics, BoardNow
from dashboards.board.notices import Channels, Notifier
from dashboards.board.pages import Pages
from dashboards.board.public import PublicViews
from dashboards.board.stars import USUAL_HOURS
from ledger import roles, schema
from ledger.engine import open_engine
from ledger.policy import SECOND, Policy
from ledger.roster.vault import Vault
from producers.kafka_access import KafkaAccess
from producers.kiosk.limits import Tries
from producers.serving import (
    LEAVING_SECONDS,
    Door,
    address,
    listening,
    refuse_an_open_door,
    serve,
    server,
)
from producers.watch import create_watch_app

_KEY_BYTES = 32
_STALE_SECONDS = 15
_DAY_SECONDS = 86_400.0


@dataclass(frozen=True)
class BoardSettings:
    """What a board must know. `folder` is its own: the key of its cookies, uploads.

    `secure`: browsers come by TLS alone, through its own door or a proxy's.
    """

    door: Door
    ledger_url: str
    ledger_name: str
    policy: Policy
    access: KafkaAccess
    taps_topic: str
    folder: Path
    kiosk_address: str
    address: str
    vault: Vault | None = None
    provider: IdentityProvider | None = None
    mail_server: str | None = None
    mail_from: str | None = None
    webhook: str | None = None
    web_host: str = "127.0.0.1"
    web_port: int | None = None
    badge_keys: tuple[Ed25519PublicKey, ...] = ()
    badge_key: Ed25519PrivateKey | None = None
    star_hours: tuple[int, ...] = USUAL_HOURS


def run_board(settings: BoardSettings, say: Callable[[str], None]) -> None:
    """Serve until told to stop. DoorRefusal, LedgerRefusal."""
    door = settings.door
    refuse_an_open_door(door)
    with ExitStack() as stack:
        board = stack.enter_context(parts(settings))
        listener = stack.enter_context(listening(door.host, door.port, "--port"))
        servers = [(server(create_app(board), door), listener)]
        if settings.web_port is not None:
            watched = listening(settings.web_host, settings.web_port, "HOURS_WEB_PORT")
            watch = server(create_watch_app(board.metrics.registry, lambda: _trouble(board)))
            servers.append((watch, stack.enter_context(watched)))
        say(f"看板就绪：{address(door, listener)} Ready: the board is served.")
        serve(servers, [board.broadcast.look()])


@contextmanager
def parts(settings: BoardSettings) -> Iterator[Board]:
    """The board with its threads running; they end in the opposite order."""
    engine = open_engine(settings.ledger_url)
    with ExitStack() as stack:
        stack.callback(engine.dispose)
        schema.check(engine)
        roles.refuse_unprivileged(engine, roles.BOARD)
        directories = DirectoryCache()
        ledger = LedgerWatch(engine, settings.policy, directories, now)
        ledger.look()
        log = LogWatch(
            settings.access, settings.taps_topic, settings.policy.shard_count, ledger, now
        )
        corrections = CorrectionPublisher(engine, settings.access, settings.taps_topic, now)
        threads: list[Any] = [ledger, log, corrections]
        channels = Channels(
            settings.mail_server, settings.mail_from, settings.webhook, settings.address
        )
        notifier = Notifier(engine, settings.policy, directories, channels, now)
        if settings.mail_server or settings.webhook:
            threads.append(notifier)
        for thread in threads:
            thread.start()
        stack.callback(_stop, threads)
        broadcast = Broadcast(ledger)
        yield Board(
            engine=engine,
            policy=settings.policy,
            ledger_name=settings.ledger_name,
            vault=settings.vault,
            clock=now,
            directories=directories,
            ledger_watch=ledger,
            log_watch=log,
            broadcast=broadcast,
            corrections=corrections,
            pages=Pages(settings.policy.timezone, settings.ledger_name),
            cookies=Cookies(_key_in(settings.folder / "cookies.key"), _is_secure(settings.door)),
            tries=Tries(each=20, all_together=300),
            badge_tries=Tries(each=5, all_together=10_000, seconds=_DAY_SECONDS),
            behind_proxy=settings.door.behind_proxy,
            metrics=BoardMetrics(lambda: _now(ledger, log, corrections, broadcast, notifier)),
            public=PublicViews(settings.star_hours),
            star_hours=settings.star_hours,
            badge_keys=settings.badge_keys,
            badge_key=settings.badge_key,
            folder=settings.folder,
            kiosk_address=settings.kiosk_address,
            address=settings.address,
            provider=settings.provider,
        )


def _trouble(board: Board) -> str | None:
    """Why its figures can't be trusted to be of now."""
    state, seconds = board.ledger_watch.state, _STALE_SECONDS
    if state is None or board.clock() - state.read_at > seconds * SECOND:
        return f"the ledger has not been read for {seconds} s"
    return None


def _now(
    ledger: LedgerWatch,
    log: LogWatch,
    corrections: CorrectionPublisher,
    broadcast: Broadcast,
    notifier: Notifier,
) -> BoardNow:
    at, state, fresh = now(), ledger.state, log.freshness()
    return BoardNow(
        open_pages=broadcast.open,
        read_age_seconds=(at - fresh.read_at) / SECOND if state else float("inf"),
        behind_seconds=0 if fresh.behind_since is None else (at - fresh.behind_since) / SECOND,
        corrections_waiting=corrections.state.waiting,
        oldest_correction_seconds=max(0, at - corrections.state.oldest_at) / SECOND
        if corrections.state.waiting
        else 0,
        exceptions_open=sum(one.exceptions for one in state.waiting) if state else 0,
        notices_untold=notifier.untold,
    )


def _is_secure(door: Door) -> bool:
    return door.certificate is not None or door.behind_proxy


def _stop(threads: Sequence[Any]) -> None:
    """Let them finish, as long as that takes no longer than people wait."""
    for thread in threads:
        thread.stop()
    deadline = time.monotonic() + LEAVING_SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))


def _key_in(file: Path) -> bytes:
    """The key that signs cookies; made at the first start, for its owner alone to read."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_bytes()
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(secrets.token_bytes(_KEY_BYTES))
    return file.read_bytes()
