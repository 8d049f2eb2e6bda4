"""From a roster and a question to the plan of its report: every code's groups, and what was held.

Pure. Invariant: what is counted where depends on the roster, the question and the day served,
never on what else is in the ledger.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import NamedTuple, TypeVar, cast

from ledger.roster.records import EVER, UNIT_LEVELS, Team, Unit, UnitKind
from ledger.roster.reports_grouping import NONE, CodeRow, Codes, Held, Label, Plan
from ledger.roster.reports_question import TIMES, Question
from ledger.roster.reports_tree import EVER_AFTER, Span, Tree, corps_of, unit_at
from ledger.roster.roster import Roster
from ledger.roster.words import CHOICES

_TEAM_KINDS = CHOICES[Team.KIND, "kind"]
_Order = tuple[int | str, ...]
_Row = TypeVar("_Row", Unit, Team)


class Occasion(NamedTuple):
    """What a report wants to know of an activity; `day` is the one it was held on, if it was."""

    code: str
    title: str
    platform: str | None
    project: str | None
    unit: str
    teams: tuple[str, ...]
    day: str | None
    served: int


def plan(
    roster: Roster,
    occasions: Sequence[Occasion],
    question: Question,
    days: Iterable[str],
    apart: bool = False,
) -> Plan:
    """The plan of a checked question; `days` are those on which the ledger has entries.

    The roster's activities come apart from it, as occasions. `apart`: each grouping is a part by
    itself, instead of all of them together.
    """
    dimensions = tuple(one.dimension for one in question.by)
    filters = [name for name in ("platform", "project") if getattr(question, name) is not None]
    needed = {*dimensions, *filters}
    held = [] if question.of_people else list(_held(occasions, question))
    parts: list[_Part] = []
    # An activity's platform goes before its team's: activities come first.
    if needed & {"platform", "project", "activity"}:
        parts.append(_activities(roster, occasions))
    if "unit" in needed or question.unit is not None:
        parts.append(_units(roster, question))
    if needed & {"team", "platform"} or question.team is not None:
        parts.append(_teams(roster, question))
    if needed & set(TIMES):
        parts.append(_times({*days, *(day for _, day in held)}))
    groups = {name: found for part in parts for name, found in part.groups.items()}
    made = Plan(
        question,
        [(name,) for name in dimensions] if apart else [dimensions],
        [part.codes for part in parts],
        {name: found.labels for name, found in groups.items()},
        {name: groups[name].numbers[getattr(question, name)] for name in filters},
    )
    return made if question.of_people else _with_held(made, held)


class _Groups(NamedTuple):
    """The groups of one dimension in their order, and the number of each code."""

    labels: Sequence[Label]
    numbers: Mapping[str, int]


class _Part(NamedTuple):
    """One column's codes, and the groups of the dimensions that they give."""

    codes: Codes
    groups: Mapping[str, _Groups]


def _groups(
    names: Mapping[str, str], order: Callable[[str], _Order] = lambda code: (code,)
) -> _Groups:
    ordered = sorted(names, key=order)
    return _Groups(
        [Label(code, names[code]) for code in ordered],
        {code: number for number, code in enumerate(ordered)},
    )


def _activities(roster: Roster, occasions: Iterable[Occasion]) -> _Part:
    platforms = _platforms(roster)
    projects = _groups({code: rows[-1].name_zh for code, rows in roster.projects.items()})
    activities = _groups({one.code: one.title for one in occasions})
    rows = [CodeRow("", EVER, EVER_AFTER, (None, NONE, NONE))]
    for one in occasions:
        numbers = (
            platforms.numbers.get(one.platform or ""),
            projects.numbers.get(one.project or "", NONE),
            activities.numbers[one.code],
        )
        rows.append(CodeRow(one.code, EVER, EVER_AFTER, numbers))
    groups = {"platform": platforms, "project": projects, "activity": activities}
    return _Part(Codes("activity", tuple(groups), rows), groups)


def _platforms(roster: Roster) -> _Groups:
    return _groups(
        {code: one.name_zh for code, one in roster.platforms.items()},
        lambda code: (roster.platforms[code].position, code),
    )


def _units(roster: Roster, question: Question) -> _Part:
    level = cast(UnitKind, _level(question, "unit", "office"))
    found = list(_spans(Tree(roster.units), roster.units, question, question.unit))
    at = [unit_at(span.line, level) for _, span in found]
    groups = _groups(_latest_names(at, lambda unit: _unit_name(unit, level)))
    rows = [
        CodeRow(code, span.start, span.stop, (groups.numbers[unit.code],))
        for (code, span), unit in zip(found, at, strict=True)
    ]
    rows += [] if question.unit else [CodeRow("", EVER, EVER_AFTER, (NONE,))]
    codes = Codes("place", ("unit",), rows, only=question.unit is not None)
    return _Part(codes, {"unit": groups})


def _unit_name(unit: Unit, level: UnitKind) -> str:
    """A unit above the level stands for what is served there itself, not for all beneath it."""
    is_above = UNIT_LEVELS.index(unit.kind) < UNIT_LEVELS.index(level)
    return f"{unit.name_zh}（本级）" if is_above else unit.name_zh


def _teams(roster: Roster, question: Question) -> _Part:
    level = _level(question, "team", "team")
    tree, platforms = Tree(roster.teams), _platforms(roster)
    found = list(_spans(tree, roster.teams, question, question.team))
    at = [corps_of(span.line) if level == "corps" else span.line[0] for _, span in found]
    if level == "kind":
        groups = _groups(_TEAM_KINDS, lambda kind: (list(_TEAM_KINDS).index(kind),))
    else:
        groups = _groups(_latest_names(at, lambda team: team.name_zh))
    rows = []
    for (code, span), team in zip(found, at, strict=True):
        number = groups.numbers[team.kind if level == "kind" else team.code]
        for start, stop, platform in _only_platforms(tree, code, span, platforms):
            rows.append(CodeRow(code, start, stop, (number, platform)))
    rows += [] if question.team else [CodeRow("", EVER, EVER_AFTER, (NONE, None))]
    codes = Codes("team", ("team", "platform"), rows, only=question.team is not None)
    return _Part(codes, {"team": groups, "platform": platforms})


def _only_platforms(
    tree: Tree[Team], code: str, span: Span[Team], platforms: _Groups
) -> Iterator[tuple[str, str, int | None]]:
    """A team's platform, if it had exactly one on the day, whatever tree is asked for."""
    for then in tree.spans(code, today=None):
        start, stop = max(span.start, then.start), min(span.stop, then.stop)
        if start < stop:
            served = then.line[0].platforms
            yield start, stop, platforms.numbers.get(served[0]) if len(served) == 1 else None


def _spans(
    tree: Tree[_Row], codes: Iterable[str], question: Question, only: str | None
) -> Iterator[tuple[str, Span[_Row]]]:
    """The lines of codes within the question's days; only those with one code in them, if asked."""
    for code in codes:
        for span in tree.spans(code, question.today):
            is_asked = span.start <= question.last and question.first < span.stop
            if is_asked and (only is None or any(row.code == only for row in span.line)):
                yield code, span


def _latest_names(rows: Iterable[_Row], name: Callable[[_Row], str]) -> dict[str, str]:
    """Each code's name in its newest row among these."""
    return {row.code: name(row) for row in sorted(rows, key=lambda row: row.valid_from)}


def _level(question: Question, dimension: str, otherwise: str) -> str:
    return next((one.level for one in question.by if one.dimension == dimension), otherwise)


def _times(days: Iterable[str]) -> _Part:
    ordered = sorted(filter(_is_day, days))
    groups = {
        "day": _groups({day: day for day in ordered}),
        "week": _groups({_week(day): _week(day) for day in ordered}),
        "month": _groups({day[:7]: day[:7] for day in ordered}),
    }
    rows = []
    for day in ordered:
        each = (("day", day), ("week", _week(day)), ("month", day[:7]))
        numbers = tuple(groups[name].numbers[code] for name, code in each)
        rows.append(CodeRow(day, EVER, EVER_AFTER, numbers))
    return _Part(Codes("day", TIMES, rows), groups)


def _is_day(text: str) -> bool:
    """Whether it is one; what was tampered with may hold anything, and is UNKNOWN then."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _week(day: str) -> str:
    """The ISO 8601 week of a day: 2026-W09."""
    year, week, _ = date.fromisoformat(day).isocalendar()
    return f"{year:04}-W{week:02}"


def _held(occasions: Iterable[Occasion], question: Question) -> Iterator[tuple[Occasion, str]]:
    """Those held within the question's days, each with its day."""
    for one in occasions:
        if one.day is None or question.activity not in (None, one.code):
            continue
        if question.first <= one.day <= question.last:
            yield one, one.day


def _with_held(made: Plan, held: Sequence[tuple[Occasion, str]]) -> Plan:
    """An activity counts once in each group that one of its teams is in, and once in all."""
    each = [(one, groups) for one, day in held if (groups := _groups_of(made, one, day))]
    return replace(
        made,
        held=[_held_in(made, part, each) for part in made.parts],
        held_in_all=Held((), len(each), sum(one.served for one, _ in each)),
    )


def _groups_of(made: Plan, one: Occasion, day: str) -> list[tuple[int, ...]]:
    """The groups of each of its teams that is counted."""
    at = {"place": one.unit, "activity": one.code, "day": day}
    of_teams = (made.groups_of({**at, "team": team}) for team in one.teams or ("",))
    return [groups for groups in of_teams if groups is not None]


def _held_in(
    made: Plan, part: Sequence[str], each: Iterable[tuple[Occasion, list[tuple[int, ...]]]]
) -> list[Held]:
    positions = [made.dimensions.index(name) for name in part]
    activities: Counter[tuple[int, ...]] = Counter()
    served: Counter[tuple[int, ...]] = Counter()
    for one, of_teams in each:
        for groups in {tuple([groups[at] for at in positions]) for groups in of_teams}:
            activities[groups] += 1
            served[groups] += one.served
    return [Held(groups, number, served[groups]) for groups, number in activities.items()]
