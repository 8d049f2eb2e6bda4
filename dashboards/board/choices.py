"""The words of what can be chosen: roles, states, reasons and the roster's kinds.

Pure. Invariant: a value without words is shown as it is, never left out.
"""

from collections.abc import Mapping
from typing import Any

from dashboards.board.words import Language, Words, moment
from ledger.roster.editing import TIMES
from ledger.roster.words import CHOICES, FIELD_WORDS, KIND_WORDS

ROLE_WORDS: Mapping[str, Words] = {
    "leader": Words("队长", "leader"),
    "officer": Words("所站负责人", "unit officer"),
    "centre": Words("中心", "centre"),
    "auditor": Words("审计", "auditor"),
    "operator": Words("运维", "operator"),
}

_WORDS: dict[str, Words] = {
    "in": Words("签到", "check-in"),
    "out": Words("签退", "check-out"),
    "check-in": Words("补签到", "supply a check-in"),
    "check-out": Words("补签退", "supply a check-out"),
    "void": Words("作废签到签退", "void a tap"),
    "adjustment": Words("调整时数", "adjust hours"),
    "no-check-out": Words("没有签退", "no check-out"),
    "no-check-in": Words("没有签到", "no check-in"),
    "open": Words("还没签退", "not checked out yet"),
    "proposed": Words("等人批准", "waiting for approval"),
    "approved": Words("已批准，正在发送", "approved, being sent"),
    "sent": Words("已发送，等待入账", "sent, not settled yet"),
    "settled": Words("已入账", "settled"),
    "refused": Words("账本没有接受", "refused by the ledger"),
    "declined": Words("没有批准", "declined"),
    "withdrawn": Words("已撤回", "withdrawn"),
    "credit": Words("记入", "credit"),
    "reversal": Words("冲销", "reversal"),
    "genesis": Words("创世", "genesis"),
    "detachment": Words("支队", "township detachment"),
    "education": Words("教育队", "education team"),
    "professional": Words("专业分队", "professional team"),
    "hours": Words("时数", "hours"),
    "activities-held": Words("活动场次", "activities held"),
    "people-served": Words("服务人次", "people served"),
    "active-share": Words("活跃率 %", "active volunteers %"),
    "new-volunteers": Words("新增志愿者", "new volunteers"),
    "posts-haves": Words("驿站六有 %", "posts' six haves %"),
    "exceptions-open": Words("未处理异常", "exceptions open"),
    "team": Words("队伍", "team"),
    "added": Words("新增", "added"),
    "changed": Words("改动", "changed"),
    "ended": Words("终止", "ended"),
    "removed": Words("移除", "removed"),
    "day": Words("今天", "today"),
    "week": Words("本周", "this week"),
    "month": Words("本月", "this month"),
    "year": Words("今年", "this year"),
}

DEED_WORDS: Mapping[str, Words] = {
    "added": Words("新建账号", "account made"),
    "changed": Words("改了账号", "account changed"),
    "password": Words("重设密码", "password set"),
    "disabled": Words("停用", "disabled"),
    "enabled": Words("恢复", "enabled"),
    "signed-in": Words("登录", "signed in"),
    "signed-out": Words("退出", "signed out"),
    "wrong-password": Words("密码不对", "wrong password"),
    "refused": Words("没让登录", "sign-in refused"),
    "token": Words("新令牌", "token made"),
    "token-revoked": Words("作废令牌", "token revoked"),
    "code": Words("给志愿者一次性码", "code for a volunteer"),
}
"""What was done to accounts, as `ledger.accounts` notes it."""


def deed_words(what: str) -> Words:
    """What something done to an account is called."""
    return DEED_WORDS.get(what, Words(what, what))


def word_of(value: str | None) -> Words:
    """What a value is called."""
    if value is None:
        return Words("–", "–")
    found = _WORDS.get(value) or ROLE_WORDS.get(value)
    if found is not None:
        return found
    for choices in CHOICES.values():
        if value in choices:
            return Words(choices[value], value.replace("-", " "))
    return Words(KIND_WORDS.get(value, value), value.replace("_", " "))


def field_words(name: str) -> Words:
    """What a field of the roster is called."""
    return Words(FIELD_WORDS.get(name, name), name.replace("_", " "))


def field_text(name: str, value: Any, language: Language, timezone: str) -> str:
    """What a field of the roster says, for people: instants as local times, lists in a line."""
    if value is None:
        return "–"
    if name in TIMES and isinstance(value, int):
        return moment(value, timezone)
    if isinstance(value, list | tuple):
        return "、".join(map(str, value)) or "–"
    return word_of(value).said(language) if isinstance(value, str) else str(value)
