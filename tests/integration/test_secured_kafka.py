"""A Kafka that asks who somebody is: everything works with a role's rights, and no more than that.

One broker for the module, with a user for each role; what a user may do is tried with real clients.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import AuthorizationError, KafkaError

from dashboards.board.correcting import event_of, publish
from dashboards.board.directory import DirectoryCache
from dashboards.board.live.watching import LedgerWatch, LogWatch
from hours.services import EmbeddedKafka
from hours.services.secured import OWNER
from ledger import queries
from ledger.corrections import store as corrections
from ledger.corrections.values import Proposal
from ledger.policy import Policy
from ledger.store import open_store
from producers.kafka_access import KafkaAccess, refused_by_kafka
from producers.kiosk.publisher import opened
from streams.principals import Role, grant, rights_of, set_passwords
from streams.settings import StreamSettings
from streams.topics import TopicRefusal
from tests.running import Hours, environment, eventually, lines
from tests.taps import Load

PREFIX = "secured"
STRANGER = "stranger"
POLICY = Policy()


@pytest.fixture(scope="module")
def load() -> Load:
    return Load(seed=10)


@pytest.fixture(scope="module")
def world(
    secured_broker: EmbeddedKafka, tmp_path_factory: pytest.TempPathFactory, load: Load
) -> Iterator[dict[str, Hours]]:
    """The product as each user, on one ledger: what the owner has made, with all roles granted."""
    home = tmp_path_factory.mktemp("secured")
    named: dict[str, KafkaAccess] = {OWNER: secured_broker.owner}
    named |= {user: secured_broker.access(user) for user in (*Role, STRANGER)}
    ways = {user: Hours(settings_of(home, access)) for user, access in named.items()}
    ways[OWNER].ok("init", *(word for role in Role for word in ("--grant", f"{role}:{role}")))
    ways["keeper"].ok("publish", input=lines(sessions(load)))
    yield ways
    for way in ways.values():
        way.end()


def sessions(load: Load) -> list[dict[str, Any]]:
    return [event for _ in range(25) for event in load.session()]


def settings_of(home: Path, access: KafkaAccess) -> dict[str, str]:
    assert access.user is not None
    assert access.password is not None
    (home / access.user).mkdir()
    password = home / access.user / "password"
    password.write_text(f"{access.password}\n")
    return environment(
        home / access.user,
        kafka=access.bootstrap,
        kafka_user=access.user,
        kafka_password_file=str(password),
        kafka_mechanism=access.mechanism,
        ledger_url=f"sqlite:///{home / 'ledger.db'}",
        topic_prefix=PREFIX,
        session_seconds="1.5",
    )


@pytest.fixture
def streams(secured_broker: EmbeddedKafka, tmp_path: Path) -> StreamSettings:
    """As the owner."""
    return StreamSettings(secured_broker.owner, "sqlite://", "name", tmp_path, topic_prefix=PREFIX)


# With its rights, each does its part


def test_events_are_published_settled_audited_and_archived_each_as_its_own_user(
    world: dict[str, Hours], load: Load, tmp_path: Path
) -> None:
    world["gateway"].ok("publish", input=lines(sessions(load)))
    world[OWNER].ok(
        "roster", "add", "unit", "code=centre", "kind=中心", "name_zh=中心", "--why", "建"
    )
    worker = world["worker"].start_worker()
    world["worker"].wait_until_settled(
        sum(row["log_end"] for row in world["reader"].rows("status"))
    )
    reader = world["reader"]
    assert reader.totals() == dict(load.totals)
    assert "unit/centre" in eventually(lambda: keys_of(reader), "the roster on its topic")
    reader.ok("status")
    assert "Equal" in reader.ok("audit")
    reader.ok("dump", str(tmp_path / "archive"))
    assert "Equal" in reader.ok("audit", "--log", str(tmp_path / "archive"))
    assert world["worker"].stop_worker(worker) == 0
    said = world["worker"].logs()
    assert "Authorization" not in said, said
    assert "can't be published" not in said, said


def keys_of(reader: Hours) -> list[str]:
    access = access_of(reader)
    with closing(
        KafkaConsumer(**access.options(), group_id=None, auto_offset_reset="earliest")
    ) as consumer:
        consumer.assign([TopicPartition(f"{PREFIX}.roster", 0)])
        found = consumer.poll(timeout_ms=2_000)
    return [record.key.decode() for records in found.values() for record in records]


def access_of(way: Hours) -> KafkaAccess:
    kept = way.environment
    password = Path(kept["HOURS_KAFKA_PASSWORD_FILE"]).read_text().strip()
    return KafkaAccess(kept["HOURS_KAFKA"], kept["HOURS_KAFKA_USER"], password)


# What a gateway may not


Deed = Callable[[KafkaAccess], Any]


def read_from(topic: str) -> Deed:
    def read(access: KafkaAccess) -> None:
        with closing(KafkaConsumer(**access.options(), group_id=None)) as consumer:
            partition = TopicPartition(topic, 0)
            consumer.assign([partition])
            consumer.seek(partition, 0)
            for _ in range(10):
                if consumer.poll(timeout_ms=500):
                    return

    return read


def write_to(topic: str) -> Deed:
    def write(access: KafkaAccess) -> None:
        producer = KafkaProducer(
            **access.options(), acks="all", enable_idempotence=True, max_block_ms=5_000
        )
        with closing(producer):
            producer.send(topic, b"{}", key=b"k").get(timeout=10)

    return write


def administer(deed: Callable[[KafkaAdminClient], Any]) -> Deed:
    def administered(access: KafkaAccess) -> None:
        with closing(KafkaAdminClient(**access.options())) as admin:
            deed(admin)

    return administered


def raised(told: dict[str, dict[str, str]]) -> None:
    """kafka-python gives what was refused as text."""
    if "AuthorizationFailed" in told["topic"][TAPS]:
        raise AuthorizationError


def open_a_transaction(access: KafkaAccess) -> None:
    producer = KafkaProducer(**access.options(), transactional_id=f"{PREFIX}.roster")
    with closing(producer):
        producer.init_transactions()


def join_the_workers(access: KafkaAccess) -> None:
    consumer = KafkaConsumer(f"{PREFIX}.roster", **access.options(), group_id=f"{PREFIX}.worker")
    with closing(consumer):
        for _ in range(10):
            consumer.poll(timeout_ms=500)


TAPS = f"{PREFIX}.taps"
_CONFIG = ConfigResource(ConfigResourceType.TOPIC, TAPS, {"retention.ms": "1000"})
FORBIDDEN: dict[str, Deed] = {
    "read taps": read_from(TAPS),
    "write the roster": write_to(f"{PREFIX}.roster"),
    "write totals": write_to(f"{PREFIX}.team-totals"),
    "create topics": administer(lambda admin: admin.create_topics({"x": {"num_partitions": 1}})),
    "delete topics": administer(lambda admin: admin.delete_topics([TAPS])),
    "alter settings": administer(
        lambda admin: raised(admin.alter_configs([_CONFIG], raise_on_unknown=False))
    ),
    "add partitions": administer(lambda admin: admin.create_partitions({TAPS: 9})),
    "describe groups": administer(lambda admin: admin.describe_groups([f"{PREFIX}.worker"])),
    "delete records": administer(lambda admin: admin.delete_records({TopicPartition(TAPS, 0): 1})),
    "join the workers": join_the_workers,
    "open the roster's transaction": open_a_transaction,
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_a_gateway_may_not(what: str, world: dict[str, Hours]) -> None:
    with pytest.raises(AuthorizationError):
        FORBIDDEN[what](access_of(world["gateway"]))


def test_a_gateway_may_read_the_roster_and_write_taps_and_sees_nothing_else(
    world: dict[str, Hours],
) -> None:
    access = access_of(world["gateway"])
    read_from(f"{PREFIX}.roster")(access)
    write_to(TAPS)(access)
    with closing(KafkaConsumer(**access.options())) as consumer:
        assert consumer.topics() == {TAPS, f"{PREFIX}.roster"}


@pytest.mark.parametrize("role", [Role.READER, Role.WORKER])
def test_nobody_but_gateways_and_keepers_writes_taps(role: Role, world: dict[str, Hours]) -> None:
    access = access_of(world[role])
    with pytest.raises(KafkaError) as refused:
        write_to(TAPS)(access)
    assert f"user {role} lacks a right" in str(refused_by_kafka(access, refused.value))


# Granting


def test_granting_again_changes_nothing_and_another_role_takes_back_what_the_first_gave(
    world: dict[str, Hours], streams: StreamSettings, secured_broker: EmbeddedKafka
) -> None:
    someone = KafkaAccess(secured_broker.address, "someone", "a-password")
    set_passwords(streams.kafka, {"someone": "a-password"})

    def may(deed: Deed) -> bool:
        try:
            deed(someone)
        except KafkaError:
            return False
        return True

    for _ in range(2):
        grant(streams, {"someone": Role.GATEWAY})
        assert eventually(lambda: may(write_to(TAPS)), "the right to write")
    grant(streams, {"someone": Role.READER})
    assert eventually(lambda: not may(write_to(TAPS)), "the right taken back")
    assert may(read_from(TAPS))


def test_a_new_password_is_the_only_one_that_serves(
    world: dict[str, Hours], tmp_path: Path, secured_broker: EmbeddedKafka
) -> None:
    file = tmp_path / "password"
    for password in ("first-one", "second-one"):
        file.write_text(f"{password}\n")
        world[OWNER].ok("init", "--user", f"newcomer:{file}", "--grant", "reader:newcomer")
    newcomer = KafkaAccess(secured_broker.address, "newcomer", "second-one")
    eventually(lambda: sees(newcomer) == 3, "three topics seen")
    with pytest.raises(KafkaError) as refused:
        KafkaConsumer(
            **KafkaAccess(secured_broker.address, "newcomer", "first-one").options(),
            bootstrap_timeout_ms=10_000,
        )
    assert "newcomer" in str(refused_by_kafka(newcomer, refused.value))


def sees(access: KafkaAccess) -> int:
    with closing(KafkaConsumer(**access.options())) as consumer:
        return len(consumer.topics())


def test_only_who_may_administer_grants_and_makes_users(
    world: dict[str, Hours], streams: StreamSettings, secured_broker: EmbeddedKafka
) -> None:
    password = world["worker"].environment["HOURS_KAFKA_PASSWORD_FILE"]
    done = world["reader"].run("init", "--user", f"friend:{password}", "--grant", "gateway:friend")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    asked = StreamSettings(
        secured_broker.access("worker"), "sqlite://", "n", streams.data_dir, topic_prefix=PREFIX
    )
    with pytest.raises(TopicRefusal, match="user worker lacks a right to a cluster") as refused:
        grant(asked, {"friend": Role.GATEWAY})
    assert "processor=" not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--grant", "king:wang"), "there is no role king"),
        (("--grant", "gateway"), "it is ROLE:NAME"),
        (("--grant", "gateway:a,b"), "it is ROLE:NAME"),
        (("--grant", "gateway:a", "--grant", "reader:a"), "a can have one role only"),
        (("--user", "a"), "it is NAME:FILE"),
        (("--user", "a:/nowhere/at/all"), "can't be read"),
    ],
)
def test_a_user_given_wrongly_is_refused_before_anything_is_done(
    given: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    done = Hours(environment(tmp_path, kafka="127.0.0.1:1")).run("init", *given)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_kafka_that_asks_nobody_can_grant_nothing(hours: Hours) -> None:
    done = hours.run("init", "--grant", "gateway:wang")
    assert done.returncode == 2
    assert "authorizer.class.name" in done.stderr


def test_the_table_names_no_right_over_the_cluster_and_no_pattern(streams: StreamSettings) -> None:
    for role in Role:
        for (_, name), operations in rights_of(role, streams).items():
            assert name.startswith(f"{PREFIX}.")
            assert {operation.name for operation in operations} <= {
                *("READ", "WRITE", "DESCRIBE_CONFIGS")
            }


def test_a_log_from_before_there_were_users_goes_on(jars: Path, tmp_path: Path) -> None:
    before = EmbeddedKafka(tmp_path, jars)
    before.start()
    try:
        with closing(KafkaAdminClient(bootstrap_servers=before.address)) as admin:
            admin.create_topics({"kept": {"num_partitions": 1}}, wait_for_metadata=True)
        write_to("kept")(KafkaAccess(before.address))
    finally:
        before.stop()
    after = EmbeddedKafka(tmp_path, jars, {"someone": "a-password"})
    after.start()
    try:
        partition = TopicPartition("kept", 0)
        with closing(KafkaConsumer(**after.owner.options())) as consumer:
            assert consumer.end_offsets([partition])[partition] == 1
        with pytest.raises(AuthorizationError):
            write_to("kept")(after.access("someone"))
    finally:
        after.stop()


# Refusals, in words


@pytest.mark.parametrize("command", ["worker", "publish"])
def test_whoever_is_not_let_in_hears_which_settings_to_look_at(
    command: str, world: dict[str, Hours], tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("not this one")
    worker = world["worker"].environment
    done = Hours({**worker, "HOURS_KAFKA_PASSWORD_FILE": str(wrong)}).run(command)
    assert done.returncode == 2
    (line,) = done.stderr.strip().splitlines()
    assert "doesn't let the user worker in: check HOURS_KAFKA_USER" in line
    assert "not this one" not in line


@pytest.mark.parametrize(
    ("user", "command", "said"),
    [
        (STRANGER, "worker", f"or its user {STRANGER} has no right to see it"),
        (STRANGER, "publish", f"or its user {STRANGER} has no right to see it"),
        (STRANGER, "audit", "user stranger lacks a right to a topic"),
        ("gateway", "worker", f"user gateway lacks the right DESCRIBE_CONFIGS to topic {TAPS}"),
        ("gateway", "audit --workers 2", "user gateway lacks a right to a topic"),
        ("reader", "worker", f"user reader lacks the right WRITE to topic {PREFIX}."),
        ("reader", "publish", f"user reader lacks the right WRITE to topic {TAPS}"),
        ("reader", "init", "user reader lacks the right DESCRIBE_CONFIGS"),
    ],
)
def test_whoever_lacks_a_right_hears_which_and_for_whom(
    user: str, command: str, said: str, world: dict[str, Hours]
) -> None:
    done = world[user].run(*command.split())
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.strip().splitlines()
    assert said in line
    assert "hours init --grant" in line


def test_a_worker_whose_right_is_taken_away_ends_with_a_line_that_names_it(
    world: dict[str, Hours], streams: StreamSettings
) -> None:
    before = world["worker"].epochs()
    worker = world["worker"].start_worker()
    world["worker"].wait_for_new_claims(before)
    grant(streams, {"worker": Role.READER})
    try:
        assert worker.wait(60) == 2
        said = world["worker"].logs().splitlines()[-1]
        assert f"user worker lacks a right to a group ({PREFIX}.worker)" in said
    finally:
        grant(streams, {"worker": Role.WORKER})


def test_a_board_sees_where_the_log_ends_and_writes_corrections_and_no_more(
    world: dict[str, Hours], streams: StreamSettings, secured_broker: EmbeddedKafka
) -> None:
    access = secured_broker.access("board")
    store = open_store(world[OWNER].environment["HOURS_LEDGER_URL"], streams.ledger_name, POLICY)
    ledger = LedgerWatch(store.engine, POLICY, DirectoryCache(), time.time_ns)
    log = LogWatch(access, streams.taps_topic, POLICY.shard_count, ledger, time.time_ns)
    asked = Proposal(
        kind="adjustment", volunteer="V0001", team="choir", day="2026-11-01", seconds=60, reason="x"
    )
    (number,) = corrections.propose(store.engine, [asked], "leader", 1)
    (approved,) = corrections.decide(
        store.engine, [number], "officer", time.time_ns() // 1_000, True, "", event_of
    )
    log.start()
    try:
        eventually(lambda: log.asked_at, "where the log ends")
        with opened(access) as producer:
            publish(producer, access, streams.taps_topic, store.engine, approved, 2)
    finally:
        log.stop()
        store.engine.dispose()
    with queries.reading(store.engine) as connection:
        found = corrections.correction(connection, number)
    assert found is not None
    assert found.state == "sent"
    with opened(access) as producer, pytest.raises(KafkaError):
        producer.send(streams.team_totals_topic, b"x", b"y").get(20)


# Secrets


def test_no_password_stands_in_a_command_line_or_in_a_file_that_others_may_read(
    secured_broker: EmbeddedKafka, world: dict[str, Hours]
) -> None:
    hidden = [access_of(way).password for way in world.values()]
    listed = subprocess.run(
        ["ps", "-eww", "-o", "args"], capture_output=True, text=True, check=True
    )
    assert "kafka.Kafka" in listed.stdout
    assert [password for password in hidden if password and password in listed.stdout] == []
    for file in filter(Path.is_file, secured_broker.data.rglob("*")):
        if file.stat().st_mode & 0o077:
            held = file.read_bytes()
            assert [it for it in hidden if it and it.encode() in held] == [], file


def test_services_print_the_settings_of_each_user_with_passwords_in_files_of_their_own(
    tmp_path: Path,
) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "hours", "services", "--secured"],
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as services:
        try:
            assert services.stdout is not None
            told = dict(services.stdout.readline().rstrip().split(": ") for _ in (OWNER, *Role))
            assert told.keys() == {OWNER, *Role}
            given = {user: dict(one.split("=") for one in it.split()) for user, it in told.items()}
            for one in given.values():
                assert Path(one["HOURS_KAFKA_PASSWORD_FILE"]).stat().st_mode & 0o777 == 0o600
            ways = {user: Hours({**environment(tmp_path), **one}) for user, one in given.items()}
            ways[OWNER].ok("init", "--grant", "gateway:gateway")
            ways["gateway"].ok("publish", input=lines(Load(seed=12).session()))
            services.send_signal(signal.SIGTERM)
            assert services.wait(30) == 0
        finally:
            services.kill()
