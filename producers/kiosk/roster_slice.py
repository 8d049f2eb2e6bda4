"""What one kiosk needs of the roster: its place, teams, activities, and the people it may list.

It holds no state but an index of the roster on one day. Invariant: of people a kiosk is told no
more than a masked name, and that only of the members of its own teams.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

from producers.kiosk.kiosk import Kiosk
from producers.roster_view import RosterView
from producers.times import rfc_3339_of

CAP_SECONDS = 16 * 3_600
SKEW_SECONDS = 300
_DAY = 86_400_000_000
_ALL_DAY_BEFORE = 12 * 3_600_000_000

_Key = TypeVar("_Key")
_One = TypeVar("_One")


class Member(NamedTuple):
    """A volunteer, as `hours.roster` tells: no name but a masked one.

    `teams` are those of the day; `ever` those of any day, as far as they are known.
    """

    volunteer: str
    called: str | None
    teams: tuple[str, ...]
    ever: tuple[str, ...]
    generation: int
    status: str


class RosterIndex:
    """The roster on one civil day (ISO), in the shapes that kiosks ask for.

    A team or unit that was merged is its successor here, for whoever still names it.
    """

    def __init__(self, view: RosterView, day: str) -> None:
        self.day = day
        self._teams, self._units = _Periods(view, "team", day), _Periods(view, "unit", day)
        self.teams, self.units = self._teams.valid, self._units.valid
        self.members = {one.volunteer: one for one in self._read_members(view)}
        self.by_team = _by(self.members.values(), lambda one: one.teams)
        self._at_home = _by(self.teams, lambda code: [self.teams[code].get("unit")])
        activities = [
            {"title": code, "teams": (), **value, "code": code}
            for code, value in _of(view, "activity")
            if value.get("status") != "cancelled"
        ]
        self._held_at = _by(activities, lambda one: [one.get("unit")])
        self._held_by = _by(activities, lambda one: one["teams"])
        # What every kiosk is told alike.
        self.named = [{"code": code, "name": _name(row, code)} for code, row in self.teams.items()]
        everybody = self.members.values()
        self.replaced = {one.volunteer: one.generation for one in everybody if one.generation > 1}
        self.inactive = [one.volunteer for one in everybody if one.status != "active"]

    def knows_team(self, code: str) -> bool:
        """Whether there is, was or will be such a team."""
        return code in self._teams.rows

    def name_of(self, place: str) -> dict[str, str]:
        """What a place, or whatever it was merged into, is called in Chinese and English."""
        now = next(iter(self._units.followed((place,))), place)
        return _name(self.units.get(now), place)

    def teams_of(self, kiosk: Kiosk, at: int) -> list[str]:
        """Whose members a kiosk lists: its own teams, or those of its place and of what is on."""
        if kiosk.teams:
            return self._teams.followed(kiosk.teams)
        held = [team for one in self._near(kiosk.place, (), at) for team in one["teams"]]
        at_home = [team for place in self._places(kiosk) for team in self._at_home.get(place, ())]
        return list(dict.fromkeys((*at_home, *self._teams.followed(held))))

    def activities_at(self, place: str, teams: Sequence[str], at: int) -> list[dict[str, Any]]:
        """Of about today and tomorrow, at a place or of one of the teams, soonest first."""
        return sorted(self._near(place, teams, at), key=lambda one: (_start(one) or 0, one["code"]))

    def may_list(self, kiosk: Kiosk, volunteer: str, at: int) -> bool:
        """Whether a volunteer is a member of one of the kiosk's teams."""
        member = self.members.get(volunteer)
        return member is not None and not set(member.teams).isdisjoint(self.teams_of(kiosk, at))

    def may_have_listed(self, kiosk: Kiosk, volunteer: str, at: int) -> bool:
        """Whether a kiosk that was without a network could still have them on its list."""
        member = self.members.get(volunteer)
        return member is not None and not set(member.ever).isdisjoint(
            (*self.teams_of(kiosk, at), *kiosk.teams)
        )

    def _places(self, kiosk: Kiosk) -> list[str]:
        return list(dict.fromkeys((kiosk.place, *self._units.followed((kiosk.place,)))))

    def _near(self, place: str, teams: Sequence[str], at: int) -> Iterable[dict[str, Any]]:
        found = [*self._held_at.get(place, ())]
        found += [one for team in teams for one in self._held_by.get(team, ())]
        return {one["code"]: one for one in found if _is_near(one, at)}.values()

    def _read_members(self, view: RosterView) -> Iterator[Member]:
        day, followed = self.day, self._teams.followed
        for volunteer, value in _of(view, "volunteer"):
            periods = value.get("teams", ())
            ever = tuple([one["team"] for one in periods])
            now = [
                one["team"] for one in periods if _holds(one.get("since"), one.get("until"), day)
            ]
            teams = tuple(followed(now))
            yield _member(volunteer, value, ever if teams == ever else teams, ever)


class _Periods:
    """Every row of one kind of thing, by code, and which of them hold on a day."""

    def __init__(self, view: RosterView, thing: str, day: str) -> None:
        self.rows: dict[str, Sequence[dict[str, Any]]] = {
            code: value.get("rows", ()) for code, value in _of(view, thing)
        }
        self.valid = {
            code: row
            for code, rows in self.rows.items()
            for row in rows
            if _holds(row.get("valid_from"), row.get("valid_until"), day)
        }
        found = {code: self._now(code, day) for code in self.rows}
        self._is_now = {code: now for code, now in found.items() if now is not None}

    def followed(self, codes: Iterable[str]) -> list[str]:
        """What these are today: themselves, or whom they were merged into; nothing that ended."""
        now = self._is_now
        return list(dict.fromkeys([now[code] for code in codes if code in now]))

    def _now(self, code: str, day: str) -> str | None:
        passed = set[str]()
        while code not in self.valid:
            over = [row for row in self.rows.get(code, ()) if _is_merged(row, day)]
            if not over or code in passed:
                return None
            passed.add(code)
            code = max(over, key=lambda row: str(row["valid_until"]))["successor"]
        return code


def _is_merged(row: dict[str, Any], day: str) -> bool:
    until = row.get("valid_until")
    return until is not None and until <= day and row.get("successor") is not None


def kiosk_slice(index: RosterIndex, kiosk: Kiosk, at: int) -> dict[str, Any]:
    """The roster as this kiosk sees it at a time, as JSON has it; see docs/kiosks.md."""
    teams = index.teams_of(kiosk, at)
    people = {one.volunteer: one for team in teams for one in index.by_team.get(team, ())}
    return {
        "kiosk": {
            "code": kiosk.code,
            "place": kiosk.place,
            "place_name": index.name_of(kiosk.place),
            "teams": teams,
        },
        "teams": index.named,
        "activities": [_activity(one) for one in index.activities_at(kiosk.place, teams, at)],
        "people": [_person(one) for one in people.values() if one.status == "active"],
        "replaced": index.replaced,
        "inactive": index.inactive,
        "cap_seconds": CAP_SECONDS,
        "skew_seconds": SKEW_SECONDS,
    }


def _by(these: Iterable[_One], keys: Callable[[_One], Iterable[_Key]]) -> dict[_Key, list[_One]]:
    found: dict[_Key, list[_One]] = {}
    for one in these:
        for key in keys(one):
            found.setdefault(key, []).append(one)
    return found


def _of(view: RosterView, thing: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Code and value of each thing of a kind."""
    begins = f"{thing}/"
    for key, value in view.told.items():
        if key.startswith(begins):
            yield key[len(begins) :], value


def _member(
    volunteer: str, value: dict[str, Any], teams: tuple[str, ...], ever: tuple[str, ...]
) -> Member:
    generation = int((value.get("badge") or {}).get("generation") or 0)
    status = value.get("status") or "active"
    return Member(volunteer, value.get("called"), teams, ever, generation, status)


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
    name = row.get("name_zh") or code
    return {"zh": name, "en": row.get("name_en") or name}
