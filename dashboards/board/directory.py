"""The district's units, teams, platforms and projects, as pages need them: names, and what is
beneath what.

No people, and no activities, of which there are many. It is read anew whenever the roster changed.
Invariant: a directory is never changed; who holds one sees one state of the roster.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from threading import Lock

from sqlalchemy import Connection, func, select

from dashboards.board.words import Language
from ledger.roster import store, tree
from ledger.roster.records import Have, HaveItem, Platform, Project, Team, Unit
from ledger.roster.reports_tree import Tree
from ledger.roster.roster import Roster
from ledger.roster.tables import change_sets, memberships

_KINDS = (Unit, Team, Platform, Project, HaveItem, Have)
Named = Unit | Team | Platform | Project | HaveItem


class Directory:
    """The roster's units, teams, platforms, projects and six haves as of change set `version`."""

    def __init__(self, roster: Roster, version: int, today: str) -> None:
        self.roster, self.version, self.today = roster, version, today
        self._beneath: dict[tuple[str, str], frozenset[str]] = {}

    @property
    def units(self) -> Mapping[str, Sequence[Unit]]:
        return self.roster.units

    @property
    def teams(self) -> Mapping[str, Sequence[Team]]:
        return self.roster.teams

    @cached_property
    def unit_tree(self) -> Tree[Unit]:
        return Tree(self.units)

    @cached_property
    def team_tree(self) -> Tree[Team]:
        return Tree(self.teams)

    def unit(self, code: str | None) -> Unit | None:
        """A unit's row today, or its nearest."""
        found = tree.row_on(self.units, code or "", self.today)
        return found if isinstance(found, Unit) else None

    def team(self, code: str | None) -> Team | None:
        """A team's row today, or its nearest."""
        found = tree.row_on(self.teams, code or "", self.today)
        return found if isinstance(found, Team) else None

    def unit_name(self, code: str | None, language: Language) -> str:
        """What a unit is called; its code where the roster doesn't know it."""
        return _name(self.unit(code), code, language)

    def team_name(self, code: str | None, language: Language) -> str:
        """What a team is called; its code where the roster doesn't know it."""
        return _name(self.team(code), code, language)

    def platform_name(self, code: str | None, language: Language) -> str:
        """What a platform is called."""
        return _name(self.roster.platforms.get(code or ""), code, language)

    def project_name(self, code: str | None, language: Language) -> str:
        """What a project is called."""
        rows = self.roster.projects.get(code or "", [])
        return _name(rows[-1] if rows else None, code, language)

    def unit_of_team(self, team: str) -> str | None:
        """The unit a team is at home in."""
        return tree.unit_of(self.teams, team, self.today)

    def units_beneath(self, code: str) -> frozenset[str]:
        """The units beneath one, at any depth."""
        return self._below("unit", code, self.units)

    def teams_beneath(self, code: str) -> frozenset[str]:
        """The teams beneath one, at any depth."""
        return self._below("team", code, self.teams)

    def unit_line(self, code: str) -> list[str]:
        """The codes above a unit, the highest first, then its own."""
        return [*tree.above(self.units, code, self.today), code]

    def team_line(self, code: str) -> list[str]:
        """The codes above a team, the highest first, then its own."""
        return [*tree.above(self.teams, code, self.today), code]

    def children(self, code: str | None) -> list[Unit]:
        """The units right beneath one (None: those at the top), by code."""
        found = (self.unit(one) for one in self.units)
        wanted = (u for u in found if u and u.parent == code and u.holds_on(self.today))
        return sorted(wanted, key=lambda one: one.code)

    def team_children(self, code: str | None) -> list[Team]:
        """The teams right beneath one (None: those at the top), by code."""
        found = (self.team(one) for one in self.teams)
        wanted = (t for t in found if t and t.parent == code and t.holds_on(self.today))
        return sorted(wanted, key=lambda one: one.code)

    def _below(self, kind: str, code: str, rows: tree.Rows) -> frozenset[str]:
        key = (kind, code)
        if key not in self._beneath:
            self._beneath[key] = frozenset(tree.beneath(rows, code, self.today))
        return self._beneath[key]


class DirectoryCache:
    """The directory as of now, for all threads; it is read anew where the roster or day changed."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._now: Directory | None = None

    def current(self, connection: Connection, today: str) -> Directory:
        """The directory as the connection's snapshot has it."""
        latest = connection.execute(select(func.max(change_sets.c.number))).scalar() or 0
        with self._lock:
            now = self._now
            if now is None or now.version != latest or now.today != today:
                now = Directory(store.load(connection, _KINDS), int(latest), today)
                self._now = now
            return now


def members_of(connection: Connection, teams: Collection[str], day: str) -> frozenset[str]:
    """The volunteers who are in some of these teams on an ISO date."""
    table = memberships.c
    rows = connection.execute(
        select(table.volunteer).where(
            table.team.in_(teams),
            table.since <= day,
            table.until.is_(None) | (table.until > day),
        )
    )
    return frozenset(rows.scalars())


def _name(found: Named | None, code: str | None, language: Language) -> str:
    if found is None:
        return code or "–"
    return (found.name_en or found.name_zh) if language == "en" else found.name_zh
