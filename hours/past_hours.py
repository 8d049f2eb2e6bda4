"""Past hours as spreadsheets hold them: the table's columns, and from its rows to events.

Pure. Which volunteer and which team a row means is looked up in the roster here; what a row by
itself says is `producers.past_hours`, and which of the events are new is `past_hours_plan`.
Invariant: each row that was read ends as one line or as refused.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from ledger.adjustments import Identity
from ledger.roster.roster import Roster
from ledger.roster.vault import PrivateData, document_of, phone_of
from producers.events import Adjusted
from producers.past_hours import Flaw, PastHours, event_of, identity_of, read_row
from producers.sheets import Position, Refusal, SheetRow, Tables, TableSpec, masked
from producers.sheets.refusals import shown
from producers.sheets.workbooks import Column

KIND = "past_hours"
COLUMNS = (
    Column(
        "volunteer",
        "志愿者编号",
        "volunteer",
        "名册里的编号；不知道时可填证件号码，或手机号码和姓名",
    ),
    Column("document", "证件号码", "document number", "代替志愿者编号，需要名册密钥；不进账本"),
    Column("phone", "手机号码", "phone", "与姓名一起代替志愿者编号，需要名册密钥；不进账本"),
    Column("name", "姓名", "name", "与手机号码一起代替志愿者编号；不进账本"),
    Column("team", "队伍编号", "team", "编号，或名册里独有的队伍名称", required=True),
    Column("activity", "活动编号", "activity"),
    Column("day", "日期", "day", "服务的那一天 2026-07-01", required=True, form="date"),
    Column("hours", "时长", "hours", "1.5、1:30、1小时30分 或 90分钟；更正填负数", required=True),
    Column("by", "录入人", "entered by", "编号，不填姓名", required=True),
    Column("approved_by", "审批人", "approved by", "编号，不填姓名；与录入人不同", required=True),
    Column("reason", "原因", "reason", "为什么没有签到记录；不写姓名和号码", required=True),
    Column("id", "行号", "row id", "纸质单据的号码，可不填；同一志愿者的不能重复"),
)
SPEC = TableSpec(
    KIND,
    ("补录", "past hours"),
    {one.field: (one.header, one.english) for one in COLUMNS},
    frozenset(one.field for one in COLUMNS if one.required),
    private=frozenset(("volunteer", "document", "phone", "name")),
    dates=frozenset(("day",)),
)


EXAMPLES = (
    {
        **{"volunteer": "V7K2M9QXTA1", "team": "书画队", "day": "2026-02-05", "hours": "1:30"},
        **{"by": "leader-12", "approved_by": "leader-07", "reason": "签到机停电，见纸质签到表"},
    },
    {
        **{"volunteer": "V3N8R5WZBC2", "team": "护江队", "day": "2026-02-06", "hours": "90分钟"},
        **{"by": "leader-12", "approved_by": "leader-07", "reason": "系统启用前", "id": "2026-017"},
    },
)

_UNKNOWN_PERSON = Flaw(
    "document",
    "unknown-person",
    "名册里没有这个人：请先导入志愿者，或填志愿者编号。 "
    "The roster has no such person: import people first, or give the volunteer's id.",
    private=True,
)
_SEVERAL_PEOPLE = Flaw(
    "document",
    "several-people",
    "名册里有几个人符合：请填志愿者编号。 "
    "Several people in the roster match: give the volunteer's id.",
    private=True,
)
_OTHER_PERSON = Flaw(
    "volunteer",
    "other-person",
    "编号和证件（或手机和姓名）不是同一个人：请改正其中一个。 "
    "The id is not that of the person with this document, or phone and name: correct one of them.",
    private=True,
)
_SEVERAL_TEAMS = Flaw(
    "team",
    "several-teams",
    "名册里有几支同名队伍：请填队伍编号。 "
    "Several teams in the roster have this name: give the team's code.",
)


class Line(NamedTuple):
    """A row and the event it becomes."""

    position: Position
    row: PastHours
    event: Adjusted

    @property
    def identity(self) -> Identity:
        return self.event.subject, self.event.id


Who = Callable[[Mapping[str, str]], set[str]]
"""The volunteers whose document number, or phone and name, these cells hold."""


def nobody(cells: Mapping[str, str]) -> set[str]:
    """For where no row names a person but by id."""
    return set()


def by_private_data(people: Mapping[str, PrivateData]) -> Who:
    """Looks for people among those in the roster."""
    documents, phones = defaultdict[str, set[str]](set), defaultdict[tuple[str, str], set[str]](set)
    for volunteer, data in people.items():
        if (document := document_of(data)) is not None:
            documents[document[1]].add(volunteer)
        if (phone := phone_of(data)) is not None:
            phones[phone].add(volunteer)

    def who(cells: Mapping[str, str]) -> set[str]:
        if "document" in cells:
            return documents.get(cells["document"].upper(), set())
        return phones.get((cells.get("phone", ""), cells.get("name", "")), set())

    return who


def private_cells(tables: Tables) -> tuple[bool, bool]:
    """Whether some row holds private data of a person, and whether one says who by that alone."""
    rows = [row.cells for row in tables.rows[KIND] if _names_person(row.cells)]
    return bool(rows), any("volunteer" not in cells for cells in rows)


class Lines(NamedTuple):
    """Rows as events, in the order of the files, and what was refused."""

    lines: list[Line]
    refusals: list[Refusal]


def lines_of(tables: Tables, roster: Roster, who: Who, today: str, entered_at: int) -> Lines:
    """`today` is an ISO date in the ledger's timezone, `entered_at` its first microsecond."""
    reading = _Reading(tables, roster, who, today, entered_at)
    for row in tables.rows[KIND]:
        reading.take(row)
    return Lines(reading.lines, [*tables.refusals, *reading.refusals])


class _Reading:
    def __init__(
        self, tables: Tables, roster: Roster, who: Who, today: str, entered_at: int
    ) -> None:
        self.lines: list[Line] = []
        self.refusals: list[Refusal] = []
        self._columns = tables.columns
        self._team_of = _teams(roster)
        self._who = who
        self._today = today
        self._entered_at = entered_at
        self._turns: Counter[tuple[str, PastHours]] = Counter()

    def take(self, row: SheetRow) -> None:
        read = read_row(row.cells, self._today)
        if not isinstance(read, PastHours):
            self._refuse(row, read)
            return
        volunteer = self._person(read, row.cells)
        team = self._team_of(read.team, read.day)
        found = [one for one in (volunteer, team) if isinstance(one, Flaw)]
        if isinstance(volunteer, Flaw) or isinstance(team, Flaw):
            self._refuse(row, found)
            return
        read = read._replace(volunteer=volunteer)
        self._turns[row.position.file, read] += 1
        id = identity_of(read, volunteer, self._turns[row.position.file, read])
        event = event_of(read, volunteer, team, id, self._entered_at, _origin(row.position))
        self.lines.append(Line(row.position, read, event))

    def _person(self, row: PastHours, cells: Mapping[str, str]) -> str | Flaw:
        found = self._who(cells) if _names_person(cells) else set()
        if row.volunteer is not None:
            return row.volunteer if row.volunteer in (found or {row.volunteer}) else _OTHER_PERSON
        if len(found) == 1:
            return next(iter(found))
        field = "document" if "document" in cells else "phone"
        return (_SEVERAL_PEOPLE if found else _UNKNOWN_PERSON)._replace(field=field)

    def _refuse(self, row: SheetRow, flaws: Iterable[Flaw]) -> None:
        self.refusals += [refused(row.position, row.cells, one, self._columns) for one in flaws]


def refused(
    position: Position,
    cells: Mapping[str, str],
    flaw: Flaw,
    columns: Mapping[tuple[str, str], Mapping[str, tuple[str, str]]],
) -> Refusal:
    """A flaw as a refusal of a sheet's cell."""
    letter, header = columns.get(position[:2], {}).get(flaw.field, ("", ""))
    value = cells.get(flaw.field, "")
    quoted = shown(masked(value) if flaw.private else value)
    return Refusal(*position, letter, header, quoted, flaw.reason, flaw.what)


def _origin(position: Position) -> str:
    """Sheet and row as Excel writes them; of a CSV file, which has one sheet, the row."""
    return f"{position.sheet.strip()}!{position.row}" if position.sheet else str(position.row)


def _names_person(cells: Mapping[str, str]) -> bool:
    return "document" in cells or {"phone", "name"} <= cells.keys()


def _teams(roster: Roster) -> Callable[[str, str], str | Flaw]:
    """Which team's code a code or a Chinese name stands for, on a day."""
    named: defaultdict[str, set[str]] = defaultdict(set)
    for code, rows in roster.teams.items():
        for row in rows:
            named[row.name_zh].add(code)

    def team_of(text: str, day: str) -> str | Flaw:
        if text in roster.teams or text not in named:
            return text
        codes = named[text]
        then = {code for code in codes if _is_called(roster, code, text, day)}
        only = then if len(then) == 1 else codes
        return next(iter(only)) if len(only) == 1 else _SEVERAL_TEAMS

    return team_of


def _is_called(roster: Roster, code: str, name: str, day: str) -> bool:
    return any(row.name_zh == name and row.holds_on(day) for row in roster.teams[code])
