"""What the front pages say exists, exists: commands, settings, modules, metrics.

Not the import rules: `make check` holds those.
"""

import re
from pathlib import Path

import click
import pytest

from hours import cli
from hours.settings import Settings
from streams.metrics import Metrics

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text()
CODE_MAP = dict(re.findall(r"^\| `(\w+)/` \| (.+) \|$", ARCHITECTURE, re.M))


def test_the_code_map_has_every_room() -> None:
    rooms = {"producers", "ledger", "streams", "dashboards", "hours", "benchmarks", "tests"}
    assert CODE_MAP.keys() == rooms


@pytest.mark.parametrize("room", CODE_MAP)
def test_every_module_in_the_code_map_exists(room: str) -> None:
    named = re.findall(r"`([\w*]+(?:\.py|/)?)`", CODE_MAP[room])
    assert named
    assert [name for name in named if not found(ROOT / room, name)] == []


def test_the_map_of_the_roster_has_each_of_its_modules_once() -> None:
    table = ARCHITECTURE.partition("| what | modules |")[2].partition("\n\n")[0]
    named = re.findall(r"`([a-z_]+)`", table)
    modules = {file.stem for file in (ROOT / "ledger/roster").glob("*.py")} - {"__init__"}
    families = {name for name in modules if name.startswith("importing_")}
    assert sorted(named) == sorted(modules - families)


def test_every_command_in_the_readme_exists_and_every_other_is_in_the_help() -> None:
    named = set(re.findall(r"\bhours (\w[\w-]*)", " ".join(re.findall(r"`+[^`]+`+", README))))
    assert named <= set(cli.COMMANDS)
    for name in set(cli.COMMANDS) - named:
        command = cli.cli.get_command(click.Context(cli.cli), name)
        assert command is not None, name
        assert command.help, name


def test_every_setting_is_in_the_readme_with_its_default() -> None:
    table = dict(re.findall(r"^\| (`HOURS_[^|]+) \| ([^|]+) \|", README, re.M))
    named = {
        name: default for names, default in table.items() for name in re.findall(r"\w+", names)
    }
    assert named.keys() == {f"HOURS_{name.upper()}" for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        if field.default is not None:
            assert str(field.default) in named[f"HOURS_{name.upper()}"]


def test_every_metric_is_named_ours_and_has_a_help_text() -> None:
    families = list(Metrics().registry.collect())
    assert len(families) >= 15
    for family in families:
        assert re.fullmatch(r"hours_[a-z_]+", family.name)
        assert len(family.documentation) > 10


def found(room: Path, name: str) -> bool:
    """A module, a folder, or a glob of modules."""
    return any(any(room.glob(pattern)) for pattern in (name, f"{name}.py"))


PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)
    links = re.findall(r'\]\(([^)\s]+)\)|src="([^"]+)"', text)
    local = [link or src for link, src in links if not re.match(r"https?:", link or src)]
    assert [link for link in local if not leads(page, link)] == []


def leads(page: Path, link: str) -> bool:
    """Whether there is such a file, and in it such a heading."""
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page
    return target.exists() and (not anchor or anchor in headings(target))


def headings(page: Path) -> set[str]:
    """As a page's headings are called in links to them."""
    found = re.findall(r"^#+ (.+)$", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in found}
