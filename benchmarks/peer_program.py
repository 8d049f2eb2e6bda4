"""What every peer's program is told, and the one thing it tells back: when its work began."""

import os
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Told:
    """Where the log is, and where to write."""

    kafka: str
    topic: str
    database: str
    folder: Path
    _began: bool = False

    def begin(self) -> None:
        """Called with every record; the first one's moment is kept."""
        if not self._began:
            self._began = True
            (self.folder / "began").write_text(repr(time.time()))


def told() -> Told:
    """What this program's environment says."""
    return Told(
        os.environ["BENCH_KAFKA"],
        os.environ["BENCH_TOPIC"],
        os.environ["BENCH_DATABASE"],
        Path(os.environ["BENCH_FOLDER"]),
    )
