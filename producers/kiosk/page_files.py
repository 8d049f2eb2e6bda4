"""The page's files as they are served: read once, each with its type and its hash.

Scripts are told the version: the hash of all files as they are kept. Invariant: a service worker
that has a version has exactly its files.
"""

import hashlib
import json
from importlib.resources import files
from typing import NamedTuple

_TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "png": "image/png",
    "svg": "image/svg+xml",
    "webmanifest": "application/manifest+json",
}
_WORKER = "sw.js"
_PAGES = {"index.html": "/", "operator.html": "/operator", "manifest.webmanifest": None}
_OPERATOR = "operator"  # whose page shows what is so now, or nothing


class PageFile(NamedTuple):
    """A file's bytes, media type, and ETag."""

    content: bytes
    media_type: str
    etag: str


class PageFiles:
    """`at` is each file by its path on the server."""

    def __init__(self) -> None:
        found = {
            file.name: file.read_bytes()
            for file in files("producers.kiosk").joinpath("page").iterdir()
            if file.name.rpartition(".")[2] in _TYPES
        }
        digest = hashlib.sha256()
        for name in sorted(found):
            digest.update(f"{name} {len(found[name])}\n".encode() + found[name])
        self.version = digest.hexdigest()[:12]
        offline = [name for name in found if name != _WORKER and not name.startswith(_OPERATOR)]
        filled = {
            b'"VERSION"': json.dumps(self.version).encode(),
            b'["FILES"]': json.dumps(sorted(map(_path, offline))).encode(),
        }
        self.at = {
            _path(name): _file(name, _filled(content, filled)) for name, content in found.items()
        }


def _filled(content: bytes, filled: dict[bytes, bytes]) -> bytes:
    """A script with what only the gateway knows in its place."""
    for place, value in filled.items():
        content = content.replace(place, value)
    return content


def _path(name: str) -> str:
    if name == _WORKER:
        return f"/{_WORKER}"  # it serves what is below it
    return _PAGES.get(name) or (f"/{name}" if name in _PAGES else f"/page/{name}")


def _file(name: str, content: bytes) -> PageFile:
    etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    return PageFile(content, _TYPES[name.rpartition(".")[2]], etag)
