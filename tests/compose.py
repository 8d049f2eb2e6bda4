"""The compose files as `docker compose` would read them: extended, merged, variables put in.

Only as far as these files go; the Compose Specification's schema is held against them apart.
"""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
BASE = "docker-compose.yml"
THREE_BROKERS = "docker-compose.three-brokers.yml"

_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}|\$\$")

_NOT_PROPERTIES = ("KAFKA_HEAP_OPTS", "KAFKA_OPTS")


def effective(*files: str, **variables: str) -> dict[str, Any]:
    """What the files say together, the later ones over the earlier ones."""
    whole: dict[str, Any] = {}
    for file in files:
        whole = _merged(whole, _with_extended(parse(file)))
    filled = _filled(whole, variables)
    assert isinstance(filled, dict)
    return filled


def properties_of(variables: dict[str, Any]) -> dict[str, str]:
    """A broker's server.properties as the image makes it of its environment's variables."""
    return {
        _dotted(name.removeprefix("KAFKA_")): str(value)
        for name, value in variables.items()
        if name.startswith("KAFKA_") and name not in _NOT_PROPERTIES
    }


def _dotted(name: str) -> str:
    dotted = name.lower().replace("_", ".")
    return dotted.replace("...", "-").replace("..", "_")


def parse(file: str) -> dict[str, Any]:
    """The file as YAML has it, anchors put in their places."""
    parsed = yaml.safe_load((ROOT / file).read_text())
    assert isinstance(parsed, dict)
    return parsed


def _with_extended(whole: dict[str, Any]) -> dict[str, Any]:
    for name, service in whole["services"].items():
        extended = service.pop("extends", None)
        if extended:
            base = parse(extended["file"])["services"][extended["service"]]
            whole["services"][name] = _merged(base, service)
    return whole


def _merged(under: Any, over: Any) -> Any:
    if isinstance(under, dict) and isinstance(over, dict):
        both = {key: _merged(under[key], over[key]) for key in under.keys() & over.keys()}
        return {**under, **over, **both}
    if isinstance(under, list) and isinstance(over, list):
        return [*(it for it in under if _target(it) not in map(_target, over)), *over]
    return over


def _target(item: Any) -> Any:
    """Volumes are one where they are mounted at one place."""
    return item.split(":")[1] if isinstance(item, str) and item.count(":") >= 1 else item


def _filled(value: Any, variables: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(under, variables) for key, under in value.items()}
    if isinstance(value, list):
        return [_filled(item, variables) for item in value]
    if isinstance(value, str):
        return _VARIABLE.sub(lambda it: variables.get(it[1], it[2] or "") if it[1] else "$", value)
    return value
