"""The Chinese words of kinds and of the values a field may take, as sheets and commands take them.

Not how they are read from a sheet. Invariant: each value of a choice that somebody may give has
one Chinese word, and no word stands for two values of a field.
"""

from collections.abc import Mapping

from ledger.roster.records import (
    Activity,
    Have,
    HaveItem,
    Membership,
    Person,
    Platform,
    Project,
    Signup,
    Team,
    Unit,
)

KIND_WORDS: Mapping[str, str] = {
    Unit.KIND: "单位",
    HaveItem.KIND: "六有项目",
    Have.KIND: "六有",
    Platform.KIND: "平台",
    Team.KIND: "队伍",
    Project.KIND: "项目",
    Activity.KIND: "活动",
    Person.KIND: "志愿者",
    Membership.KIND: "队籍",
    Signup.KIND: "报名",
}

_Words = Mapping[str, str]

CHOICES: Mapping[tuple[str, str], _Words] = {
    (Unit.KIND, "kind"): {
        "centre": "中心",
        "office": "所",
        "station": "站",
        "point": "点",
        "post": "驿站",
    },
    (Team.KIND, "kind"): {
        "corps": "总队",
        "professional": "分队",
        "detachment": "支队",
        "education": "教育队",
        "other": "其他",
    },
    (Have.KIND, "state"): {"have": "有", "building": "建设中", "missing": "无"},
    (Project.KIND, "kind"): {"flagship": "旗舰", "village": "一村一品", "incubating": "孵化"},
    (Project.KIND, "status"): {"planned": "筹备", "running": "进行", "ended": "结束"},
    (Activity.KIND, "category"): {
        "training": "培训",
        "performance": "演出",
        "visit": "走访",
        "class": "课堂",
        "talk": "宣讲",
        "service": "服务",
        "other": "其他",
    },
    (Activity.KIND, "status"): {"planned": "计划", "held": "已举办", "cancelled": "取消"},
    # Nobody is made "erased" by writing it: that is a deed of its own.
    (Person.KIND, "status"): {"active": "在册", "paused": "暂停", "left": "退出"},
    (Person.KIND, "document_type"): {
        "resident": "居民身份证",
        "passport": "护照",
        "hk-macau": "港澳居民来往内地通行证",
        "taiwan": "台湾居民来往大陆通行证",
        "foreign-resident": "外国人永久居留身份证",
        "other": "其他",
    },
}
"""By kind and field: each value and its word."""


FIELD_WORDS: Mapping[str, str] = {
    "code": "编号",
    "kind": "类别",
    "name_zh": "名称",
    "name_en": "英文名称",
    "parent": "上级",
    "successor": "并入",
    "valid_from": "生效日期",
    "valid_until": "失效日期",
    "position": "顺序",
    "post": "驿站",
    "item": "项目",
    "state": "状态",
    "day": "日期",
    "note": "备注",
    "checked_by": "检查人",
    "unit": "单位",
    "platforms": "平台",
    "leaders": "队长",
    "status": "状态",
    "title": "名称",
    "platform": "平台",
    "project": "项目",
    "teams": "队伍",
    "category": "类别",
    "planned_start": "计划开始",
    "planned_end": "计划结束",
    "held_start": "实际开始",
    "held_end": "实际结束",
    "served": "服务人数",
    "capacity": "名额",
    "volunteer": "志愿者",
    "number": "输入用编号",
    "consent": "同意日期",
    "badge_serial": "证件牌编号",
    "badge_generation": "证件牌代次",
    "private_version": "姓名版本",
    "team": "队伍",
    "since": "加入日期",
    "until": "退出日期",
    "activity": "活动",
    "name": "姓名",
    "phone": "手机号码",
    "document_type": "证件类型",
    "document": "证件号码",
    "above": "上级",
    "beneath": "下级",
    "people": "志愿者",
    "activities": "活动",
    "haves": "六有",
    "members": "队员",
    "members_with_all_beneath": "队员（含下级）",
    "posts": "驿站",
    "sign_ups": "报名",
    "signed_up": "报名名单",
    "places_left": "剩余名额",
    "memberships": "队籍",
    "leads": "任队长",
    "from": "起",
    "rows": "各时期",
    "who": "身份",
}
"""What a page calls a field."""


def headed(field: str) -> str:
    """A field's heading for people: `名称 name_zh`."""
    return f"{FIELD_WORDS[field]} {field}" if field in FIELD_WORDS else field


def value_of(kind: str, field: str, text: str) -> str:
    """The value that a word stands for; the text itself where it is none."""
    words = CHOICES.get((kind, field), {})
    return next((value for value, word in words.items() if text == word), text)


def offered(kind: str, field: str) -> str:
    """What a field may say, for people: `有 have、建设中 building、无 missing`."""
    return "、".join(f"{word} {value}" for value, word in CHOICES[kind, field].items())
