"""Running one worker process: everything checked first, then Faust until it is told to stop."""

import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from faust.worker import Worker
from sqlalchemy.engine import make_url

from ledger import roles
from ledger.refusals import SecondWorker
from ledger.store import open_store
from streams.app import HoursApp, create_app
from streams.batches import read_any_header_name
from streams.collecting import collecting_rarely
from streams.principals import Role, refuse_powerless
from streams.settings import StreamSettings
from streams.topics import check_log

_SAYING_IT_AGAIN = (
    "aiokafka",
    "aiokafka.conn",
    "aiokafka.consumer.fetcher",
    "aiokafka.consumer.group_coordinator",
    "aiokafka.producer.sender",
)


def run_worker(settings: StreamSettings, log_level: str = "info") -> None:
    """Settle until SIGTERM or Ctrl-C; then finish the batch in hand and leave the group.

    LedgerRefusal, TopicRefusal: what stands in the way, before or while running.
    """
    store = open_store(settings.ledger_url, settings.ledger_name, settings.policy)
    try:
        store.check()
        roles.refuse_unprivileged(store.engine, roles.WORKER)
        check_log(settings)
        refuse_powerless(settings, Role.WORKER)
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        read_any_header_name()
        with _alone(settings.ledger_url), collecting_rarely():
            _run(create_app(settings, store), log_level)
    finally:
        store.engine.dispose()


def _run(app: HoursApp, log_level: str) -> None:
    worker = Worker(app, loglevel=log_level, redirect_stdouts=False)
    logging.captureWarnings(True)
    for name in _SAYING_IT_AGAIN:
        logging.getLogger(name).addFilter(_OnceAMinute())
    try:
        worker.execute_from_commandline()
    except SystemExit as left:
        if left.code and app.refusal is None:
            raise
    if app.refusal is not None:
        raise app.refusal


class _OnceAMinute(logging.Filter):
    """Kafka's client says the same ten times a second for as long as a broker is away."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[object, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        last = self._said.get(record.msg)
        if last is not None and record.created - last < 60:
            return False
        self._said[record.msg] = record.created
        return True


@contextmanager
def _alone(ledger_url: str) -> Iterator[None]:
    """Hold the lock that keeps a second worker from a SQLite ledger."""
    url = make_url(ledger_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        yield
        return
    with Path(f"{url.database}.worker").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SecondWorker(
                "另一个 worker 正在写这个 SQLite 账本；要并行请用 PostgreSQL。 "
                "Another worker writes this SQLite ledger; to run several, use PostgreSQL "
                "(HOURS_LEDGER_URL)."
            ) from error
        yield
