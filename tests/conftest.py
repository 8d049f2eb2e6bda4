"""Real services: one broker for all tests, a PostgreSQL server for each process of them."""

import os
import secrets
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any, NamedTuple
from zlib import crc32

import hypothesis
import pytest
from kafka import KafkaAdminClient
from kafka.admin import NewTopic
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from hours.services import EmbeddedKafka, EmbeddedPostgres, fetch_kafka
from streams.principals import Role
from tests.running import Hours, product_at

# A shell that starts something in the background has it ignore SIGINT, and with it all it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

# As root, pytest closes its folder to others as it begins, and to a PostgreSQL of another run that
# goes on in it, which runs as another user: so each checkout has a folder of its own.
if os.getuid() == 0:
    _folder = Path(gettempdir()) / f"hours-tests-{crc32(__file__.encode()):08x}"
    _folder.mkdir(exist_ok=True)
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_folder))

# Properties are held on busy machines too: hypothesis judges what is said, not how fast.
hypothesis.settings.register_profile(
    "tests",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
    print_blob=True,
)
hypothesis.settings.load_profile("tests")

SLOWEST_FIRST = (
    *("path", "readme", "commands", "one_day", "board_live", "restore", "kiosk_screens"),
    *("kiosk_end_to_end", "board_in_browsers", "secured_kafka", "services", "chaos_campaign"),
    *("archive", "roles", "outages", "roster_outbox", "erasing", "kiosk_chaos", "operating"),
    *("queue_and_outbox", "three_brokers", "certificates", "importing_hours", "refusals"),
)
"""Files that take a process of tests the longest; begun last, each would hold up the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slowest files first, all others as they stand."""
    ranks = {f"test_{name}": rank for rank, name in enumerate(SLOWEST_FIRST)}
    items.sort(key=lambda item: ranks.get(item.path.stem, len(ranks)))


class Broker(NamedTuple):
    """A Kafka that runs, for all tests: its process, its folder, its bootstrap server."""

    pid: int
    data: Path
    address: str


class _OneForAll:
    """In the process that hands tests out to others: a broker for all of them."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._broker: Broker | None = None

    def pytest_configure_node(self, node: Any) -> None:
        """Tell a process of tests where it is."""
        self._broker = self._broker or self._open.enter_context(_running_broker())
        node.workerinput["broker"] = (
            self._broker.pid,
            str(self._broker.data),
            self._broker.address,
        )

    def pytest_unconfigure(self) -> None:
        """All are done."""
        self._open.close()


def pytest_configure(config: pytest.Config) -> None:
    if getattr(config.option, "numprocesses", None):
        config.pluginmanager.register(_OneForAll())


@contextmanager
def _running_broker() -> Iterator[Broker]:
    with TemporaryDirectory(prefix="hours-tests-") as folder:
        kafka = EmbeddedKafka(Path(folder), fetch_kafka(print))
        kafka.start()
        try:
            yield Broker(kafka.pid, kafka.data, kafka.address)
        finally:
            kafka.stop()


@pytest.fixture(scope="session")
def jars() -> Path:
    return fetch_kafka(print)


@pytest.fixture(scope="session")
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    """The controller's where tests run in several processes, else this one's own."""
    given = getattr(request.config, "workerinput", {}).get("broker")
    if given is not None:
        pid, data, address = given
        yield Broker(pid, Path(data), address)
        return
    with _running_broker() as broker:
        yield broker


@pytest.fixture(scope="session")
def kafka(broker: Broker) -> str:
    """Bootstrap servers."""
    return broker.address


@pytest.fixture(scope="session")
def secured_broker(jars: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    """A broker that asks who somebody is: `access("gateway")`, one user for each role.

    Rights are granted by `hours init --grant`, as `owner`; "stranger" is for users without any.
    """
    users = {name: secrets.token_urlsafe(12) for name in (*Role, "stranger")}
    kafka = EmbeddedKafka(tmp_path_factory.mktemp("secured-kafka"), jars, users)
    kafka.start()
    yield kafka
    kafka.stop()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedPostgres]:
    # Not among pytest's own folders, which another run in this checkout may close to it.
    with TemporaryDirectory(prefix="hours-tests-") as folder:
        server = EmbeddedPostgres(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture
def fresh_name() -> str:
    return f"t{secrets.token_hex(6)}"


@pytest.fixture
def kafka_topic(kafka: str) -> Callable[..., str]:
    """Creates a topic as the log of record must be, and gives its name."""

    def create(partitions: int = 4, **settings: str) -> str:
        name = f"t{secrets.token_hex(6)}"
        kept = {"message.timestamp.type": "LogAppendTime", "retention.ms": "-1", **settings}
        topic = NewTopic(name, partitions, 1, topic_configs=kept)
        with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
            admin.create_topics([topic])
        return name

    return create


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture
def postgres_url(postgres_server: EmbeddedPostgres, fresh_name: str) -> str:
    """A fresh, empty database."""
    engine = create_engine(postgres_server.address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {fresh_name}"))
    engine.dispose()
    url = make_url(postgres_server.address).set(database=fresh_name)
    return url.render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest) -> str:
    fixture = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    return str(request.getfixturevalue(fixture))


@pytest.fixture
def hours(kafka: str, ledger_url: str, fresh_name: str, tmp_path: Path) -> Iterator[Hours]:
    """The product on a log and a ledger of its own, not yet initialised."""
    product = product_at(tmp_path, kafka, ledger_url, fresh_name)
    yield product
    product.end()
