"""The page's files as they are served: read once, each with its type and its hash.

Invariant: the version is the hash of all of them, so that a service worker that has a version has
exactly these files.
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
_NOT_OFFLINE = ("operator.",)  # an operator's page shows what is so now, or nothing


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
        self.at = {_path(name): _file(name, content) for name, content in found.items()}
        offline = [path for path in self.at if not path.split("/")[-1].startswith(_NOT_OFFLINE)]
        offline = [path for path in offline if path not in ("/operator", f"/{_WORKER}")]
        worker = found[_WORKER].decode()
        worker = worker.replace('"VERSION"', json.dumps(self.version))
        worker = worker.replace('["FILES"]', json.dumps(sorted(offline)))
        self.at[f"/{_WORKER}"] = _file(_WORKER, worker.encode())


def _path(name: str) -> str:
    if name == _WORKER:
        return f"/{_WORKER}"  # it serves what is below it
    return _PAGES.get(name) or (f"/{name}" if name in _PAGES else f"/page/{name}")


def _file(name: str, content: bytes) -> PageFile:
    etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    return PageFile(content, _TYPES[name.rpartition(".")[2]], etag)
