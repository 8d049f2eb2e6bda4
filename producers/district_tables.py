"""Spreadsheets of a district as rows of text: those that ship, and how any is written as CSV.

It knows headers and words, not what a row means; reading what others wrote is not its work.
Invariant: a row has a text for each field that is filled in, and no blank ones.
"""

import csv
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import TextIO

Row = dict[str, str]

_CODED = {"code": "编号", "name_zh": "名称", "name_en": "英文名称"}
_SORTED = {"code": "编号", "kind": "类别", "name_zh": "名称", "name_en": "英文名称"}
_VALID = {"valid_from": "生效日期", "valid_until": "失效日期"}
HEADERS: Mapping[str, Mapping[str, str]] = {
    "unit": {**_SORTED, "parent": "上级编号", **_VALID, "successor": "并入编号"},
    "have_item": {**_CODED, "position": "顺序"},
    "have": {
        "post": "驿站编号",
        "item": "项目编号",
        "state": "状态",
        "day": "日期",
        "note": "备注",
        "checked_by": "检查人",
    },
    "platform": {**_CODED, "position": "顺序"},
    "team": {
        **_SORTED,
        "parent": "上级编号",
        "unit": "所属单位编号",
        "platforms": "平台编号",
        "leaders": "队长编号",
        **_VALID,
        "successor": "并入编号",
    },
    "project": {**_SORTED, "unit": "所属单位编号", "status": "状态", **_VALID},
    "activity": {
        "code": "编号",
        "title": "名称",
        "platform": "平台编号",
        "project": "项目编号",
        "unit": "单位编号",
        "teams": "队伍编号",
        "category": "类别",
        "planned_start": "计划开始",
        "planned_end": "计划结束",
        "held_start": "实际开始",
        "held_end": "实际结束",
        "served": "服务人数",
        "capacity": "名额",
        "status": "状态",
    },
    "person": {
        "volunteer": "志愿者编号",
        "name": "姓名",
        "phone": "手机号码",
        "document_type": "证件类型",
        "document": "证件号码",
        "unit": "所属单位编号",
        "teams": "队伍编号",
        "joined": "加入日期",
        "consent": "同意日期",
        "status": "状态",
    },
}
"""Each kind's fields, in the order of their columns, with their Chinese headers."""

UNIT_KINDS = {"中心": "centre", "所": "office", "站": "station", "点": "point", "驿站": "post"}
TEAM_WORDS = {
    "corps": "总队",
    "professional": "分队",
    "detachment": "支队",
    "education": "教育队",
    "other": "其他",
}
TEAM_KINDS = {word: kind for kind, word in TEAM_WORDS.items()}
CATEGORIES = {
    "training": "培训",
    "performance": "演出",
    "visit": "走访",
    "class": "课堂",
    "talk": "宣讲",
    "service": "服务",
    "other": "其他",
}
BETWEEN_CODES = "、"

_SEED_FILES = {
    "unit": "units",
    "have_item": "have-items",
    "have": "six-haves",
    "platform": "platforms",
    "team": "teams",
    "project": "projects",
}


def seed_tables() -> dict[str, list[Row]]:
    """The rows of the seed district by kind: everything but its people and activities.

    Offices and some stations, posts and projects bear names that are public; which station lies
    where, and all else, is invented.
    """
    folder = files("producers") / "seed_district"
    return {
        kind: _read(kind, (folder / f"{name}.csv").read_text(encoding="utf-8"))
        for kind, name in _SEED_FILES.items()
    }


def write_csv(kind: str, rows: Iterable[Row], out: TextIO) -> int:
    """Rows of one kind under its Chinese headers, all columns; returns how many. `out` as UTF-8."""
    writer = csv.writer(out, lineterminator="\n")
    fields = HEADERS[kind]
    writer.writerow(fields.values())
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007
        writer.writerow(row.get(field, "") for field in fields)
    return count


def _read(kind: str, text: str) -> list[Row]:
    field_of = {header: field for field, header in HEADERS[kind].items()}
    return [
        {field_of[header]: value for header, value in row.items() if value}
        for row in csv.DictReader(text.splitlines())
    ]
