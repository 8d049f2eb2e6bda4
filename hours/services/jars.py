"""Kafka's jars: resolved by jgo, checked against the hashes pinned here, kept in a cache per user.

Not shared with ~/.m2, where another program's interrupted download could mislead us.
Invariant: a jar is used only if its SHA-256 is the pinned one, looked at anew before each use; a
folder in the cache is whole.
"""

import fcntl
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import file_digest
from importlib.resources import files
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from hours.services.unavailable import ServiceUnavailable

KAFKA = ("org.apache.kafka:kafka_2.13:4.2.0", "org.slf4j:slf4j-simple:1.7.36")

_FOLDER = "kafka-4.2.0"
_MEGABYTES = 45
_TRIES = 3
_TIMEOUT_SECONDS = 20

Say = Callable[[str], None]


def fetch_kafka(say: Say, cache: Path | None = None) -> Path:
    """The folder with Kafka's jars, downloaded on first use, verified. ServiceUnavailable."""
    cache = cache or user_cache_path("volunteer-hours-ledger")
    jars = cache / _FOLDER
    try:
        if not jars.is_dir():
            cache.mkdir(parents=True, exist_ok=True)
            with _one_at_a_time(cache, say):
                if not jars.is_dir():
                    _download(jars, say)
    except OSError as error:
        raise ServiceUnavailable(
            f"无法写入缓存 {cache}：请检查权限和空间，或设置 XDG_CACHE_HOME。 "
            f"The cache {cache} cannot be written ({error.strerror}): "
            "check its rights and space, or set XDG_CACHE_HOME."
        ) from error
    spoilt = first_unpinned(jars, pinned_hashes())
    if spoilt:
        raise ServiceUnavailable(
            f"缓存里的 {spoilt} 缺失或与校验和不符，不使用：请删除 {jars} 后重试。 In the cache, "
            f"{spoilt} is missing or not the one that is pinned; it is not used: delete {jars} "
            "and try again."
        )
    return jars


def first_unpinned(jars: Path, pinned: Mapping[str, str]) -> str | None:
    """The name of the first jar that is missing, or not the pinned one byte for byte."""
    return next((name for name, digest in pinned.items() if _hash(jars / name) != digest), None)


def pinned_hashes() -> dict[str, str]:
    """SHA-256 (hex) of each jar, by file name."""
    lines = files("hours.services").joinpath("jars.sha256").read_text("ascii").splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def _download(jars: Path, say: Say) -> None:
    """Whole or not at all: gathered beside, verified, then put in place by one rename."""
    say(
        f"下载 Kafka（约 {_MEGABYTES} MB，仅一次）… Downloading Kafka, once, about {_MEGABYTES} MB…"
    )
    begun = time.monotonic()
    partial, maven = (jars.with_name(f"{jars.name}.{part}") for part in ("partial", "maven"))
    for left in (partial, maven):
        shutil.rmtree(left, ignore_errors=True)
    partial.mkdir()
    try:
        _gather(maven, partial, say)
        spoilt = first_unpinned(partial, pinned_hashes())
        if spoilt:
            raise _refused(spoilt)
        partial.rename(jars)
    finally:
        for left in (partial, maven):
            shutil.rmtree(left, ignore_errors=True)
    seconds = round(time.monotonic() - begun)
    say(f"Kafka 已下载并核对，用时 {seconds} 秒。 Kafka downloaded and verified in {seconds} s.")


def _gather(maven: Path, into: Path, say: Say) -> None:
    pinned = pinned_hashes()
    try:
        artifacts = _patiently(lambda: _artifacts(maven), maven)
        size = 0
        for number, artifact in enumerate(artifacts, 1):
            if artifact.filename not in pinned:
                raise _refused(artifact.filename)
            jar = _patiently(artifact.resolve, maven / artifact.component.path_prefix)
            size += (into / artifact.filename).write_bytes(jar.read_bytes())
            if number % 10 == 0:
                say(f"{number}/{len(artifacts)} jar，{size // 1_000_000} MB")
    except ServiceUnavailable:
        raise
    except Exception as error:  # jgo lets every kind of network error through
        raise ServiceUnavailable(
            "无法从 Maven Central 下载 Kafka：请检查网络或 HTTPS_PROXY，或在 ~/.config/jgo.conf 的 "
            "[repositories] 中设置镜像，然后重试。 "
            f"Kafka could not be downloaded from Maven Central ({type(error).__name__}): "
            "check the network or HTTPS_PROXY, or name a mirror under [repositories] "
            "in ~/.config/jgo.conf, then try again."
        ) from error


def _artifacts(maven: Path) -> list[Any]:
    """What Kafka needs at run time, by pure Python; mirrors of the user's own come first."""
    # Imported here: it takes 0.2 s, and only the first run of all needs it.
    from jgo.config import GlobalSettings  # noqa: PLC0415
    from jgo.constants import MAVEN_CENTRAL_URL  # noqa: PLC0415
    from jgo.maven import MavenContext  # noqa: PLC0415

    mirrors = GlobalSettings.load().repositories
    context = MavenContext(
        repo_cache=maven,
        remote_repos={**mirrors, "central": mirrors.get("central", MAVEN_CENTRAL_URL)},
        timeout=_TIMEOUT_SECONDS,
    )
    wanted, needed = context.resolver.resolve([context.create_dependency(it) for it in KAFKA])
    needed = [it for it in needed if it.scope in {"compile", "runtime"}]
    return [dependency.artifact for dependency in (*wanted, *needed)]


def _patiently(attempt: Callable[[], Any], begun: Path) -> Any:
    """`attempt`, again after a network error, without what it had `begun`."""
    for last in (*[False] * (_TRIES - 1), True):
        try:
            return attempt()
        except OSError:  # what requests raises
            if last:
                raise
            shutil.rmtree(begun, ignore_errors=True)
    raise AssertionError


def _refused(jar: str) -> ServiceUnavailable:
    return ServiceUnavailable(
        f"下载的 {jar} 缺失、未登记或与校验和不符，不使用：请检查网络和 Maven 镜像后重试。 As "
        f"downloaded, {jar} is missing or not the one that is pinned; it is not used: check the "
        "network and the Maven mirror, then try again."
    )


def _hash(jar: Path) -> str | None:
    if not jar.is_file():
        return None
    with jar.open("rb") as content:
        return file_digest(content, "sha256").hexdigest()


@contextmanager
def _one_at_a_time(cache: Path, say: Say) -> Iterator[None]:
    with (cache / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("另一个进程正在下载 Kafka，等待… Another process is downloading Kafka; waiting…")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
