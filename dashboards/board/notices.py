"""Telling leaders of new exceptions, by e-mail or to an address of the district's own (webhook).

Each is told once to each; what is told says how many and where to look, and nobody's name.
Invariant: a notice is noted before the next is sent; one that could not be sent is tried again, and
keeps nobody else from being told.
"""

import logging
import smtplib
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from typing import NamedTuple

import httpx2 as httpx
from sqlalchemy import Connection, Engine, insert, select
from sqlalchemy.exc import SQLAlchemyError

from dashboards.board.directory import Directory, DirectoryCache, members_of
from dashboards.board.scope import scope_of
from ledger import queries
from ledger.accounts import store
from ledger.accounts.values import Account
from ledger.corrections import tables
from ledger.corrections.halves import WaitingHalf, exceptions
from ledger.policy import Policy
from ledger.refusals import LedgerRefusal
from ledger.turns import taking_turns

_LOOK_SECONDS = 60.0
_SEND_SECONDS = 15
_ONE_AT_A_TIME = 0x6E6F7465
"""PostgreSQL's advisory lock for notices: the letters "note"."""

log = logging.getLogger(__name__)


class Channels(NamedTuple):
    """Where notices go: a mail server (host:port) with the sender, a webhook; None: not there."""

    mail_server: str | None
    sender: str | None
    webhook: str | None
    address: str


class Notifier(threading.Thread):
    """Looks every minute for exceptions that somebody has not been told of."""

    def __init__(
        self,
        engine: Engine,
        policy: Policy,
        directories: DirectoryCache,
        channels: Channels,
        clock: Callable[[], int],
    ) -> None:
        super().__init__(name="notices", daemon=True)
        self._engine, self._policy, self._directories = engine, policy, directories
        self._channels, self._clock = channels, clock
        self._over = threading.Event()
        self.untold = 0
        """Whom there was something new for, and who could not be told, at the last look."""

    def run(self) -> None:
        while not self._over.is_set():
            try:
                self.tell()
            except (LedgerRefusal, SQLAlchemyError) as error:
                log.warning("异常通知没有发出。 Exceptions could not be told of: %s", error)
            except Exception:  # ours; whoever waits to be told must not wait for ever
                log.exception("telling of exceptions failed")
            self._over.wait(_LOOK_SECONDS)

    def tell(self) -> int:
        """Tell whom there is something new for; how many notices were sent. LedgerRefusal."""
        now, count, untold = self._clock(), 0, 0
        with queries.reading(self._engine) as connection:
            halves = exceptions(connection, self._policy, now)
            recipients = self._recipients(connection, now)
            told = {channel: _told(connection, channel) for channel, _ in recipients}
        for channel, covers in recipients:
            new = [one for one in halves if covers(one) and _key(one) not in told[channel]]
            if not new:
                continue
            if self._is_sent(channel, new):
                self._note(channel, new, now)
                count += 1
            else:
                untold += 1
        self.untold = untold
        return count

    def stop(self) -> None:
        """Tell no more."""
        self._over.set()

    def _recipients(
        self, connection: Connection, now: int
    ) -> list[tuple[str, Callable[[WaitingHalf], bool]]]:
        """Channels, each with what concerns it: accounts that may put right, and the webhook."""
        known = self._directories.current(connection, self._policy.civil_day(now))
        found: list[tuple[str, Callable[[WaitingHalf], bool]]] = []
        if self._channels.webhook:
            found.append((self._channels.webhook, lambda one: True))
        if self._channels.mail_server:
            for account in store.all_accounts(connection):
                is_wanted = account.role in ("leader", "officer", "centre")
                if account.email and is_wanted and account.disabled_at is None:
                    covers = _covering(connection, account, known)
                    found.append((f"mailto:{account.email}", covers))
        return found

    def _is_sent(self, channel: str, new: Sequence[WaitingHalf]) -> bool:
        try:
            self._send(channel, new)
        except (OSError, httpx.HTTPError) as error:
            # No address: a webhook's may hold a secret, a mail's is somebody's.
            kind = channel.partition(":")[0]
            log.warning("通知没有发出。 A notice was not sent (%s): %s", kind, _why(error))
            return False
        return True

    def _send(self, channel: str, new: Sequence[WaitingHalf]) -> None:
        if channel.startswith("mailto:"):
            self._mail(channel.removeprefix("mailto:"), len(new))
            return
        teams = Counter(one.team for one in new)
        said = {"exceptions": len(new), "teams": teams, "address": self._where()}
        httpx.post(channel, json=said, timeout=_SEND_SECONDS).raise_for_status()

    def _mail(self, to: str, count: int) -> None:
        message = EmailMessage()
        message["Subject"] = f"{count} 条新的考勤异常 {count} new exceptions of hours"
        message["From"], message["To"] = self._channels.sender or "", to
        message.set_content(
            f"有 {count} 条签到签退不成对，等您处理。\n"
            f"{count} check-ins or check-outs have no partner and wait for you.\n\n"
            f"{self._where()}\n"
        )
        host, _, port = str(self._channels.mail_server).partition(":")
        with smtplib.SMTP(host, int(port or 25), timeout=_SEND_SECONDS) as server:
            server.send_message(message)

    def _where(self) -> str:
        return f"{self._channels.address}/exceptions"

    def _note(self, channel: str, new: Sequence[WaitingHalf], now: int) -> None:
        rows = [
            {
                "channel": channel,
                "volunteer": one.volunteer,
                "source": one.source,
                "id": one.id,
                "occurred_at": one.occurred_at,
                "told_at": now,
            }
            for one in new
        ]
        with taking_turns(self._engine, _ONE_AT_A_TIME) as connection:
            connection.execute(insert(tables.notices), rows)


def _why(error: Exception) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"HTTP {error.response.status_code}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"SMTP {error.smtp_code}"
    return getattr(error, "strerror", None) or type(error).__name__


_Key = tuple[str, str, str, int]


def _key(one: WaitingHalf) -> _Key:
    return (one.volunteer, one.source, one.id, one.occurred_at)


def _told(connection: Connection, channel: str) -> set[_Key]:
    table = tables.notices.c
    rows = connection.execute(
        select(table.volunteer, table.source, table.id, table.occurred_at).where(
            table.channel == channel
        )
    )
    return {(row[0], row[1], row[2], row[3]) for row in rows}


def _covering(
    connection: Connection, account: Account, known: Directory
) -> Callable[[WaitingHalf], bool]:
    scope = scope_of(account.role, account.teams, account.units, known)
    if not scope.everything:
        members = members_of(connection, scope.teams, known.today)
        scope = scope._replace(members=members)
    return lambda one: scope.covers_tap(one.team, one.place, one.volunteer)
