"""A simulated district, its invented people and its activities, as rows for spreadsheets.

Each row has texts only, as somebody in an office would type them. Invariant: codes, volunteer ids
and activities are those of the simulated events, so that what is imported is what serves.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta, tzinfo
from zoneinfo import ZoneInfo

from producers.district import District
from producers.district_tables import BETWEEN_CODES, CATEGORIES, TEAM_WORDS, Row, seed_tables
from producers.invented_people import InventedPerson
from producers.simulated_activities import Activity
from producers.times import EPOCH

CHINA = ZoneInfo("Asia/Shanghai")


def rows_of(
    district: District,
    people: Iterable[InventedPerson] = (),
    activities: Iterable[Row] = (),
) -> dict[str, list[Row]]:
    """Rows by kind and field of the seed district or its surge, in an order for importing.

    `activities` are rows, as `activity_rows` gives them.
    """
    tables = seed_tables()
    leaders = _leaders(district)
    shipped = {row["code"] for row in tables["team"]}
    tables["team"] += _organisation_rows(district, shipped)
    for row in tables["team"]:
        row.update(leaders.get(row["code"], {}))
    tables["activity"] = list(activities)
    tables["person"] = list(person_rows(people))
    return tables


def person_rows(people: Iterable[InventedPerson]) -> Iterator[Row]:
    """People who are active, each with their resident number and all their teams."""
    for one in people:
        row = {
            "volunteer": one.volunteer,
            "name": one.name,
            "phone": one.phone,
            "document_type": "居民身份证",
            "document": one.document,
            "unit": one.unit or "",
            "teams": BETWEEN_CODES.join(one.teams),
            "joined": one.joined,
            "consent": one.consent,
            "status": "在册",
        }
        yield _filled_in(row)


def activity_rows(
    activities: Iterable[Activity], until: int | None = None, timezone: tzinfo = CHINA
) -> Iterator[Row]:
    """Activities with civil times in `timezone`, as they stand at the instant `until`.

    One that has not begun by then is planned; how many it served is known once it has ended.
    """
    for one in activities:
        begun = until is None or one.held_start <= until
        ended = until is None or one.held_end <= until
        row = {
            "code": one.code,
            "title": one.title,
            "platform": one.platform or "",
            "project": one.project or "",
            "unit": one.place.code,
            "teams": BETWEEN_CODES.join(team.code for team in one.teams),
            "category": CATEGORIES[one.category],
            "planned_start": _civil_time(one.start, timezone),
            "planned_end": _civil_time(one.end, timezone),
            "held_start": _civil_time(one.held_start, timezone) if begun else "",
            "held_end": _civil_time(one.held_end, timezone) if ended else "",
            "served": str(one.served) if ended else "",
            "capacity": str(one.capacity),
            "status": "已举办" if begun else "计划",
        }
        yield _filled_in(row)


def _leaders(district: District) -> dict[str, Row]:
    """Each team's first volunteer leads it."""
    leaders: dict[str, Row] = {}
    for volunteer in district.serving:
        for team in volunteer.teams:
            leaders.setdefault(team.code, {"leaders": volunteer.id})
    return leaders


def _organisation_rows(district: District, shipped: set[str]) -> list[Row]:
    """Teams that don't ship: other organisations, under the corps."""
    rows = [
        {
            "code": team.code,
            "kind": TEAM_WORDS[team.kind],
            "name_zh": team.name,
            "parent": "corps",
            "unit": team.office or "",
            "platforms": BETWEEN_CODES.join(team.platforms),
        }
        for team in district.teams
        if team.code not in shipped
    ]
    return [_filled_in(row) for row in rows]


def _civil_time(instant: int, timezone: tzinfo) -> str:
    """`YYYY-MM-DD HH:MM`, with `:SS` where they aren't 0."""
    moment = (EPOCH + timedelta(microseconds=instant)).astimezone(timezone)
    return f"{moment:%Y-%m-%d %H:%M:%S}".removesuffix(":00")


def _filled_in(row: Row) -> Row:
    return {field: text for field, text in row.items() if text}
