"""An auditor with an archive, an export and a public key: what is altered is caught, by name.

The ledger is real: taps through Kafka, a worker, a signer. What is altered is altered by hand, in
files and by SQL. The auditor's commands know neither Kafka nor the ledger.
"""

import gzip
import hashlib
import json
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from kafka import KafkaProducer

from ledger.evidence.checkpoints import Checkpoint
from ledger.evidence.notes import Key, signed
from ledger.evidence.tiles import WIDTH, Edge, Tile, bundle, unbundle
from ledger.merkle import leaf_hash
from tests.forked import run_hours
from tests.running import Hours, environment, lines
from tests.taps import Load, tap

LEDGER = "tongzhou.hours.example"


@dataclass
class Given:
    """What an auditor was given."""

    folder: Path
    key: Ed25519PrivateKey

    @property
    def vkey(self) -> str:
        return Key(LEDGER, self.key.public_key().public_bytes_raw()).vkey

    @property
    def archive(self) -> Path:
        return self.folder / "archive"

    @property
    def tiles(self) -> Path:
        return self.folder / "tiles"

    def audit(self, *options: object, **settings: str) -> subprocess.CompletedProcess[str]:
        nowhere = f"sqlite:///{self.folder / 'nowhere' / 'none.db'}"
        return run_hours(
            ["audit", "--key", self.vkey, *map(str, options)],
            environment(self.folder, ledger_url=nowhere, **settings),
        )

    def bodies(self, tree: str) -> list[bytes]:
        """All entries of a tree in the export."""
        files = sorted((self.tiles / tree / "tile" / "entries").rglob("[0-9]*"), key=str)
        return [body for file in files if file.is_file() for body in unbundle(file.read_bytes())]

    def write(self, tree: str, bodies: list[bytes], origin: str) -> None:
        """A tree made up anew, every tile of it right, and signed: what a signer could do."""
        shutil.rmtree(self.tiles / tree / "tile")
        edge = Edge()
        tiles = edge.extend(map(leaf_hash, bodies)) + edge.partial()
        for at in range(0, len(bodies), WIDTH):
            part = bodies[at : at + WIDTH]
            tiles.append((Tile(None, at // WIDTH, len(part)), bundle(part)))
        for tile, content in tiles:
            path = self.tiles / tree / tile.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        key = Key(origin, self.key.public_key().public_bytes_raw())
        note = signed(Checkpoint(origin, edge.size, edge.root()).text, [(key, self.key.sign)])
        (self.tiles / tree / "checkpoint").write_text(note)


@pytest.fixture(scope="module")
def honest(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Given]:
    home = tmp_path_factory.mktemp("audited")
    settings = environment(
        home, kafka=kafka, ledger_url=f"sqlite:///{home / 'ledger.db'}",
        topic_prefix=f"t{home.name}", session_seconds="1.5",
        signing_key_file=str(home / "key.pem"),
    )  # fmt: skip
    hours, load = Hours(settings), Load(3)
    try:
        hours.ok("sign", "--new-key", str(home / "key.pem"))
        hours.ok("init")
        hours.start_worker()
        sent = publish_otherwise(hours)
        for _ in range(2):
            events = [event for _ in range(700) for event in load.session()]
            ahead = datetime.now(UTC) + timedelta(days=9)
            events.append(tap("in", "V0001", ahead, f"early-{sent}", team="team-1", place="here"))
            hours.ok("publish", input=lines(events))
            sent += len(events)
            hours.wait_until_settled(sent)
            hours.ok("sign", "--once")
        hours.ok("dump", str(home / "archive"))
        hours.ok("export", str(home / "tiles"))
        key = load_pem_private_key((home / "key.pem").read_bytes(), None)
        assert isinstance(key, Ed25519PrivateKey)
        with closing(sqlite3.connect(home / "ledger.db")) as ledger:
            ledger.execute("VACUUM INTO ?", (str(home / "copy.db"),))
        yield Given(home, key)
    finally:
        hours.end()


def publish_otherwise(hours: Hours) -> int:
    """A session each as other clients may write them: in binary mode, and with escapes."""
    opened, records = datetime.now(UTC) - timedelta(days=5), []
    for who in ("VBINARY", "VESCAPED"):
        came = tap("in", who, opened, f"in-{who}", team="team-1", place="here")
        for event in (came, tap("out", who, opened + timedelta(hours=1), f"out-{who}")):
            data = event.pop("data")
            headers = [(f"ce_{name}", value.encode()) for name, value in event.items()]
            binary = (json.dumps(data).encode(), [*headers, ("content-type", b"application/json")])
            escaped = (json.dumps({**event, "data": data}).replace('"V', '"\\u0056').encode(), [])
            records.append((who, *(binary if who == "VBINARY" else escaped)))
    with closing(KafkaProducer(bootstrap_servers=hours.environment["HOURS_KAFKA"])) as producer:
        for who, value, headers in records:
            producer.send(hours.taps_topic, value, who.encode(), headers).get(30)
    return len(records)


@pytest.fixture
def given(honest: Given, tmp_path: Path) -> Given:
    """A copy of it, to be altered."""
    for name in ("archive", "tiles"):
        shutil.copytree(honest.folder / name, tmp_path / name)
    return Given(tmp_path, honest.key)


def test_an_archive_or_tiles_and_a_public_key_are_enough(given: Given) -> None:
    for options in (
        ("--log", given.archive),
        ("--tiles", given.tiles),
        ("--log", given.archive, "--tiles", given.tiles, "--against", given.tiles),
    ):
        report = given.folder / "report.html"
        done = given.audit(*options, "--report", report)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "2 moments" in done.stdout
        assert "一致" in report.read_text()
    printed = given.folder / "report.pdf"
    assert given.audit("--tiles", given.tiles, "--report", printed).returncode == 0
    assert "一致" in pypdfium2.PdfDocument(printed)[0].get_textpage().get_text_bounded()
    assert not (given.folder / "nowhere").exists()


def test_shards_are_audited_side_by_side_with_the_same_result(given: Given) -> None:
    options = ("--log", given.archive, "--tiles", given.tiles, "--json")
    alone = json.loads(given.audit(*options).stdout)
    together = json.loads(given.audit(*options, "--workers", "2").stdout)
    assert alone == together
    assert alone["findings"] == []
    assert sum(one["size"] for one in alone["shards"]) == 1_406


def test_a_stopped_audit_goes_on_with_the_next_shard(given: Given) -> None:
    state = given.folder / "state.json"
    options = ("--log", given.archive, "--tiles", given.tiles, "--state", state, "--json")
    whole = given.audit(*options).stdout
    kept = json.loads(state.read_text())
    assert kept["shards"].keys() == {"0", "1", "2", "3"}
    for shard in ("1", "3"):
        del kept["shards"][shard]
    state.write_text(json.dumps(kept))
    assert given.audit(*options).stdout == whole
    kept["shards"]["0"]["seconds"] += 1  # it is taken at its word, for this evidence alone
    state.write_text(json.dumps(kept))
    assert given.audit(*options).stdout != whole
    kept["of"] = "0" * 64
    state.write_text(json.dumps(kept))
    assert given.audit(*options).stdout == whole


def test_a_sample_of_everybody_is_as_the_log_gives_it_however_its_records_are_written(
    given: Given,
) -> None:
    options = ("--log", given.archive, "--tiles", given.tiles, "--sample", 1_000, "--json")
    said = json.loads(given.audit(*options).stdout)
    assert said["findings"] == []
    assert (said["drawn"], said["entries"]) == (said["volunteers"], 1_402)


def test_a_sample_is_settled_again_and_the_confidence_is_said(given: Given) -> None:
    options = ("--log", given.archive, "--tiles", given.tiles, "--sample", 60, "--json")
    (said,) = [json.loads(line) for line in given.audit(*options).stdout.splitlines()]
    assert (said["drawn"], said["findings"]) == (60, [])
    assert 0.048 < said["most_differing"] < 0.050  # 1 − 0.05^(1/60)
    again = given.audit(*options)
    assert json.loads(again.stdout) == said  # whoever has the seed draws the same
    bodies = given.bodies("shard-1")
    spoiled = [body.replace(b'"seconds":', b'"seconds":1', 1) for body in bodies]
    given.write("shard-1", spoiled, f"{LEDGER}/shard-1")
    done = given.audit("--log", given.archive, "--tiles", given.tiles, "--sample", 60)
    assert done.returncode == 1
    assert "entry 0 of V" in done.stdout


def changed_byte(given: Given) -> None:
    file = next((given.tiles / "shard-1" / "tile" / "entries").glob("000*"))
    file.write_bytes(file.read_bytes().replace(b'"team-1"', b'"team-2"', 1))


def dropped(given: Given) -> None:
    given.write("shard-1", given.bodies("shard-1")[:-5], f"{LEDGER}/shard-1")


def dropped_within(given: Given) -> None:
    bodies = given.bodies("shard-1")
    given.write("shard-1", bodies[:40] + bodies[41:], f"{LEDGER}/shard-1")


def inserted(given: Given) -> None:
    bodies = given.bodies("shard-1")
    given.write("shard-1", [*bodies[:40], bodies[39], *bodies[40:]], f"{LEDGER}/shard-1")


def reordered(given: Given) -> None:
    bodies = given.bodies("shard-1")
    bodies[40], bodies[41] = bodies[41], bodies[40]
    given.write("shard-1", bodies, f"{LEDGER}/shard-1")


def another_policy(given: Given) -> None:
    bodies = given.bodies("shard-1")
    bodies[0] = bodies[0].replace(b'"cap_seconds":57600', b'"cap_seconds":86400')
    assert b"86400" in bodies[0]
    given.write("shard-1", bodies, f"{LEDGER}/shard-1")


def stray_checkpoint(given: Given) -> None:
    stranger = Ed25519PrivateKey.generate()
    note = (given.tiles / "shard-1" / "checkpoint").read_text()
    origin, size, root = note.split("\n")[:3]
    key = Key(origin, stranger.public_key().public_bytes_raw())
    (given.tiles / "shard-1" / "checkpoint").write_text(
        signed(f"{origin}\n{size}\n{root}\n", [(key, stranger.sign)])
    )


def clock_set_back(given: Given) -> None:
    bodies = given.bodies("district")
    last = json.loads(bodies[-1])
    last["at"] = "2020-01-01T00:00:00.000000Z"
    bodies[-1] = json.dumps(last, separators=(",", ":"), sort_keys=True).encode()
    given.write("district", bodies, LEDGER)


def index_that_hides(given: Given) -> None:
    bodies = given.bodies("district")
    last = json.loads(bodies[-1])
    last["shards"][2]["volunteers_root"] = "0" * 64
    bodies[-1] = json.dumps(last, separators=(",", ":"), sort_keys=True).encode()
    given.write("district", bodies, LEDGER)


def changed_tile(given: Given) -> None:
    file = next((given.tiles / "shard-1" / "tile" / "0").glob("000*"))
    file.write_bytes(b"\0" + file.read_bytes()[1:])


@pytest.mark.parametrize(
    ("alter", "said"),
    [
        (changed_byte, "tile/0/000"),
        (changed_tile, "tile/0/000"),
        (dropped, "signed at"),
        (dropped_within, "seq 40"),
        (inserted, "seq 40"),
        (reordered, "seq 40"),
        (another_policy, "size"),
        (stray_checkpoint, "checkpoint of shard-1"),
        (clock_set_back, "a clock was set back"),
        (index_that_hides, "the volunteers' index"),
    ],
)
def test_what_is_altered_in_an_export_is_caught_even_if_it_is_signed_anew(
    given: Given, alter: Callable[[Given], None], said: str
) -> None:
    alter(given)
    done = given.audit("--tiles", given.tiles)
    assert done.returncode == 1, done.stdout + done.stderr
    assert said in done.stdout
    beside = given.audit("--tiles", given.tiles, "--log", given.archive)
    assert beside.returncode == 1


def rewrite(given: Given, kind: str, alter: Callable[[dict[str, Any]], None]) -> None:
    """Alter taps in the archive, and put right every hash in its manifest."""
    manifest = json.loads((given.archive / "manifest.json").read_text())
    segment = manifest["segments"][0]
    file = given.archive / segment["file"]
    records = [json.loads(line) for line in gzip.decompress(file.read_bytes()).splitlines()]
    for record in records[10:20]:
        if kind in record["value"]:
            alter(record)
    shown = [
        json.dumps(one, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        for one in records
    ]
    content = b"".join(shown)
    packed = gzip.compress(content, mtime=0)
    file.write_bytes(packed)
    segment |= {
        "bytes": len(packed), "sha256": hashlib.sha256(packed).hexdigest(),
        "content_bytes": len(content), "content_sha256": hashlib.sha256(content).hexdigest(),
        "last_line_sha256": hashlib.sha256(shown[-1]).hexdigest(),
    }  # fmt: skip
    (given.archive / "manifest.json").write_text(json.dumps(manifest))


def later(record: dict[str, Any]) -> None:
    record["timestamp"] += 1_000


def another_team(record: dict[str, Any]) -> None:
    record["value"] = record["value"].replace('"team-', '"taem-')


@pytest.mark.parametrize(("kind", "alter"), [("checked-out", later), ("checked-in", another_team)])
def test_a_rewritten_log_gives_another_root(
    given: Given, kind: str, alter: Callable[[dict[str, Any]], None]
) -> None:
    rewrite(given, kind, alter)
    done = given.audit("--log", given.archive)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "signed at" in done.stdout
    beside = given.audit("--log", given.archive, "--tiles", given.tiles)
    assert "seq" in beside.stdout  # beside an export the entry is named


def test_a_forked_tree_shown_to_two_people_is_caught(given: Given) -> None:
    other = Given(given.folder / "other", given.key)
    shutil.copytree(given.tiles, other.tiles)
    bodies = other.bodies("shard-2")
    bodies[30] = bodies[30].replace(b"team-", b"tean-")
    other.write("shard-2", bodies, f"{LEDGER}/shard-2")
    done = given.audit("--tiles", given.tiles, "--against", other.tiles)
    assert done.returncode == 1
    assert "a forked tree" in done.stdout


def test_a_checkpoint_of_another_key_is_no_proof(given: Given) -> None:
    stranger = Given(given.folder, Ed25519PrivateKey.generate())
    done = stranger.audit("--tiles", given.tiles)
    assert done.returncode == 1
    assert "not signed by a key" in done.stdout


def test_a_ledger_of_another_policy_is_not_what_was_signed(given: Given) -> None:
    path = given.archive / "manifest.json"
    manifest = json.loads(path.read_text())
    refused = given.audit("--log", given.archive, timezone="UTC")
    assert refused.returncode == 2
    assert "another log" in refused.stderr
    manifest["policy"]["timezone"] = "UTC"
    path.write_text(json.dumps(manifest))
    done = given.audit("--log", given.archive, timezone="UTC")
    assert done.returncode == 1
    assert "size 1" in done.stdout or "signed at" in done.stdout


@pytest.mark.parametrize(
    ("deed", "said"),
    [
        ("UPDATE day_totals SET seconds = seconds + 60 WHERE shard = 1", "counter"),
        ("DELETE FROM rejections", "not refused"),
        ("DELETE FROM entries WHERE shard = 1 AND seq = 40", "seq 40"),
        ("UPDATE entries SET seconds = 60 WHERE shard = 1 AND seq = 40", "seq 40"),
    ],
)
def test_what_is_altered_in_the_database_is_caught_from_the_archive(
    honest: Given, given: Given, deed: str, said: str
) -> None:
    shutil.copy(honest.folder / "copy.db", given.folder / "ledger.db")
    with sqlite3.connect(given.folder / "ledger.db") as database:
        triggers = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in triggers.fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute(deed)
    database.close()
    url = f"sqlite:///{given.folder / 'ledger.db'}"
    done = run_hours(
        ["audit", "--log", str(given.archive)], environment(given.folder, ledger_url=url)
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert said in done.stdout
