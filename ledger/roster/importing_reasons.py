"""Why a row can't be taken: an enumerated reason, and what to do about it.

Invariant: each reason says, in Chinese and in English, what to do.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

_LONGEST_KNOWN = 300


class Reason(StrEnum):
    """The ways in which a row can fail to say what the roster should be."""

    MISSING = "missing"
    SEVERAL_LINES = "several-lines"
    TOO_LONG = "too-long"
    SEPARATOR_IN_CODE = "separator-in-code"
    NOT_A_CHOICE = "not-a-choice"
    NOT_A_DAY = "not-a-day"
    NOT_A_TIME = "not-a-time"
    NO_SUCH_TIME = "no-such-time"
    NOT_A_COUNT = "not-a-count"
    COUNT_TOO_LARGE = "count-too-large"
    UNKNOWN_CODE = "unknown-code"
    AMBIGUOUS_NAME = "ambiguous-name"
    ERASED = "erased"
    TWICE = "twice"
    WHICH_PERIOD = "which-period"
    ENDS_BEFORE_IT_BEGINS = "ends-before-it-begins"
    END_WITHOUT_START = "end-without-start"
    HELD_BUT_WHEN = "held-but-when"
    UNFIT = "unfit"
    NOT_A_PSEUDONYM = "not-a-pseudonym"
    NAME_HAS_DIGITS = "name-has-digits"
    NOT_A_NAME = "not-a-name"
    NOT_A_PHONE = "not-a-phone"
    NOBODY = "nobody-named"
    TYPE_WITHOUT_DOCUMENT = "type-without-document"
    DOCUMENT_WITHOUT_TYPE = "document-without-type"
    OLD_RESIDENT_NUMBER = "old-resident-number"
    RESIDENT_LENGTH = "resident-number-length"
    RESIDENT_CHARACTERS = "resident-number-characters"
    RESIDENT_BIRTH_DATE = "resident-number-birth-date"
    RESIDENT_CHECK_DIGIT = "resident-number-check-digit"
    RESIDENT_UNDER_ANOTHER_TYPE = "resident-number-under-another-type"
    NOT_SUCH_A_DOCUMENT = "not-such-a-document"
    DOCUMENT_OF_ANOTHER = "document-of-another"
    SAME_DOCUMENT = "same-document"
    SAME_PERSON = "same-person-twice"
    POSSIBLE_DUPLICATE = "possible-duplicate"
    SEVERAL_FIT = "several-fit"
    NOT_TOLD_APART = "not-told-apart"
    TEAMS_CONTRADICT = "teams-contradict"


_WHAT: Mapping[Reason, tuple[str, str]] = {
    Reason.MISSING: ("必须填写。", "It must be filled in."),
    Reason.SEVERAL_LINES: (
        "一格里不能换行：请写成一行。",
        "No line breaks here: write it in one line.",
    ),
    Reason.TOO_LONG: (
        "超过 {known} 个字：请缩短。",
        "It is over {known} characters: shorten it.",
    ),
    Reason.SEPARATOR_IN_CODE: (
        "编号里不能有顿号、逗号、分号，它们用来分开几个编号：请去掉。",
        "A code has no commas or semicolons, which separate codes: leave them out.",
    ),
    Reason.NOT_A_CHOICE: (
        "应为其中之一：{known}。",
        "It must be one of: {known}.",
    ),
    Reason.NOT_A_DAY: (
        "不是日期，或没有这一天：请写成 2026-07-01。",
        "This is no date, or there is no such day: write it as 2026-07-01.",
    ),
    Reason.NOT_A_TIME: (
        "不是时间：请写日期和钟点，如 2026-07-01 09:00。",
        "This is no time: write day and clock, as in 2026-07-01 09:00.",
    ),
    Reason.NO_SUCH_TIME: (
        "时区 {known} 里没有这个时刻（拨钟）：请改正。",
        "The timezone {known} has no such time, as clocks were changed: correct it.",
    ),
    Reason.NOT_A_COUNT: (
        "不是整数：只写数字，不带单位。",
        "This is no whole number: digits only, no unit.",
    ),
    Reason.COUNT_TOO_LARGE: (
        "大于 {known}：请核对。",
        "It is over {known}: check it.",
    ),
    Reason.UNKNOWN_CODE: (
        "没有这个编号或名称{known}：请改正，或先添加它。",
        "No such code or name{known}: correct it, or add it first.",
    ),
    Reason.AMBIGUOUS_NAME: (
        "不止一个叫这个名称：请填编号 {known}。",
        "More than one has this name: give the code, one of {known}.",
    ),
    Reason.ERASED: (
        "这个志愿者编号已被删除，不能再用：请另用一个，或空着。",
        "This volunteer was erased, and the id is not used again: take another, or leave it blank.",
    ),
    Reason.TWICE: (
        "同一个编号和时段有两行，内容不同：请只留一行。",
        "Two rows are about the same thing and differ: keep one of them.",
    ),
    Reason.WHICH_PERIOD: (
        "它有几个时段（{known}），看不出是哪一个：请填生效日期。",
        "It has several periods ({known}), and which one is meant can't be told: fill in valid "
        "from.",
    ),
    Reason.ENDS_BEFORE_IT_BEGINS: (
        "必须晚于 {known}：请改正其中一个。",
        "It must be later than {known}: correct one of them.",
    ),
    Reason.END_WITHOUT_START: (
        "有结束而没有开始：请把开始也填上。",
        "An end without a start: fill in the start too.",
    ),
    Reason.HELD_BUT_WHEN: (
        "已举办的活动要有实际开始时间：请填上。",
        "An activity that was held says when: fill in held start.",
    ),
    Reason.UNFIT: ("不能用（{known}）：请改正。", "It can't be used ({known}): correct it."),
    Reason.NOT_A_PSEUDONYM: (
        "志愿者编号会公开，只能用字母、数字和 . _ -，不能是姓名、手机或证件号码：新人请空着。",
        "Volunteer ids are public: letters, digits and . _ - only, and never a name, phone or "
        "document number. Leave it blank for somebody new.",
    ),
    Reason.NAME_HAS_DIGITS: (
        "姓名里有数字：请核对是否填错了列。",
        "A name has no digits: check whether it is in the wrong column.",
    ),
    Reason.NOT_A_NAME: (
        "不是一个人的姓名：一行只写一个人，不加符号。",
        "This is not one person's name: one person a row, and no signs.",
    ),
    Reason.NOT_A_PHONE: (
        "应为 11 位手机号码，或带区号的固定电话，境外的以 + 开头，一格只写一个。",
        "It must be a mobile number of 11 digits, or a landline with its area code, or one of "
        "another country with its +; one a cell.",
    ),
    Reason.NOBODY: (
        "至少填一样：志愿者编号、证件号码或手机号码，否则分不清是谁。",
        "Fill in at least one of volunteer id, document number and phone, or nobody can tell "
        "who it is.",
    ),
    Reason.TYPE_WITHOUT_DOCUMENT: (
        "有证件类型而没有证件号码：请填号码，或清空类型。",
        "A document type without a number: fill in the number, or clear the type.",
    ),
    Reason.DOCUMENT_WITHOUT_TYPE: (
        "看不出是哪种证件：请填证件类型。",
        "Which document this is can't be told: fill in its type.",
    ),
    Reason.OLD_RESIDENT_NUMBER: (
        "这是 15 位的旧身份证号码：请填 18 位号码。",
        "This is an old resident number of 15 digits: give the one of 18.",
    ),
    Reason.RESIDENT_LENGTH: (
        "居民身份证号码应为 18 位，这里是 {known} 位：请按原件核对。",
        "A resident number has 18 characters, this has {known}: check it against the card.",
    ),
    Reason.RESIDENT_CHARACTERS: (
        "居民身份证号码应为 17 位数字加一位数字或 X：请按原件核对。",
        "A resident number is 17 digits and one digit or X: check it against the card.",
    ),
    Reason.RESIDENT_BIRTH_DATE: (
        "号码第 7 到 14 位不是可能的出生日期：请按原件核对。",
        "Its digits 7 to 14 are no possible birth date: check it against the card.",
    ),
    Reason.RESIDENT_CHECK_DIGIT: (
        "校验码不对，有一位抄错了：请按原件核对。",
        "The check digit is wrong, so a digit was miscopied: check it against the card.",
    ),
    Reason.RESIDENT_UNDER_ANOTHER_TYPE: (
        "这是居民身份证号码：请把证件类型改为居民身份证。",
        "This is a resident number: set the document type to resident.",
    ),
    Reason.NOT_SUCH_A_DOCUMENT: (
        "不是{known}的号码：请按原件核对号码和类型。",
        "This is no number of such a document ({known}): check number and type.",
    ),
    Reason.DOCUMENT_OF_ANOTHER: (
        "{known} 已用这个证件号码登记，姓名不同：要改此人，请把其编号填在志愿者编号列；"
        "否则改正号码。",
        "{known} is enrolled with this document under another name: to change that person, put "
        "their id into the volunteer column; otherwise correct the number.",
    ),
    Reason.SAME_DOCUMENT: (
        "证件号码与{known}相同：是同一人就合成一行或填其志愿者编号，否则改正号码。",
        "Same document number as {known}: if it is one person, make it one row or give their "
        "volunteer id; otherwise correct the number.",
    ),
    Reason.SAME_PERSON: (
        "与{known}是同一人，内容不同：请只留一行。",
        "Same person as {known}, and the rows differ: keep one of them.",
    ),
    Reason.POSSIBLE_DUPLICATE: (
        "姓名和手机与{known}相同，可能是同一人：是同一人就填其志愿者编号或合成一行，"
        "否则在“确为另一人”填“是”。",
        "Same name and phone as {known}, possibly one person: if so, give their volunteer id or "
        "make it one row; if not, put yes under other person.",
    ),
    Reason.SEVERAL_FIT: (
        "有几个人同名同手机（{known}）：请填志愿者编号。",
        "Several people have this name and phone ({known}): give the volunteer id.",
    ),
    Reason.NOT_TOLD_APART: (
        "下次会分不清这个人和同名同手机的另一人{known}：请填证件号码，或另给一个志愿者编号。",
        "Next time nobody could tell this person from the other of that name and phone{known}: "
        "give a document number, or a volunteer id of their own.",
    ),
    Reason.TEAMS_CONTRADICT: (
        "队籍表说此人在 {known}，这里却没有列出：请改正其中一处。",
        "The memberships say that this person is in {known}, which is not listed here: correct "
        "one of them.",
    ),
}


class Wrong(NamedTuple):
    """Why a value can't be, and what would have been right."""

    reason: Reason
    known: str = ""


def what(wrong: Wrong) -> str:
    """What to do, in Chinese, then in English."""
    return " ".join(_WHAT[wrong.reason]).format(known=shown(wrong.known, _LONGEST_KNOWN))


def shown(value: str, longest: int) -> str:
    """In one line, and cut where it is very long."""
    line = value.replace("\n", "⏎")
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
