"""A random small district and ledger, and reports of it added up entry by entry, by rules alone.

Units and teams are renamed, moved and merged, some in a circle; entries name codes that nobody
knows. Nothing here uses the product's own grouping.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

from ledger.merkle import leaf_hash
from ledger.policy import SECOND, Policy, iso_utc
from ledger.roster.records import Activity, Person, Platform, Project, Record, Team, Unit

POLICY = Policy(shard_count=2)
FIRST = date(2026, 1, 28)
DAYS = [(FIRST + timedelta(days=n)).isoformat() for n in range(12)]
TODAY = DAYS[9]
LEVELS = ("centre", "office", "station", "point", "post")
NOON = 1_769_572_800 * SECOND  # of the first day, in Shanghai
DAY = 86_400 * SECOND

Group = str
"""A code, or one of these."""
UNKNOWN, NONE = "?", "-"


class Row(NamedTuple):
    """An entry, as far as reports look at it."""

    shard: int
    seq: int
    type: str
    volunteer: str
    team: str
    place: str
    activity: str
    day: str
    sessions: int
    seconds: int
    recorded_at: int

    def stored(self) -> tuple[Any, ...]:
        """As a row of `entries`; its bytes hold what is looked for in them."""
        body = (
            f'{{"reason":"\\"recorded_at\\":\\"2999","recorded_at":"{iso_utc(self.recorded_at)}",'
            f'"seq":{self.seq}}}'
        ).encode()
        return (*self[:4], f"{self.shard}-{self.seq}", *self[4:10], body, leaf_hash(body))


@dataclass
class World:
    """A roster's records and a ledger's rows."""

    records: list[Record]
    rows: list[Row]

    def of(self, kind: type) -> dict[str, list[Any]]:
        """Records of a kind by code, the oldest first."""
        found = defaultdict(list)
        for record in self.records:
            if isinstance(record, kind):
                found[record.key[0]].append(record)
        return {
            code: sorted(rows, key=lambda one: getattr(one, "valid_from", ""))
            for code, rows in found.items()
        }


def random_world(seed: int, entries: int = 150) -> World:
    """The world of a seed."""
    rng = random.Random(seed)
    return World(random_roster(rng), random_rows(rng, entries))


def random_roster(rng: random.Random) -> list[Record]:
    kinds = ["centre", "office", "office", *["station"] * 3, *["point"] * 2, *["post"] * 2]
    units = [f"u{n}" for n in range(len(kinds))]
    teams = [f"t{n}" for n in range(6)]
    found: list[Record] = [
        *(Platform(code=f"p{n}", name_zh=f"平台{n}", position=3 - n) for n in range(3)),
        *(Project(code=f"j{n}", kind="village", name_zh=f"项目{n}") for n in range(2)),
        *(Person(volunteer=f"V{n}") for n in range(4)),
    ]
    for n, code in enumerate(units):
        above = units[: max(1, n - 1)] if rng.random() < 0.9 else units
        for period in _periods(rng, units):
            parent = rng.choice([*above, *above, None]) if n else None
            found.append(Unit(code=code, kind=kinds[n], name_zh=code, parent=parent, **period))
    for n, code in enumerate(teams):
        for period in _periods(rng, teams):
            kind = rng.choice(["professional", "detachment", "education"]) if n else "corps"
            served = tuple(rng.sample(["p0", "p1", "p2"], rng.choice([0, 1, 1, 2])))
            parent = rng.choice([teams[0], teams[max(0, n - 1)], None]) if n else None
            found.append(
                Team(code=code, kind=kind, name_zh=code, parent=parent, platforms=served, **period)
            )
    for n in range(8):
        held = NOON + rng.randrange(12) * DAY if rng.random() < 0.8 else None
        found.append(
            Activity(
                code=f"a{n}",
                title=f"活动{n}",
                platform=rng.choice(["p0", "p1", None]),
                project=rng.choice(["j0", "j1", None]),
                unit=rng.choice(units),
                teams=tuple(rng.sample(teams, rng.choice([1, 1, 2, 3]))),
                held_start=held,
                served=rng.choice([None, 0, 7, 30]),
                status="held" if held and rng.random() < 0.9 else "planned",
            )
        )
    return found


def _periods(rng: random.Random, codes: Sequence[str]) -> list[dict[str, Any]]:
    """One period or two, the last of them ended or merged into another code now and then."""
    cuts = sorted(rng.sample(DAYS, 2))
    ends: dict[str, Any] = {}
    if rng.random() < 0.4:
        ends = {"valid_until": cuts[1], "successor": rng.choice([*codes, None])}
    if rng.random() < 0.4:
        gap = rng.choice([cuts[0], (date.fromisoformat(cuts[0]) - timedelta(days=2)).isoformat()])
        return [{"valid_until": gap}, {"valid_from": cuts[0], **ends}]
    return [{"valid_from": rng.choice(["0001-01-01", DAYS[0]]), **ends}]


def random_rows(rng: random.Random, count: int) -> list[Row]:
    seqs, at = [1, 1], NOON
    credits: list[Row] = []
    found = []
    for _ in range(count):
        shard, chance = rng.randrange(2), rng.random()
        at += rng.randrange(2 * 3_600) * SECOND
        recorded_at = at - rng.choice([0, 0, rng.randrange(3_000) * SECOND])
        new = Row(
            shard,
            seqs[shard],
            "credit",
            f"V{rng.randrange(6)}",
            rng.choice([f"t{rng.randrange(6)}", f"t{rng.randrange(6)}", "t?"]),
            rng.choice([f"u{rng.randrange(10)}", f"u{rng.randrange(10)}", "u?"]),
            rng.choice(["", "", *(f"a{n}" for n in range(8)), "a?"]),
            rng.choice(DAYS),
            1,
            rng.choice([0, rng.randrange(20_000)]),
            recorded_at,
        )
        if chance < 0.15:
            seconds = rng.randrange(-9_000, 9_000)
            new = new._replace(type="adjustment", place="", sessions=0, seconds=seconds)
        elif chance < 0.35 and credits:
            back = credits.pop(rng.randrange(len(credits)))
            new = new._replace(type="reversal", sessions=-1, seconds=-back.seconds)
            new = new._replace(**{name: getattr(back, name) for name in Row._fields[3:8]})
        else:
            credits.append(new)
        seqs[shard] += 1
        found.append(new)
    return found


# What a report should say


class Asked(NamedTuple):
    """A question: pairs of dimension and level, and what alone is counted."""

    by: tuple[tuple[str, str], ...]
    today: str | None = TODAY
    first: str = "0001-01-01"
    last: str = "9999-12-31"
    only: Mapping[str, str] = {}
    as_of: int | None = None


Figures = tuple[int, int, int, int | None, int | None]
"""Seconds, sessions, volunteers, activities, served."""


def added_up(world: World, asked: Asked) -> tuple[dict[tuple[Group, ...], Figures], Figures]:
    """Each group's figures, those of nothing left out, and the whole's."""
    sums: dict[tuple[Group, ...], dict[str, list[int]]] = defaultdict(
        lambda: defaultdict(lambda: [0, 0])
    )
    everybody: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in _held_then(world, asked.as_of):
        if not is_counted(world, asked, row._asdict()):
            continue
        group = groups_of(world, asked, row._asdict())
        for person in (sums[group][row.volunteer], everybody[row.volunteer]):
            person[0] += row.seconds
            person[1] += row.sessions
    held: dict[tuple[Group, ...], list[int]] = defaultdict(lambda: [0, 0])
    all_held = [0, 0]
    of_people = "volunteer" in {*dict(asked.by), *asked.only}
    for one in [] if of_people else _activities(world):
        groups = {groups_of(world, asked, at) for at in one["at"] if is_counted(world, asked, at)}
        for found in (*(held[group] for group in groups), *([all_held] if groups else [])):
            found[0] += 1
            found[1] += one["served"]

    def figures(people: Mapping[str, list[int]], of_held: list[int]) -> Figures:
        return (
            sum(seconds for seconds, _ in people.values()),
            sum(sessions for _, sessions in people.values()),
            sum(seconds > 0 or sessions > 0 for seconds, sessions in people.values()),
            *((None, None) if of_people else of_held),
        )

    rows = {group: figures(sums[group], held[group]) for group in {*sums, *held}}
    return {
        group: found for group, found in rows.items() if found[0] or found[1] or found[3]
    }, figures(everybody, all_held)


def _held_then(world: World, as_of: int | None) -> Iterable[Row]:
    over: set[int] = set()
    for row in world.rows:
        if as_of is not None and row.recorded_at > as_of:
            over.add(row.shard)
        if row.shard not in over:
            yield row


def _activities(world: World) -> Iterable[dict[str, Any]]:
    for (one,) in world.of(Activity).values():
        if one.status == "held":
            at = {"place": one.unit, "activity": one.code, "volunteer": ""}
            at["day"] = POLICY.civil_day(one.held_start)
            yield {"served": one.served or 0, "at": [{**at, "team": team} for team in one.teams]}


def is_counted(world: World, asked: Asked, at: Mapping[str, Any]) -> bool:
    if not asked.first <= at["day"] <= asked.last:
        return False
    for name, code in asked.only.items():
        if name in ("unit", "team"):
            kind, used = (Unit, at["place"]) if name == "unit" else (Team, at["team"])
            line = line_of(world.of(kind), used, asked.today or at["day"])
            if code not in [row.code for row in line]:
                return False
        elif name in ("platform", "project"):
            if groups_of(world, asked._replace(by=((name, ""),)), at) != (code,):
                return False
        elif at[name] != code:
            return False
    return True


def groups_of(world: World, asked: Asked, at: Mapping[str, Any]) -> tuple[Group, ...]:
    tree = asked.today or at["day"]
    activities, found = world.of(Activity), []
    activity = activities[at["activity"]][0] if at["activity"] in activities else None
    for name, level in asked.by:
        if name == "unit":
            found.append(_unit(world, at["place"], level, tree))
        elif name == "team":
            found.append(_team(world, at["team"], level, tree))
        elif name == "platform":
            found.append(_platform(world, activity, at))
        elif name in ("project", "activity"):
            code = activity and (activity.project if name == "project" else activity.code)
            is_unknown = at["activity"] and activity is None
            found.append(UNKNOWN if is_unknown else code or NONE)
        elif name == "volunteer":
            found.append(at["volunteer"] if at["volunteer"] in world.of(Person) else UNKNOWN)
        else:
            year, week, _ = date.fromisoformat(at["day"]).isocalendar()
            times = {"day": at["day"], "week": f"{year}-W{week:02}", "month": at["day"][:7]}
            found.append(times[name])
    return tuple(found)


def _unit(world: World, code: str, level: str, day: str) -> Group:
    line = line_of(world.of(Unit), code, day)
    if not line:
        return UNKNOWN if code else NONE
    high = [row for row in line if LEVELS.index(row.kind) <= LEVELS.index(level)]
    return str((high[0] if high else line[-1]).code)


def _team(world: World, code: str, level: str, day: str) -> Group:
    line = line_of(world.of(Team), code, day)
    if not line:
        return UNKNOWN
    corps = [row for row in line if row.kind == "corps"]
    if level == "corps":
        return str((corps[0] if corps else line[-1]).code)
    return str(line[0].kind if level == "kind" else line[0].code)


def _platform(world: World, activity: Activity | None, at: Mapping[str, Any]) -> Group:
    if activity is not None and activity.platform is not None:
        return activity.platform
    team = standing(world.of(Team), at["team"], at["day"])
    if team is not None and len(team.platforms) == 1:
        return str(team.platforms[0])
    return UNKNOWN if team is None or (at["activity"] and activity is None) else NONE


def line_of(rows: Mapping[str, list[Any]], code: str, day: str) -> list[Any]:
    """A code's row on a day and those above it."""
    line: list[Any] = []
    row = standing(rows, code, day)
    while row is not None and row.code not in [one.code for one in line]:
        line.append(row)
        row = standing(rows, row.parent, day) if row.parent else None
    return line


def standing(rows: Mapping[str, list[Any]], code: str, day: str) -> Any:
    """What counts for a code on a day: the nearest of its rows, or of what it was merged into."""
    followed: list[str] = []
    while code in rows:
        followed.append(code)
        holding = [row for row in rows[code] if row.holds_on(day)]
        ended = [row for row in rows[code] if row.valid_until and row.valid_until <= day]
        row = (holding or ended[::-1] or rows[code])[0]
        merged = row not in holding and row in ended and row.successor in rows
        if not merged or row.successor in followed:
            return row
        code = row.successor
    return None
