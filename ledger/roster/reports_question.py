"""What a report can be asked: by what to group, of which days, under which tree, and of what alone.

Pure. Invariant: a question names each grouping once, and what it filters by exists in the roster,
or it was refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from ledger.evidence.moments import SignedMoment
from ledger.refusals import LedgerRefusal
from ledger.roster.records import EVER, UNIT_LEVELS, Team, Unit
from ledger.roster.reports_tree import Tree
from ledger.roster.roster import Roster

Dimension = Literal[
    "unit", "team", "platform", "project", "activity", "volunteer", "day", "week", "month"
]
TIMES: tuple[Dimension, ...] = ("day", "week", "month")
LEVELS: dict[str, tuple[str, ...]] = {"unit": UNIT_LEVELS, "team": ("team", "corps", "kind")}
_USUAL_LEVEL = {"unit": "office", "team": "team"}
LAST_DAY = "9999-12-31"


class WrongQuestion(LedgerRefusal):
    """A report was asked for something that isn't there; the message says what there is."""


class Grouping(NamedTuple):
    """One thing to group by; `level` of units and teams, empty for all others."""

    dimension: Dimension
    level: str = ""


@dataclass(frozen=True)
class Question:
    """Days are ISO dates, both included. `today`: the tree as it is then; None: as it was served.

    `as_of`: what the ledger held then, microseconds since the epoch, or at a signed moment; None:
    what it holds.
    """

    by: tuple[Grouping, ...] = ()
    first: str = EVER
    last: str = LAST_DAY
    today: str | None = None
    unit: str | None = None
    team: str | None = None
    platform: str | None = None
    project: str | None = None
    activity: str | None = None
    volunteer: str | None = None
    as_of: int | SignedMoment | None = None

    @property
    def of_people(self) -> bool:
        """Whether it is about volunteers, of whom the roster can't say what was held."""
        return self.volunteer is not None or Grouping("volunteer") in self.by


def groupings(given: Sequence[str]) -> tuple[Grouping, ...]:
    """From `unit:office`, `month`. WrongQuestion where there is no such grouping, or twice."""
    found = tuple(_grouping(text) for text in given)
    names = [one.dimension for one in found]
    if len(set(names)) != len(names):
        raise WrongQuestion(
            f"--by {' --by '.join(given)} 重复了：每种分组只写一次。 "
            f"--by {' --by '.join(given)}: each grouping once."
        )
    return found


def check(question: Question, roster: Roster) -> None:
    """WrongQuestion where the roster lacks what is filtered by, or days end before they begin."""
    if question.last < question.first:
        raise WrongQuestion(
            f"结束日期 {question.last} 早于开始日期 {question.first}：请对调。 "
            f"--to {question.last} is before --from {question.first}: exchange them."
        )
    known = (
        ("unit", "单位", roster.units),
        ("team", "队伍", roster.teams),
        ("platform", "平台", roster.platforms),
        ("project", "项目", roster.projects),
    )
    for field, name, codes in known:
        code = getattr(question, field)
        if code is not None and code not in codes:
            raise WrongQuestion(
                f"名册里没有{name} {code}：用 hours roster list {field} 查看编号；"
                "名册还没有登记的编号见 hours roster unknown。 "
                f"The roster has no {field} {code}: see hours roster list {field}, and "
                "hours roster unknown for codes it lacks."
            )
    if question.today is not None and question.unit is not None:
        _refuse_merged(question.unit, question.today, Tree(roster.units))
    if question.today is not None and question.team is not None:
        _refuse_merged(question.team, question.today, Tree(roster.teams))


def _refuse_merged(code: str, today: str, tree: Tree[Unit] | Tree[Team]) -> None:
    """Under the tree as it is, all that a merged code had counts for what it was merged into."""
    row = tree.standing(code, today)
    if row is not None and row.code != code:
        raise WrongQuestion(
            f"{code} 已并入 {row.code}：请查 {row.code}，或加 --tree then 看合并前。 "
            f"{code} was merged into {row.code}: ask for {row.code}, or, to see it as it was, "
            "with --tree then."
        )


def _grouping(text: str) -> Grouping:
    name, _, level = text.partition(":")
    levels = LEVELS.get(name, ())
    for dimension in get_args(Dimension):
        if name == dimension and (level in levels or not level):
            return Grouping(dimension, level or _USUAL_LEVEL.get(name, ""))
    known = [*(f"{one}:{level}" for one, some in LEVELS.items() for level in some)]
    known += [one for one in get_args(Dimension) if one not in LEVELS]
    raise WrongQuestion(
        f"不能按 {text} 分组：可用 {'、'.join(known)}。 "
        f"There is no grouping {text}: there are {', '.join(known)}."
    )
