"""What one kiosk needs of the roster: its place, teams, activities, and the people it may list.

It holds no state but an index of the roster on one day. Invariant: of people a kiosk is told no
more than a masked name, and that only of the members of its own teams.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from producers.kiosk.kiosk import Kiosk
from producers.roster_view import RosterView
from producers.times import rfc_3339_of

CAP_SECONDS = 16 * 3_600
SKEW_SECONDS = 300
_DAY = 86_400_000_000
_ALL_DAY_BEFORE = 12 * 3_600_000_000


class Member(NamedTuple):
    """A volunteer, as `hours.roster` tells: no name but a masked one."""

    volunteer: str
    called: str | None
    teams: tuple[str, ...]
    generation: int
    status: str


class RosterIndex:
    """The roster on one civil day (ISO), in the shapes that kiosks ask for."""

    def __init__(self, view: RosterView, day: str) -> None:
        self.day = day
        self.teams = dict(_valid(view, "team", day))
        self.units = dict(_valid(view, "unit", day))
        self.activities = [value for key, value in view.told.items() if key.startswith("activity/")]
        self.members = {
            member.volunteer: member
            for key, value in view.told.items()
            if key.startswith("volunteer/")
            for member in (_member(value, day),)
        }
        self.by_team: dict[str, list[Member]] = {}
        for member in self.members.values():
            for team in member.teams:
                self.by_team.setdefault(team, []).append(member)

    def teams_of(self, kiosk: Kiosk, at: int) -> list[str]:
        """Whose members a kiosk lists: its own teams, or those of its place and of what is on."""
        if kiosk.teams:
            return [team for team in kiosk.teams if team in self.teams]
        at_home = [code for code, team in self.teams.items() if team.get("unit") == kiosk.place]
        visiting = [
            team
            for activity in self.activities_at(kiosk.place, (), at)
            for team in activity["teams"]
            if team in self.teams
        ]
        return list(dict.fromkeys((*at_home, *visiting)))

    def activities_at(self, place: str, teams: Sequence[str], at: int) -> list[dict[str, Any]]:
        """Of about today and tomorrow, at a place or of one of the teams, soonest first."""
        found = [
            one
            for one in self.activities
            if one.get("status") != "cancelled"
            and (one.get("unit") == place or set(teams) & set(one["teams"]))
            and _is_near(one, at)
        ]
        return sorted(found, key=lambda one: (_start(one) or 0, one["code"]))

    def may_list(self, kiosk: Kiosk, volunteer: str, at: int) -> bool:
        """Whether a volunteer is a member of one of the kiosk's teams."""
        member = self.members.get(volunteer)
        return member is not None and bool(set(member.teams) & set(self.teams_of(kiosk, at)))


def kiosk_slice(index: RosterIndex, kiosk: Kiosk, at: int) -> dict[str, Any]:
    """The roster as this kiosk sees it at a time, as JSON has it; see docs/kiosks.md."""
    teams = index.teams_of(kiosk, at)
    people = {one.volunteer: one for team in teams for one in index.by_team.get(team, ())}
    return {
        "kiosk": {
            "code": kiosk.code,
            "place": kiosk.place,
            "place_name": _name(index.units.get(kiosk.place), kiosk.place),
            "teams": teams,
        },
        "teams": [{"code": code, "name": _name(team, code)} for code, team in index.teams.items()],
        "activities": [_activity(one) for one in index.activities_at(kiosk.place, teams, at)],
        "people": [_person(one) for one in people.values() if one.status == "active"],
        "replaced": {
            one.volunteer: one.generation for one in index.members.values() if one.generation > 1
        },
        "inactive": [one.volunteer for one in index.members.values() if one.status != "active"],
        "cap_seconds": CAP_SECONDS,
        "skew_seconds": SKEW_SECONDS,
    }


def _valid(view: RosterView, thing: str, day: str) -> Iterable[tuple[str, dict[str, Any]]]:
    """Code and row of each thing that holds on a day."""
    for key, value in view.told.items():
        kind, _, code = key.partition("/")
        if kind == thing:
            for row in value.get("rows", ()):
                if _holds(row.get("valid_from"), row.get("valid_until"), day):
                    yield code, row


def _member(value: dict[str, Any], day: str) -> Member:
    teams = tuple(
        one["team"]
        for one in value.get("teams", ())
        if _holds(one.get("since"), one.get("until"), day)
    )
    badge = value.get("badge") or {}
    return Member(
        value["volunteer"],
        value.get("called"),
        teams,
        int(badge.get("generation") or 0),
        value.get("status", "active"),
    )


def _holds(since: str | None, until: str | None, day: str) -> bool:
    return (since is None or since <= day) and (until is None or day < until)


def _is_near(activity: dict[str, Any], at: int) -> bool:
    start = _start(activity)
    if start is None:
        return True
    end = int(activity.get("held_end") or activity.get("planned_end") or start)
    return at - _ALL_DAY_BEFORE <= end and start <= at + _DAY


def _start(activity: dict[str, Any]) -> int | None:
    start = activity.get("held_start") or activity.get("planned_start")
    return None if start is None else int(start)


def _activity(one: dict[str, Any]) -> dict[str, Any]:
    start = _start(one)
    end = one.get("held_end") or one.get("planned_end")
    return {
        "code": one["code"],
        "title": one["title"],
        "teams": list(one["teams"]),
        "start": None if start is None else rfc_3339_of(start),
        "end": None if end is None else rfc_3339_of(int(end)),
    }


def _person(one: Member) -> dict[str, Any]:
    return {
        "volunteer": one.volunteer,
        "called": one.called,
        "teams": list(one.teams),
        "generation": one.generation,
    }


def _name(row: dict[str, Any] | None, code: str) -> dict[str, str]:
    if row is None:
        return {"zh": code, "en": code}
    return {"zh": row["name_zh"], "en": row.get("name_en") or row["name_zh"]}
