"""The commands of `hours roster` as their keepers use them, within this process.

A process for each command would take most of a test's time.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from hours.cli import EXPECTED, cli
from ledger.policy import Policy
from ledger.store import open_store


@dataclass
class Desk:
    """One ledger, one key, one keeper; the environment that commands see."""

    environment: dict[str, str] = field(default_factory=dict)

    @classmethod
    def at(cls, home: Path, ledger_url: str) -> "Desk":
        """A desk with a ledger just begun and a key of its own."""
        store = open_store(ledger_url, "tongzhou.hours.example", Policy())
        store.init()
        store.engine.dispose()
        key = home / "roster.key"
        desk = cls({"HOURS_HOME": str(home), "HOURS_LEDGER_URL": ledger_url})
        desk.ok("new-key", str(key))
        desk.environment["HOURS_ROSTER_KEY_FILE"] = str(key)
        return desk

    def using(self, **more: str) -> "Desk":
        """The same desk, set otherwise."""
        return Desk({**self.environment, **{f"HOURS_{k.upper()}": v for k, v in more.items()}})

    def run(self, *words: str, input: str = "") -> Result:
        """What a command comes to, its expected refusals as `main` shows them."""
        others = {name: None for name in os.environ if name.startswith("HOURS_")}
        environment = {**others, "LOGNAME": "keeper", **self.environment}
        result = CliRunner().invoke(cli, ["roster", *words], input=input, env=environment)
        if isinstance(result.exception, EXPECTED):
            result.stderr_bytes = (result.stderr_bytes or b"") + f"{result.exception}\n".encode()
            result.exit_code = 2
        elif result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def ok(self, *words: str, input: str = "") -> str:
        result = self.run(*words, input=input)
        assert result.exit_code == 0, result.output + result.stderr
        return result.stdout

    def refused(self, *words: str, input: str = "") -> str:
        """What is said of what can't be done; nothing but that is printed."""
        result = self.run(*words, input=input)
        assert result.exit_code == 2, result.output
        assert result.stdout == ""
        return result.stderr

    def rows(self, *words: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.ok(*words, "--json").splitlines()]

    def add(self, kind: str, *fields: str) -> None:
        self.ok("add", kind, *fields, "--why", "建名册")

    def enrol(self, volunteer: str, who: Mapping[str, str], *fields: str) -> None:
        words = ("add", "person", f"volunteer={volunteer}", *fields)
        self.ok(*words, "--private-from", "-", "--why", "入队", input=json.dumps(who))
