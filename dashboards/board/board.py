"""The board's parts, together; made once by `running`, given to every request.

Invariant: no part is replaced while it runs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Connection, Engine

from dashboards.board.cookies import Cookies
from dashboards.board.correcting import CorrectionPublisher
from dashboards.board.directory import Directory, DirectoryCache
from dashboards.board.identity import IdentityProvider
from dashboards.board.live.streaming import Broadcast
from dashboards.board.live.watching import LedgerWatch, LogWatch
from dashboards.board.metrics import BoardMetrics
from dashboards.board.pages import Pages
from dashboards.board.public import PublicViews
from ledger.policy import Policy
from ledger.roster.vault import Vault
from producers.kiosk.limits import Tries


@dataclass(frozen=True)
class Board:
    """What a request can reach. `vault` is None where the roster's key isn't given."""

    engine: Engine
    policy: Policy
    ledger_name: str
    vault: Vault | None
    clock: Callable[[], int]
    directories: DirectoryCache
    ledger_watch: LedgerWatch
    log_watch: LogWatch
    broadcast: Broadcast
    corrections: CorrectionPublisher
    pages: Pages
    cookies: Cookies
    tries: Tries
    badge_tries: Tries
    behind_proxy: bool
    metrics: BoardMetrics
    public: PublicViews
    star_hours: tuple[int, ...]
    badge_keys: tuple[Ed25519PublicKey, ...]
    badge_key: Ed25519PrivateKey | None
    folder: Path
    kiosk_address: str
    address: str
    provider: IdentityProvider | None

    def today(self) -> str:
        """The civil day now."""
        return self.policy.civil_day(self.clock())

    def directory(self, connection: Connection) -> Directory:
        """The district as the connection sees it."""
        return self.directories.current(connection, self.today())
