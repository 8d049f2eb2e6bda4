"""Asks an NTP server, by ntplib, how far the gateway's clock is off; now and then, for ever."""

import threading

import ntplib

from producers.kiosk.gateway_clock import GatewayClock

_EACH_SECONDS = 600.0
_AFTER_FAILURE_SECONDS = 15.0
_PATIENCE_SECONDS = 5


class TimeServer(threading.Thread):
    """Tells a clock what a time server says, until it is stopped."""

    def __init__(self, clock: GatewayClock, server: str) -> None:
        super().__init__(name="ntp", daemon=True)
        self._clock, self._server = clock, server
        self._over = threading.Event()

    def run(self) -> None:
        pause = 0.0
        while not self._over.wait(pause):
            pause = _EACH_SECONDS if self._ask() else _AFTER_FAILURE_SECONDS

    def stop(self) -> None:
        """Ask no more."""
        self._over.set()

    def _ask(self) -> bool:
        sent = self._clock.uptime()
        try:
            said = ntplib.NTPClient().request(self._server, version=4, timeout=_PATIENCE_SECONDS)
        except (ntplib.NTPException, OSError):
            return False
        self._clock.heard("ntp", int(said.tx_time * 1_000_000), sent, self._clock.uptime())
        return True
