"""An audit's report for the file, as HTML or PDF: what was checked, figures, what differs.

Pure. No script, nothing from elsewhere; both print on A4.
"""

from typing import Any

from fpdf import FPDF
from fpdf.enums import Align
from jinja2 import Environment, PackageLoader, StrictUndefined

from dashboards.badge_type import Face
from dashboards.terminal import duration

_NOT_PROVEN = (
    "没有证明：打卡的人是不是本人，服务是否属实；没有进入日志的打卡；最后时刻之后的事。 "
    "Not proven: that whoever tapped was who they said, and served; taps that never reached the "
    "log; anything after the last moment."
)

_ENVIRONMENT = Environment(
    loader=PackageLoader("dashboards", "reports"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def audit_report(shown: dict[str, Any]) -> str:
    """The page, from an audit's result as JSON has it."""
    return _ENVIRONMENT.get_template("audit.html").render(audit=shown, duration=duration)


def audit_report_pdf(shown: dict[str, Any]) -> bytes:
    """The same as a PDF."""
    pdf = FPDF(format="A4")
    pdf.set_margin(20)
    pdf.add_page()
    Face(pdf)
    _line(pdf, 20, "审计报告 Audit report")
    found = shown["findings"]
    verdict = (
        f"不一致：{len(found)} 处。 It differs in {len(found)} places."
        if found
        else "一致：所有条目与签名的内容相符。 Equal: every entry agrees with what was signed."
    )
    _line(pdf, 13, verdict)
    for title, value in (
        ("账本 Ledger", shown["ledger"]),
        ("日志存档 Archive", shown["archive"] or "–"),
        ("导出 Export", shown["tiles"] or "–"),
        ("公钥 Keys", "\n".join(shown["keys"])),
        ("区级检查点 District's checkpoint", f"{shown['checkpoint']} · {shown['size']}"),
        ("时刻 Moments", f"{shown['moments']}，最后 the last {shown['last_moment']}"),
        ("重新结算的记录 Records settled again", str(shown["records"])),
        ("程序 Program", shown["program"]),
    ):
        _line(pdf, 9, f"{title}: {value}")
    _line(pdf, 12, "分片 Shards")
    for one in shown["shards"]:
        hours = duration(one["seconds"])
        _line(pdf, 9, f"{one['shard']}: {one['size']} 条 entries, {hours}, {one['root']}")
    for one in found:
        shard = "" if one["shard"] is None else f"{one['shard']} "
        _line(pdf, 9, f"✗ {shard}{one['where']}: {one['stored']} ≠ {one['expected']}")
    _line(pdf, 9, _NOT_PROVEN)
    return bytes(pdf.output())


def _line(pdf: FPDF, size: float, text: str) -> None:
    pdf.set_font_size(size)
    pdf.multi_cell(0, size * 0.5, text, align=Align.L, new_x="LMARGIN", new_y="NEXT")
    pdf.ln(1.5)
