"""The usual way to take a tap: a row, a commit, an answer; one fsync for each request.

With the gateway's own server, framework, parser and database, so that what differs is the commit.
Told its file and port by BENCH_FILE and BENCH_PORT.
"""

import os
import sqlite3

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from producers.kiosk.messages import Taps


def main() -> None:
    """Serve until told to stop."""
    connection = sqlite3.connect(os.environ["BENCH_FILE"], isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE taps (id TEXT PRIMARY KEY, tap TEXT)")

    async def take(request: Request) -> JSONResponse:
        (tap,) = Taps.model_validate_json(await request.body()).taps
        connection.execute("INSERT INTO taps VALUES (?, ?)", (tap.id, tap.model_dump_json()))
        return JSONResponse({"taps": [{"id": tap.id, "state": "accepted"}]})

    app = Starlette(routes=[Route("/api/taps", take, methods=["POST"])])
    port = int(os.environ["BENCH_PORT"])
    uvicorn.run(app, port=port, log_level="warning", http="httptools", loop="uvloop")


if __name__ == "__main__":
    main()
