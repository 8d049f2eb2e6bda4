"""A workbook with fifty different faults: each is refused where it stands, and nothing changes."""

from datetime import datetime
from pathlib import Path

import pytest

from tests.importing import Cells, ImportDesk, workbook

ENROLLED = {"志愿者": [("志愿者编号", "姓名", "证件号码"), ("V0", "陈静", "770000198508120025")]}

SHEETS: dict[str, list[Cells]] = {
    "单位": [
        ("编号*", "类别", "名称", "英文名称", "上级编号", "生效日期", "失效日期"),
        ("centre", "中心", "实践中心"),
        ("office", "所", "金沙所", None, "centre"),
        ("s-1", "站", "花园村站", None, "office"),
        (None, "站", "草庙村站", None, "office"),
        ("s-2", "分站", "草庙村站", None, "office"),
        ("s-4", "站", "草庙村站", None, "offise"),
        ("s-5", "站", "草庙村站", None, "office", "2026-02-30"),
        ("s-6", "站", "草庙村站", None, "office", "2026-07-01", "2026-06-01"),
        ("s-7", "站", "草庙村站", None, "s-7"),
        ("s-8", "所", "石港所", None, "s-1"),
        ("s、9", "站", "草庙村站", None, "office"),
        ("s-10", "站", "=A3", None, "office"),
        ("s-11", "站", "草庙村站", "#N/A", "office"),
        ("s-1", "站", "通运桥村站", None, "office"),
        ("s-13", "站", "长" * 201, None, "office"),
        ("s-14", "站", "草庙村站", None, "office", "2020-01-01", "2026-01-01"),
        ("s-14", "站", "草庙村站", None, "office", "2025-01-01"),
        (datetime(2026, 3, 2), "站", "草庙村站", None, "office"),
        ("s-16", "站", "草庙村站", None, "office"),
    ],
    "六有项目": [
        ("编号", "名称", "英文名称", "顺序"),
        ("place", "有场所", None, 1),
        ("team", "有队伍", None, "第二"),
        ("rules", "有制度", None, 99_999_999),
    ],
    "六有": [
        ("驿站编号", "项目编号", "状态", "日期", "备注", "检查人"),
        ("office", "place", "有", "2026-06-30", None, "keeper"),
    ],
    "平台": [
        ("编号", "名称", "英文名称", "顺序", "颜色"),
        ("theory", "理论宣讲", None, 1, "红"),
        ("culture", "文化服务", None, 2, None, "备注"),
    ],
    "队伍": [
        ("编号", "类别", "名称", "上级编号", "所属单位编号", "平台编号", "队长编号"),
        ("corps", "总队", "志愿服务总队"),
        ("choir", "分队", "合唱队", "corps", "office", "theory"),
        ("choir-2", "分队", "合唱队", "corps", "office", "theory"),
        ("t-4", "其他", "骑手队", "合唱队"),
        ("t-5", "其他", "骑手队", "corps", "office", "theory、sport"),
        ("t-6", "其他", "骑手队", "corps", "office", "theory", "V999"),
    ],
    "活动": [
        ("编号", "名称", "单位编号", "队伍编号", "计划开始", "计划结束", "实际开始", "状态"),
        ("a-1", "排练", "office", "choir", "2026-07-01 09:00", "2026-07-01 11:00"),
        ("a-2", "排练", "office", "choir", "9点"),
        ("a-3", "排练", "office", "choir", "2026-07-01 09:00", "2026-07-01 08:00"),
        ("a-4", "排练", "office", "choir", None, "2026-07-01 11:00"),
        ("a-5", "排练", "office", "choir", None, None, None, "已举办"),
    ],
    "志愿者": [
        (
            *("志愿者编号", "姓名", "手机号码", "证件类型", "证件号码", "队伍编号"),
            *("加入日期", "确为另一人"),
        ),
        ("V1", "王小明", "15400000001", "居民身份证", "770000199003070012", "choir", "2026-01-05"),
        (None, "李芳", "15400000002"),
        (None, None, "15400000003"),
        (None, "赵强6", "15400000003"),
        (None, "赵强、钱伟", "15400000003"),
        (None, "赵强"),
        (None, "赵强", "1540000000"),
        ("赵强", "赵强", "15400000003"),
        (None, "赵强", "15400000003", "护照"),
        (None, "赵强", None, None, "E12345678"),
        (None, "赵强", None, "居民身份证", "770000900307001"),
        (None, "赵强", None, "居民身份证", "77000019900307001"),
        (None, "赵强", None, "居民身份证", "77000019900307O012"),
        (None, "赵强", None, "居民身份证", "770000199002300012"),
        (None, "赵强", None, "居民身份证", "770000199003070013"),
        (None, "赵强", None, "护照", "770000199003070020"),
        (None, "赵强", None, "港澳居民来往内地通行证", "12345678"),
        (None, "赵强", None, "居民身份证", "770000199003070012"),
        (None, "李芳", "15400000002", "居民身份证", "770000199003070020"),
        (None, "赵强", None, "居民身份证", 770000199003070039),
        (None, "王小明", "15400000001", None, None, None, None, "是"),
        ("V1", "王小明", "15400000009"),
        (None, "赵强", None, "居民身份证", "770000198508120025"),
    ],
    "队籍": [
        ("志愿者编号", "队伍编号", "加入日期", "退出日期"),
        ("V1", "corps", "2020-01-01", "2021-01-01"),
    ],
    "报名": [
        ("活动编号", "志愿者编号", "报名日期"),
        ("a-9", "V1", "2026-06-20"),
    ],
    "别的": [("随便", "什么")],
}

FAULTS = [
    ("单位", 5, "A", "", "missing"),
    ("单位", 6, "B", "分站", "not-a-choice"),
    ("单位", 7, "E", "offise", "unknown-code"),
    ("单位", 8, "F", "2026-02-30", "not-a-day"),
    ("单位", 9, "G", "2026-06-01", "ends-before-it-begins"),
    ("单位", 10, "E", "s-7", "cycle"),
    ("单位", 11, "E", "s-1", "wrong-level"),
    ("单位", 12, "A", "s、9", "separator-in-code"),
    ("单位", 13, "C", "=A3", "formula"),
    ("单位", 14, "D", "#N/A", "error-value"),
    ("单位", 15, "A", "s-1", "twice"),
    ("单位", 16, "C", "长" * 99 + "…", "too-long"),
    ("单位", 18, "F", "2025-01-01", "overlap"),
    ("单位", 19, "A", "2026-03-02", "unexpected-date"),
    ("单位", 20, "C", "草庙村站", "merged-cells"),
    ("六有项目", 3, "D", "第二", "not-a-count"),
    ("六有项目", 4, "D", "99999999", "count-too-large"),
    ("六有", 2, "A", "office", "not-a-post"),
    ("平台", 1, "E", "颜色", "unknown-header"),
    ("平台", 3, "F", "备注", "value-without-header"),
    ("队伍", 5, "D", "合唱队", "ambiguous-name"),
    ("队伍", 6, "F", "theory、sport", "unknown-code"),
    ("队伍", 7, "G", "V999", "unknown-code"),
    ("活动", 3, "E", "9点", "not-a-time"),
    ("活动", 4, "F", "2026-07-01 08:00", "ends-before-it-begins"),
    ("活动", 5, "F", "2026-07-01 11:00", "end-without-start"),
    ("活动", 6, "G", "", "held-but-when"),
    ("志愿者", 4, "B", "", "missing"),
    ("志愿者", 5, "B", "赵**", "name-has-digits"),
    ("志愿者", 6, "B", "赵***伟", "not-a-name"),
    ("志愿者", 7, "", "", "nobody-named"),
    ("志愿者", 8, "C", "154****000", "not-a-phone"),
    ("志愿者", 9, "A", "赵*", "not-a-pseudonym"),
    ("志愿者", 10, "D", "护照", "type-without-document"),
    ("志愿者", 11, "D", "", "document-without-type"),
    ("志愿者", 12, "E", "770*********001", "old-resident-number"),
    ("志愿者", 13, "E", "770***********001", "resident-number-length"),
    ("志愿者", 14, "E", "770************012", "resident-number-characters"),
    ("志愿者", 15, "E", "770************012", "resident-number-birth-date"),
    ("志愿者", 16, "E", "770************013", "resident-number-check-digit"),
    ("志愿者", 17, "E", "770************020", "resident-number-under-another-type"),
    ("志愿者", 18, "E", "1******8", "not-such-a-document"),
    ("志愿者", 19, "E", "770************012", "same-document"),
    ("志愿者", 20, "C", "154*****002", "possible-duplicate"),
    ("志愿者", 21, "E", "7****************0", "too-many-digits"),
    ("志愿者", 22, "H", "是", "not-told-apart"),
    ("志愿者", 23, "A", "V1", "same-person-twice"),
    ("志愿者", 24, "E", "770************025", "document-of-another"),
    ("报名", 2, "A", "a-9", "unknown-code"),
    ("别的", 0, "", "", "unknown-sheet"),
]


@pytest.fixture
def desk(tmp_path: Path, ledger_url: str) -> ImportDesk:
    desk = ImportDesk.at(tmp_path, ledger_url)
    desk.summary(workbook(tmp_path / "enrolled.xlsx", ENROLLED), "--apply")
    return desk


@pytest.mark.parametrize("applied", [(), ("--apply",)], ids=["dry run", "applied"])
def test_fifty_faults_get_fifty_precise_refusals_and_change_nothing(
    desk: ImportDesk, tmp_path: Path, applied: tuple[str, ...]
) -> None:
    before = desk.held()
    broken = workbook(tmp_path / "broken.xlsx", SHEETS, ("单位", "C20:D20"))
    found = desk.lines(broken, *applied, code=1)
    names = ("sheet", "row", "column", "value", "reason")
    refused = [tuple(one[name] for name in names) for one in found["refused"]]
    assert len(FAULTS) == 50
    assert sorted(refused) == sorted(FAULTS)
    assert found["summary"][0]["applied"] is False
    assert desk.held() == before


def test_each_refusal_says_in_two_languages_what_to_do_and_names_the_header(
    desk: ImportDesk, tmp_path: Path
) -> None:
    broken = workbook(tmp_path / "broken.xlsx", SHEETS, ("单位", "C20:D20"))
    for one in desk.lines(broken, code=1)["refused"]:
        assert one["file"] == str(broken)
        assert any("\u4e00" <= letter <= "\u9fff" for letter in one["what"]), one
        assert any("a" <= letter <= "z" for letter in one["what"]), one
        assert bool(one["header"]) == bool(one["column"]) or one["reason"] == "value-without-header"


def test_no_name_phone_or_number_of_a_broken_workbook_is_shown(
    desk: ImportDesk, tmp_path: Path
) -> None:
    broken = workbook(tmp_path / "broken.xlsx", SHEETS, ("单位", "C20:D20"))
    shown = [desk.run(broken, "--all"), desk.run(broken, "--json"), desk.run(broken, "--apply")]
    secrets = {str(cell) for row in SHEETS["志愿者"][1:] for cell in row[1:5:1] if cell}
    secrets -= {"居民身份证", "护照", "港澳居民来往内地通行证"}
    for result in shown:
        assert not [secret for secret in secrets if secret in result.output]
