"""Running a kiosk gateway as its users do, and speaking to it as a kiosk's page does."""

import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2 as httpx

from producers.times import rfc_3339_of
from tests.running import PATIENCE_SECONDS, Hours, eventually

_ULID = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READY = re.compile(r"https?://[^ ]+?:([0-9]+) .*Ready")


@dataclass
class Gateway:
    """A gateway in a process of its own; started anew, it has the same port."""

    hours: Hours
    options: Sequence[str] = ()
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return Path(self.hours.environment["HOURS_HOME"]) / "gateway.log"

    def start(self) -> None:
        said = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "hours", "kiosk", "--port", str(self.port), *self.options],
                env=self.hours.environment,
                stdout=log,
                stderr=log,
            )
        try:
            found = eventually(
                lambda: _READY.search(self.log.read_bytes()[said:].decode(errors="replace")),
                "a ready gateway",
            )
        except BaseException:
            self.kill()
            raise
        self.port = int(found[1])

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """As a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def enrol(self, place: str, *options: str) -> "Speaker":
        """A new kiosk, and the browser that has its key."""
        made = json.loads(self.hours.ok("kiosks", "add", place, "--json", *options))
        return self.enrolled(made["code"])

    def enrol_operator(self) -> "Speaker":
        made = json.loads(self.hours.ok("kiosks", "operator", "--json"))
        return self.enrolled(made["code"])

    def enrolled(self, code: str) -> "Speaker":
        said = httpx.post(f"{self.address}/api/enrol", json={"code": code})
        assert said.status_code == 200, said.text
        return Speaker(self, said.json()["key"], said.json()["kiosk"]["code"])


@dataclass
class Speaker:
    """A browser with a key, as the gateway hears it."""

    gateway: Gateway
    key: str
    kiosk: str

    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key}"}

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(f"{self.gateway.address}{path}", headers={**self.headers(), **headers})

    def post(self, path: str, said: Any, **headers: str) -> httpx.Response:
        content = said if isinstance(said, bytes) else json.dumps(said).encode()
        return httpx.post(
            f"{self.gateway.address}{path}",
            content=content,
            headers={**self.headers(), **headers},
            timeout=PATIENCE_SECONDS,
        )

    def tap(self, *taps: dict[str, Any]) -> list[dict[str, Any]]:
        said = self.post("/api/taps", {"taps": taps, "report": report()})
        assert said.status_code == 200, said.text
        answers: list[dict[str, Any]] = said.json()["taps"]
        return answers


def tap(kind: str = "in", volunteer: str = "V7K2M9QXTA1", **said: Any) -> dict[str, Any]:
    """A tap made now; what is None is left out."""
    at = now()
    given = {
        "id": ulid(),
        "kind": kind,
        "volunteer": volunteer,
        "team": "choir" if kind == "in" else None,
        "how": "number",
        "time": at,
        "clock": at,
        **said,
    }
    return {name: value for name, value in given.items() if value is not None}


def report(**said: Any) -> dict[str, Any]:
    return {"queued": 0, "version": "test", **said}


def now(seconds: float = 0) -> str:
    return rfc_3339_of(time.time_ns() // 1_000 + int(seconds * 1_000_000))


def ulid() -> str:
    return "0" + "".join(secrets.choice(_ULID) for _ in range(25))


def resident_megabytes(process: subprocess.Popen[bytes]) -> float:
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
