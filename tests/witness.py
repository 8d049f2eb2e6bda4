"""A witness as C2SP tlog-witness describes one, over real HTTP: it cosigns what only grew."""

import base64
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.evidence.checkpoints import verified_checkpoint
from ledger.evidence.notes import Key, NotANote, cosigned_text, read_note, signature_line
from ledger.evidence.proofs import is_consistent
from ledger.merkle import EMPTY_ROOT


@dataclass
class Witness:
    """What it knows: a log's key, and the tree it cosigned last."""

    log: Key
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    size: int = 0
    root: bytes = EMPTY_ROOT
    asked: int = 0
    is_away: bool = False

    @property
    def public(self) -> Key:
        return Key("witness.example", self.key.public_key().public_bytes_raw(), is_witness=True)

    def answer(self, body: str) -> tuple[int, str]:
        """The status and text for a request to `add-checkpoint`."""
        self.asked += 1
        if self.is_away:
            return 503, "away\n"
        head, _, note = body.partition("\n\n")
        old, *hashes = head.split("\n")
        try:
            _, size, root = verified_checkpoint(note, [self.log]).checkpoint
        except NotANote:
            return 403, "not signed\n"
        known = int(old.removeprefix("old "))
        if known != self.size:
            return 409, f"{self.size}\n"
        proof = [base64.b64decode(one) for one in hashes]
        if not is_consistent(known, size, proof, self.root, root):
            return 422, "not consistent\n"
        self.size, self.root = size, root
        at = int(time.time())
        signature = self.key.sign(cosigned_text(read_note(note).text, at))
        return 200, signature_line(self.public, at.to_bytes(8, "big") + signature)


@contextmanager
def serving(witness: Witness) -> Iterator[str]:
    """The address it answers at."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/add-checkpoint"
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            status, text = witness.answer(body)
            self.send_response(status)
            self.send_header("content-type", "text/x.tlog.size" if status == 409 else "text/plain")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *given: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
