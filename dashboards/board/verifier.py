"""The verifier page as the board serves it: its bytes, and the policy its own script runs under."""

import hashlib
import re
from base64 import b64encode
from functools import lru_cache
from importlib.resources import files


@lru_cache
def verifier_page() -> bytes:
    """The page, as it is kept in a file."""
    return files("dashboards").joinpath("verifier", "verify.html").read_bytes()


@lru_cache
def verifier_policy() -> str:
    """Its script and style by their hashes, and nothing else: it can reach no network."""
    page = verifier_page().decode()
    script, style = (
        _hash(re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.S)[0]) for tag in ("script", "style")
    )
    return (
        f"default-src 'none'; script-src '{script}'; style-src '{style}'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )


def _hash(content: str) -> str:
    return f"sha256-{b64encode(hashlib.sha256(content.encode()).digest()).decode()}"
