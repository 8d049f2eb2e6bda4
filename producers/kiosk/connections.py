"""A browser's connection: what begins a request must come soon and be short.

uvicorn bounds neither, and answers what it can't parse by itself: here that answer says what all of
ours say. Invariant: a connection holds no more than a few kilobytes of what is no request yet.
"""

from asyncio import TimerHandle
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from producers.kiosk.headers import HEADERS

MOST_HEADER_BYTES = 1 << 15
HEADER_SECONDS = 10.0
_MALFORMED = (
    '{"reason":"malformed","what":"请求不是 HTTP，或开头太长。 '
    'The request is not HTTP, or its beginning is too long."}'
).encode()


class BoundedConnection(HttpToolsProtocol):
    """uvicorn's connection, for the beginnings of requests that are slow, long, or none at all."""

    _late: TimerHandle | None = None
    _begun = 0  # bytes of a request whose headers have not ended

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._late is None:
            self._begun = 0
            return
        self._begun += len(data)
        if self._begun > MOST_HEADER_BYTES and not self.transport.is_closing():
            self.send_400_response("too long")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._wait()

    def on_headers_complete(self) -> None:
        self._wait_no_more()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        lines = [
            b"HTTP/1.1 400 Bad Request",
            *(name + b": " + value for name, value in HEADERS),
            b"content-type: application/json",
            b"content-length: " + str(len(_MALFORMED)).encode(),
            b"cache-control: no-store",
            b"connection: close",
        ]
        self.transport.write(b"\r\n".join(lines) + b"\r\n\r\n" + _MALFORMED)
        self.transport.close()

    def _wait(self) -> None:
        self._wait_no_more()
        self._late = self.loop.call_later(HEADER_SECONDS, self.transport.close)

    def _wait_no_more(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
