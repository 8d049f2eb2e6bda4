"""A worker whose clock can be moved while it runs: `python -m tests.chaos.clocks FILE worker`.

The file holds seconds, eight bytes, that are added to `time.time` and `time.time_ns`; what asks
the system itself, as `datetime.now` does, and the monotonic clock, stay.
"""

import mmap
import struct
import sys
import time
from pathlib import Path

_SHIFT = struct.Struct("<d")


def set_shift(file: Path, seconds: float) -> None:
    """Move the clock of the process that runs with `file`, at once; it need not have begun."""
    with file.open("r+b" if file.exists() else "wb") as shift:
        shift.write(_SHIFT.pack(seconds))


def _run(file: str, arguments: list[str]) -> None:
    with Path(file).open("r+b") as shift:
        shifted = mmap.mmap(shift.fileno(), _SHIFT.size)
    real, real_ns = time.time, time.time_ns
    time.time = lambda: real() + _SHIFT.unpack_from(shifted)[0]
    time.time_ns = lambda: real_ns() + int(_SHIFT.unpack_from(shifted)[0] * 1e9)
    sys.argv = ["hours", *arguments]
    from hours.cli import main  # noqa: PLC0415 - nothing may take the time function before

    main()


if __name__ == "__main__":
    _run(sys.argv[1], sys.argv[2:])
