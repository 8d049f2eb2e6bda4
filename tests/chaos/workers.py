"""The crew: worker processes as a supervisor would keep them, which is one that notes everything.

Invariant: a worker that ended without our doing is started again, and told of.
"""

import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.clocks import set_shift

_READY = "[^Worker]: Ready"  # said in its log by a worker that is in the group
_LEAVING_SECONDS = 60
_WRONG_USE_OR_NO_SERVICE = 2


@dataclass
class Worker:
    """One process; `number` is its place in the crew."""

    number: int
    process: subprocess.Popen[bytes]
    log: Path
    clock: Path
    end_is_known: bool = False

    @property
    def has_begun(self) -> bool:
        return _READY in self.log.read_text(errors="replace")

    def signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            self.process.send_signal(number)

    def last_words(self) -> str:
        said = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        return said[-1] if said else ""


class Crew:
    """The workers of one world."""

    def __init__(self, environment: dict[str, str], logs: Path, size: int) -> None:
        self.environment = environment
        self.ended_by_themselves: list[str] = []
        self.left_badly: list[str] = []
        self.turned_away = 0
        self.started = 0
        self._logs = logs
        self._size = size
        self._workers: dict[int, Worker] = {}

    @property
    def workers(self) -> list[Worker]:
        return [self._workers[number] for number in sorted(self._workers)]

    def start_all(self) -> None:
        for number in range(self._size):
            self.start(number)

    def start(self, number: int) -> Worker:
        """Start the worker of this number; one beyond the crew's size joins it for a while."""
        self.started += 1
        log = self._logs / f"worker-{self.started:04}-{number}.log"
        clock = self._logs / f"clock-{number}"
        if not clock.exists():
            set_shift(clock, 0)
        command = [sys.executable, "-m", "tests.chaos.clocks", str(clock), "worker"]
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                env=self.environment,
                cwd=Path(__file__).parents[2],
                stdout=output,
                stderr=output,
            )
        self._workers[number] = Worker(number, process, log, clock)
        return self._workers[number]

    def choose(self, aim: float) -> Worker:
        """One of those there are."""
        return self.workers[int(aim * len(self._workers))]

    def kill(self, worker: Worker) -> None:
        if self._had_ended(worker):
            return
        worker.end_is_known = True
        worker.process.kill()
        worker.process.wait()

    def let_leave(self, *leaving: Worker) -> None:
        """SIGTERM: they finish what they have in hand and go, with exit code 0."""
        asked = [worker for worker in leaving if not self._had_ended(worker)]
        for worker in asked:
            worker.end_is_known = True
            worker.signal(signal.SIGTERM)
        for worker in asked:
            self._see_off(worker)

    def remove(self, worker: Worker) -> None:
        """It isn't to be started again."""
        del self._workers[worker.number]

    def tend(self) -> None:
        """Start again whoever has ended."""
        for worker in self.workers:
            if self._had_ended(worker):
                self.start(worker.number)

    def replace_all(self) -> None:
        """Kill everybody and start others."""
        for worker in self.workers:
            self.kill(worker)
        self.tend()

    def leave_all(self) -> None:
        """Everybody leaves in order."""
        self.let_leave(*self.workers)
        self._workers.clear()

    def end(self) -> None:
        """Kill what runs."""
        for worker in self.workers:
            worker.process.kill()
            worker.process.wait()

    def _see_off(self, worker: Worker) -> None:
        try:
            code = worker.process.wait(_LEAVING_SECONDS)
        except subprocess.TimeoutExpired:
            worker.process.kill()
            worker.process.wait()
            self.left_badly.append(f"{worker.log.name}: not gone after {_LEAVING_SECONDS} s")
            return
        if code != 0 and worker.has_begun:
            self.left_badly.append(f"{worker.log.name}: exit {code}: {worker.last_words()}")

    def _had_ended(self, worker: Worker) -> bool:
        """Whether it is over; noted, if that was not our doing and it had begun."""
        code = worker.process.poll()
        if code is None or worker.end_is_known:
            return code is not None
        worker.end_is_known = True
        if code == _WRONG_USE_OR_NO_SERVICE and not worker.has_begun:
            self.turned_away += 1  # it came while a service was away
        else:
            self.ended_by_themselves.append(
                f"{worker.log.name}: exit {code}: {worker.last_words()}"
            )
        return True
