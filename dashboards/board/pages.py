"""Pages: Jinja templates, escaped, with the words and figures of one language.

Invariant: what people wrote is text in a page, never markup.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from dashboards.board import words
from dashboards.board.choices import ROLE_WORDS, deed_words, field_text, field_words, word_of
from dashboards.board.directory import Directory
from dashboards.board.words import Language, Words

_STATIC = Path(__file__).parent / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class StaticFile:
    """A file of the board's own, and what its content hashes to."""

    def __init__(self, path: Path) -> None:
        self.content = path.read_bytes()
        self.media_type = _TYPES[path.suffix]
        self.mark = hashlib.sha256(self.content).hexdigest()[:16]


class Pages:
    """Renders templates; knows the static files by name."""

    def __init__(self, timezone: str, ledger_name: str) -> None:
        self.files = {one.name: StaticFile(one) for one in sorted(_STATIC.iterdir())}
        self._timezone, self._ledger_name = timezone, ledger_name
        self._environment = Environment(
            loader=PackageLoader("dashboards.board"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals |= {
            "hours": words.hours,
            "clock": lambda at: words.clock(at, timezone),
            "clock_second": lambda at: words.clock_second(at, timezone),
            "moment": lambda at: words.moment(at, timezone),
            "static": self._address,
            "ledger_name": ledger_name,
            "ROLE_WORDS": ROLE_WORDS,
        }

    def text(self, template: str, language: Language, values: Mapping[str, Any]) -> str:
        """A template's text in a language; by `visit` among the values units get their names."""
        return self._environment.get_template(template).render(
            language=language,
            t=lambda zh, en: en if language == "en" else zh,
            say=lambda said: Words(*said).said(language),
            word=lambda value: word_of(value).said(language),
            deed=lambda what: deed_words(what).said(language),
            field_called=lambda name: field_words(name).said(language),
            field_text=lambda name, value: field_text(name, value, language, self._timezone),
            length=lambda seconds: words.length(seconds, language),
            weekday=lambda day: words.weekday(day, language),
            name_of_unit=lambda code: _directory(values).unit_name(code, language),
            name_of_platform=lambda code: _directory(values).platform_name(code, language),
            name_of_project=lambda code: _directory(values).project_name(code, language),
            weekday_name=lambda number: words.weekday_name(number, language),
            **values,
        )

    def _address(self, name: str) -> str:
        return f"/static/{self.files[name].mark}/{name}"


def _directory(values: Mapping[str, Any]) -> "Directory":
    directory: Directory = values["visit"].directory
    return directory
