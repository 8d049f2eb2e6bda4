"""All that the roster says about one thing, gathered.

Pure; what it gives is made of texts, numbers, lists and mappings, for JSON or for a page. Not who
a volunteer is: whoever shows it adds what may be shown.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from ledger.roster.editing import texts
from ledger.roster.records import (
    Activity,
    Have,
    HaveItem,
    Membership,
    Person,
    Platform,
    Project,
    Record,
    Signup,
    Team,
    Unit,
)
from ledger.roster.roster import Roster
from ledger.roster.tree import Rows, above, beneath, row_on, unit_of

Overview = dict[str, Any]


def overview(roster: Roster, records: Sequence[Record], day: str, zone: ZoneInfo) -> Overview:
    """What there is about the thing whose records, of one kind, these are, as of an ISO date."""
    first = records[0]
    more = _MORE.get(first.KIND)
    of_kind: Overview = {} if more is None else more(roster, first.key[0], day)
    rows = [texts(record, zone) for record in records]
    shown = {"rows": rows} if "valid_from" in type(first).model_fields else rows[0]
    return {"kind": first.KIND, **shown, **of_kind}


def _unit(roster: Roster, code: str, day: str) -> Overview:
    under = beneath(roster.units, code, day)
    whole = {code, *under}
    found: Overview = {
        "above": _named(roster.units, above(roster.units, code, day), day),
        "beneath": _kinds(roster.units, under, day),
        "teams": sum(unit_of(roster.teams, one, day) in whole for one in roster.teams),
        "people": sum(one.unit in whole for one in roster.people.values()),
        "activities": sum(one.unit in whole for one in roster.activities.values()),
    }
    row = row_on(roster.units, code, day)
    if row is not None and row.kind == "post":
        found["haves"] = _haves(roster, code)
    return found


def _haves(roster: Roster, post: str) -> list[Overview]:
    """Each item of the checklist, in its order, whether anybody looked or not."""
    items = sorted(roster.all(HaveItem), key=lambda item: (item.position, item.code))
    rows = []
    for item in items:
        have = roster.get(Have, post, item.code)
        rows.append(
            {
                "item": item.code,
                "name_zh": item.name_zh,
                "state": have.state if have else None,
                "day": have.day if have else None,
                "note": have.note if have else None,
                "checked_by": have.checked_by if have else None,
            }
        )
    return rows


def _team(roster: Roster, code: str, day: str) -> Overview:
    under = beneath(roster.teams, code, day)
    whole = {code, *under}
    members = [one for one in roster.all(Membership) if one.holds_on(day)]
    return {
        "above": _named(roster.teams, above(roster.teams, code, day), day),
        "beneath": _kinds(roster.teams, under, day),
        "members": sum(one.team == code for one in members),
        "members_with_all_beneath": len({one.volunteer for one in members if one.team in whole}),
        "activities": sum(code in one.teams for one in roster.activities.values()),
    }


def _project(roster: Roster, code: str, _day: str) -> Overview:
    return {"activities": _statuses(one for one in roster.all(Activity) if one.project == code)}


def _platform(roster: Roster, code: str, _day: str) -> Overview:
    return {
        "teams": sum(any(code in row.platforms for row in rows) for rows in roster.teams.values()),
        "activities": _statuses(one for one in roster.all(Activity) if one.platform == code),
    }


def _have_item(roster: Roster, code: str, _day: str) -> Overview:
    return {"posts": dict(Counter(one.state for one in roster.all(Have) if one.item == code))}


def _activity(roster: Roster, code: str, _day: str) -> Overview:
    signed_up = [one for one in roster.all(Signup) if one.activity == code]
    capacity = roster.activities[code].capacity
    return {
        "sign_ups": len(signed_up),
        "places_left": None if capacity is None else capacity - len(signed_up),
        "signed_up": [{"volunteer": one.volunteer, "day": one.day} for one in signed_up],
    }


def _person(roster: Roster, volunteer: str, _day: str) -> Overview:
    return {
        "memberships": [
            {
                "team": one.team,
                "name_zh": _name(roster.teams, one.team, one.since),
                "since": one.since,
                "until": one.until,
            }
            for one in roster.memberships.get(volunteer, [])
        ],
        "leads": [
            {"team": row.code, "name_zh": row.name_zh, "from": row.valid_from}
            for row in roster.all(Team)
            if volunteer in row.leaders
        ],
        "sign_ups": [
            {"activity": one.activity, "title": _title(roster, one.activity), "day": one.day}
            for one in roster.all(Signup)
            if one.volunteer == volunteer
        ],
    }


_MORE: Mapping[str, Callable[[Roster, str, str], Overview]] = {
    Unit.KIND: _unit,
    Team.KIND: _team,
    Project.KIND: _project,
    Platform.KIND: _platform,
    HaveItem.KIND: _have_item,
    Activity.KIND: _activity,
    Person.KIND: _person,
}


def _named(rows: Rows, codes: Iterable[str], day: str) -> list[Overview]:
    return [{"code": code, "name_zh": _name(rows, code, day)} for code in codes]


def _name(rows: Rows, code: str, day: str) -> str | None:
    row = row_on(rows, code, day)
    return None if row is None else row.name_zh


def _title(roster: Roster, code: str) -> str | None:
    activity = roster.activities.get(code)
    return None if activity is None else activity.title


def _kinds(rows: Rows, codes: Iterable[str], day: str) -> dict[str, int]:
    found = (row_on(rows, code, day) for code in codes)
    return dict(Counter(row.kind for row in found if row is not None))


def _statuses(activities: Iterable[Activity]) -> dict[str, int]:
    return dict(Counter(one.status for one in activities))
