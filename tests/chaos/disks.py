"""A small disk of its own for the database, which can be filled to the last byte and emptied.

A tmpfs, which only root may mount. Invariant: it is gone when its `with` is over.
"""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PIECE = b"\0" * 65_536


class Disk:
    """A folder with little room."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Leave no room at all."""
        with self._ballast.open("ab", buffering=0) as ballast, suppress(OSError):
            left = os.statvfs(self.folder)
            os.posix_fallocate(ballast.fileno(), ballast.tell(), left.f_bavail * left.f_frsize)
        with self._ballast.open("ab", buffering=0) as ballast, suppress(OSError):
            while ballast.write(_PIECE):
                pass

    def free(self) -> None:
        """Give the room back."""
        self._ballast.unlink(missing_ok=True)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Disk | None]:
    """A disk mounted at `folder`; None where we may not mount, and the folder is plain."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    try:
        yield Disk(folder) if mounted else None
    finally:
        if mounted:
            _unmount(folder)


def _unmount(folder: Path) -> None:
    for _ in range(50):
        if (
            subprocess.run(["umount", str(folder)], capture_output=True, check=False).returncode
            == 0
        ):
            return
        time.sleep(0.1)  # the last process with a file open there is still ending
    subprocess.run(["umount", "--lazy", str(folder)], check=False)
