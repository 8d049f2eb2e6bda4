"""The spreadsheets that the roster is imported from: each kind's sheet, columns, choices, example.

One description for reading, for the workbook to fill in, and for whole districts. Not how a cell
is read: that is for `importing_cells`. Invariant: the examples import without a refusal.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal, NamedTuple

from ledger.roster.words import CHOICES, KIND_WORDS

Form = Literal[
    "code", "named", "line", "note", "choice", "day", "time", "count", "pseudonym", "person",
    "phone", "document",
]  # fmt: skip
"""What a cell holds; "named": the code of something, or its name; "person": somebody's name."""


class Field(NamedTuple):
    """A column: its Chinese and English header, and what its cells hold.

    `names` is the kind that a "named" cell names, `many` whether it may name several. `choices`
    has the Chinese word of each value.
    """

    field: str
    header: str
    english: str
    form: Form
    required: bool = False
    names: str = ""
    many: bool = False
    choices: Mapping[str, str] = MappingProxyType({})
    private: bool = False
    note: str = ""


class ImportTable(NamedTuple):
    """A kind's sheet: its English name, its columns in order, rows as examples."""

    kind: str
    english: str
    fields: Sequence[Field]
    examples: Sequence[Mapping[str, str]]

    @property
    def sheet(self) -> str:
        """Its Chinese name."""
        return KIND_WORDS[self.kind]

    @property
    def by_name(self) -> dict[str, Field]:
        return {field.field: field for field in self.fields}


_CODE_NOTE = "不含空格、顿号和逗号，定了不改。 No commas; once given, it stays."
_PARTS = "多个用顿号分开。 Several are separated by commas."
_BY_NAME = "填编号，或唯一的名称。 A code, or a name that only one has."
_FROM_NOTE = "空着：一直如此，或现有的那一行。 Blank: ever since, or the row that there is."
_UNTIL_NOTE = "不再有效的第一天。 The first day on which it no longer holds."
_LEADERS_NOTE = "志愿者编号，多个用顿号分开。 Volunteer ids, separated by commas."
_TIME_NOTE = "2026-07-01 09:00"

_CODE = Field("code", "编号", "code", "code", required=True, note=_CODE_NOTE)
_NAME = Field("name_zh", "名称", "name", "line", required=True)
_NAME_EN = Field("name_en", "英文名称", "english name", "line")
_POSITION = Field("position", "顺序", "position", "count")
_UNIT = Field("unit", "所属单位编号", "unit", "named", names="unit", note=_BY_NAME)
_TEAMS = Field(
    "teams", "队伍编号", "teams", "named", names="team", many=True, note=f"{_BY_NAME} {_PARTS}"
)
_VALID = (
    Field("valid_from", "生效日期", "valid from", "day", note=_FROM_NOTE),
    Field("valid_until", "失效日期", "valid until", "day", note=_UNTIL_NOTE),
)
_MEMBER = Field("volunteer", "志愿者编号", "volunteer", "named", required=True, names="person")


def _choice(kind: str, field: str, header: str, required: bool = False) -> Field:
    """A column of a kind whose cells are words."""
    english = field.replace("_", " ")
    return Field(field, header, english, "choice", required, choices=CHOICES[kind, field])


def _named(field: str, header: str, kind: str, required: bool = False) -> Field:
    """A column that names one thing by its code or name."""
    return Field(field, header, field, "named", required, names=kind, note=_BY_NAME)


UNITS = ImportTable(
    "unit",
    "units",
    (
        _CODE,
        _choice("unit", "kind", "类别", required=True),
        _NAME,
        _NAME_EN,
        _named("parent", "上级编号", "unit"),
        *_VALID,
        _named("successor", "并入编号", "unit"),
    ),
    (
        {"code": "centre", "kind": "中心", "name_zh": "通州区新时代文明实践中心"},
        {"code": "office-01", "kind": "所", "name_zh": "金沙街道实践所", "parent": "centre"},
        {"code": "post-01", "kind": "驿站", "name_zh": "红色物业驿站", "parent": "office-01"},
    ),
)

HAVE_ITEMS = ImportTable(
    "have_item",
    "have items",
    (_CODE, _NAME, _NAME_EN, _POSITION),
    (
        {"code": "place", "name_zh": "有场所", "name_en": "Place", "position": "1"},
        {"code": "team", "name_zh": "有队伍", "name_en": "Team", "position": "2"},
    ),
)

PLATFORMS = ImportTable(
    "platform",
    "platforms",
    (_CODE, _NAME, _NAME_EN, _POSITION),
    (
        {"code": "theory", "name_zh": "理论宣讲", "name_en": "Theory", "position": "1"},
        {"code": "culture", "name_zh": "文化服务", "name_en": "Culture", "position": "3"},
    ),
)

TEAMS = ImportTable(
    "team",
    "teams",
    (
        _CODE,
        _choice("team", "kind", "类别", required=True),
        _NAME,
        _NAME_EN,
        _named("parent", "上级编号", "team"),
        _UNIT,
        Field(
            "platforms",
            "平台编号",
            "platforms",
            "named",
            names="platform",
            many=True,
            note=f"{_BY_NAME} {_PARTS}",
        ),
        Field(
            "leaders", "队长编号", "leaders", "named", names="person", many=True, note=_LEADERS_NOTE
        ),
        *_VALID,
        _named("successor", "并入编号", "team"),
    ),
    (
        {"code": "corps", "kind": "总队", "name_zh": "通州区志愿服务总队", "unit": "centre"},
        {
            "code": "choir",
            "kind": "分队",
            "name_zh": "合唱分队",
            "parent": "corps",
            "unit": "office-01",
            "platforms": "culture、theory",
            "leaders": "V7QK2M4XWDA",
        },
    ),
)

PROJECTS = ImportTable(
    "project",
    "projects",
    (
        _CODE,
        _choice("project", "kind", "类别", required=True),
        _NAME,
        _NAME_EN,
        _UNIT,
        _choice("project", "status", "状态"),
        *_VALID,
    ),
    (
        {
            "code": "project-01",
            "kind": "旗舰",
            "name_zh": "暖心向阳",
            "unit": "centre",
            "status": "进行",
            "valid_from": "2026-01-01",
        },
    ),
)

ACTIVITIES = ImportTable(
    "activity",
    "activities",
    (
        _CODE,
        Field("title", "名称", "title", "line", required=True),
        _named("platform", "平台编号", "platform"),
        _named("project", "项目编号", "project"),
        _named("unit", "单位编号", "unit", required=True),
        _TEAMS._replace(required=True),
        _choice("activity", "category", "类别"),
        Field("planned_start", "计划开始", "planned start", "time", note=_TIME_NOTE),
        Field("planned_end", "计划结束", "planned end", "time", note=_TIME_NOTE),
        Field("held_start", "实际开始", "held start", "time", note=_TIME_NOTE),
        Field("held_end", "实际结束", "held end", "time", note=_TIME_NOTE),
        Field("served", "服务人数", "served", "count"),
        Field("capacity", "名额", "capacity", "count"),
        _choice("activity", "status", "状态"),
    ),
    (
        {
            "code": "activity-0001",
            "title": "社区合唱排练",
            "platform": "culture",
            "project": "project-01",
            "unit": "office-01",
            "teams": "choir",
            "category": "培训",
            "planned_start": "2026-07-01 09:00",
            "planned_end": "2026-07-01 11:00",
            "capacity": "30",
            "status": "计划",
        },
    ),
)

PEOPLE = ImportTable(
    "person",
    "people",
    (
        Field(
            "volunteer",
            "志愿者编号",
            "volunteer",
            "pseudonym",
            note="新人空着，系统会给。 Blank for somebody new: it is given.",
        ),
        Field("name", "姓名", "name", "person", required=True, private=True),
        Field("phone", "手机号码", "phone", "phone", private=True),
        _choice("person", "document_type", "证件类型"),
        Field("document", "证件号码", "document number", "document", private=True),
        _UNIT,
        _TEAMS._replace(
            note="现在的全部队伍；空着不改。 All teams as of now; blank: as they are. " + _PARTS
        ),
        Field("joined", "加入日期", "joined", "day"),
        Field("consent", "同意日期", "consent", "day"),
        # Nobody is made "erased" by writing it: that is a deed of its own.
        _choice("person", "status", "状态"),
        Field(
            "other_person",
            "确为另一人",
            "other person",
            "choice",
            choices={"yes": "是", "no": "否"},
            note="与别人同名同手机，确为两人时填“是”。 "
            "Yes where another has the same name and phone, and they are two.",
        ),
    ),
    (
        {
            "volunteer": "V7QK2M4XWDA",
            "name": "王小明",
            "phone": "15400000001",
            "document_type": "居民身份证",
            "document": "770000199003070012",
            "unit": "office-01",
            "teams": "choir",
            "joined": "2026-01-05",
            "consent": "2026-01-05",
            "status": "在册",
        },
        {"name": "李芳", "phone": "15400000002", "unit": "office-01", "joined": "2026-01-06"},
    ),
)

MEMBERSHIPS = ImportTable(
    "membership",
    "memberships",
    (
        _MEMBER,
        _named("team", "队伍编号", "team", required=True),
        Field("since", "加入日期", "since", "day", required=True),
        Field("until", "退出日期", "until", "day", note=_UNTIL_NOTE),
    ),
    (
        {
            "volunteer": "V7QK2M4XWDA",
            "team": "corps",
            "since": "2025-03-01",
            "until": "2026-01-05",
        },
    ),
)

SIGNUPS = ImportTable(
    "signup",
    "sign-ups",
    (
        _named("activity", "活动编号", "activity", required=True),
        _MEMBER,
        Field("day", "报名日期", "day", "day"),
    ),
    ({"activity": "activity-0001", "volunteer": "V7QK2M4XWDA", "day": "2026-06-20"},),
)

HAVES = ImportTable(
    "have",
    "six haves",
    (
        _named("post", "驿站编号", "unit", required=True),
        _named("item", "项目编号", "have_item", required=True),
        _choice("have", "state", "状态", required=True),
        Field("day", "日期", "day", "day", required=True),
        Field("note", "备注", "note", "note"),
        Field("checked_by", "检查人", "checked by", "code", required=True),
    ),
    (
        {
            "post": "post-01",
            "item": "place",
            "state": "有",
            "day": "2026-06-30",
            "checked_by": "registrar",
        },
    ),
)

TABLES: Mapping[str, ImportTable] = {
    table.kind: table
    for table in (
        *(UNITS, HAVE_ITEMS, HAVES, PLATFORMS, TEAMS, PROJECTS, ACTIVITIES, PEOPLE, MEMBERSHIPS),
        SIGNUPS,
    )
}
"""By kind, in the order of `records.KINDS`."""
