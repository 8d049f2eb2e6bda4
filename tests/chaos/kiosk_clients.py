"""A swarm of kiosks without a browser: each sends its taps again until they are answered."""

import random
import threading
import time
from typing import Any

import httpx2 as httpx

from tests.gateways import now, report, ulid

_PAUSE_SECONDS = 0.05
_MOST = 20


class Client(threading.Thread):
    """One kiosk, that taps until it is told to stop; `accepted` are the ids answered so."""

    def __init__(self, url: str, key: str, number: int, seed: int) -> None:
        super().__init__(daemon=True)
        self._url, self._key, self._number = url, key, number
        self._chance = random.Random(f"client {seed} {number}")
        self._over = threading.Event()
        self.accepted: list[str] = []
        self.refused: list[Any] = []
        self.sent_again = 0

    def run(self) -> None:
        waiting: list[dict[str, Any]] = []
        while not (self._over.is_set() and not waiting):
            if not self._over.is_set() and len(waiting) < _MOST:
                waiting.append(self._tap())
            waiting = self._send(waiting)
            time.sleep(_PAUSE_SECONDS)

    def finish(self, patience: float) -> bool:
        """Whether all it made was answered, within so many seconds."""
        self._over.set()
        self.join(patience)
        return not self.is_alive()

    def _send(self, waiting: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """What still has no answer."""
        try:
            said = httpx.post(
                f"{self._url}/api/taps",
                json={"taps": waiting, "report": report()},
                headers={"authorization": f"Bearer {self._key}"},
                timeout=5,
            )
            said.raise_for_status()
        except httpx.HTTPError:
            self.sent_again += len(waiting)
            return waiting
        answers = {one["id"]: one for one in said.json()["taps"]}
        self.accepted += [id_ for id_, one in answers.items() if one["state"] == "accepted"]
        self.refused += [one for one in answers.values() if one["state"] != "accepted"]
        return [tap for tap in waiting if tap["id"] not in answers]

    def _tap(self) -> dict[str, Any]:
        kind = self._chance.choice(("in", "out"))
        at = now()
        said = {
            "id": ulid(),
            "kind": kind,
            "volunteer": f"VCLIENT{self._number}X{self._chance.randrange(30)}",
            "how": "number",
            "time": at,
            "clock": at,
        }
        return {**said, "team": "choir"} if kind == "in" else said
