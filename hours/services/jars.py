"""Kafka's jars: resolved by jgo, checked against the hashes pinned here, kept in a cache per user.

Invariant: no jar that isn't pinned, byte for byte, is ever put on a class path, and a folder in
the cache is whole.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import jgo
from platformdirs import user_cache_path

from hours.services.unavailable import ServiceUnavailable

KAFKA = "org.apache.kafka:kafka_2.13:4.2.0+org.slf4j:slf4j-simple:1.7.36"

_FOLDER = "kafka-4.2.0"
_MEGABYTES = 44

Say = Callable[[str], None]


def fetch_kafka(say: Say, cache: Path | None = None) -> Path:
    """The folder with Kafka's jars, downloaded on first use. ServiceUnavailable."""
    cache = cache or user_cache_path("volunteer-hours-ledger")
    jars = cache / _FOLDER
    if jars.is_dir():
        return jars
    cache.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(cache):
        if not jars.is_dir():
            say(f"下载 Kafka(约 {_MEGABYTES} MB,仅一次)… Downloading Kafka, once, some 44 MB…")
            _fill(jars, _resolve(cache / "maven"))
    return jars


def refuse_unpinned(found: Mapping[str, Path], pinned: Mapping[str, str]) -> None:
    """ServiceUnavailable, naming the jar, unless all and only the pinned jars were found."""
    for name, path in sorted(found.items()):
        if pinned.get(name) != sha256(path.read_bytes()).hexdigest():
            raise ServiceUnavailable(
                f"下载的 {name} 与校验和不符,不使用。 The downloaded {name} is not the one that is "
                "pinned; it is not used. Check the network, and the Maven mirror if one is set."
            )
    missing = sorted(pinned.keys() - found.keys())
    if missing:
        raise ServiceUnavailable(
            f"下载不完整,缺少 {missing[0]}。 "
            f"The download is not complete: {missing[0]} is missing; try again."
        )


def pinned_hashes() -> dict[str, str]:
    """SHA-256 (hex) of each jar, by file name."""
    lines = files("hours.services").joinpath("jars.sha256").read_text().splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def _resolve(maven_cache: Path) -> dict[str, Path]:
    try:
        environment = jgo.build(KAFKA, cache_dir=maven_cache)
    except Exception as error:  # jgo lets every kind of network error through
        raise ServiceUnavailable(
            "无法从 Maven Central 下载 Kafka:请检查网络或代理后重试。 "
            "Kafka could not be downloaded from "
            f"Maven Central ({type(error).__name__}): check the network or proxy, try again."
        ) from error
    return {path.name: path for path in Path(environment.path).rglob("*.jar")}


def _fill(jars: Path, found: Mapping[str, Path]) -> None:
    refuse_unpinned(found, pinned_hashes())
    partial = jars.with_name(f"{jars.name}.partial-{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    for name, path in found.items():
        shutil.copyfile(path, partial / name)
    partial.rename(jars)


@contextmanager
def _one_at_a_time(cache: Path) -> Iterator[None]:
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
