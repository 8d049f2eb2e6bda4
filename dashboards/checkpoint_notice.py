"""The notice of a signed checkpoint: a page to put up, with the line that pins the whole ledger.

Whoever photographs it can later hold the district to it. Invariant: the code says what the line
below it says, to the letter.
"""

from pathlib import Path

from fpdf import FPDF
from fpdf.enums import Align

from dashboards.badge_type import Face
from dashboards.board.words import moment
from dashboards.code_pictures import code_picture
from ledger.evidence.checkpoints import one_line, stated_checkpoint
from ledger.evidence.reading import StoredCheckpoint

_MARGIN = 25.0
_CODE = 70.0
_ZH = (
    "这一行固定了此刻以前的全部时长：今后任何一条被改动、删去或补写，都与它对不上。请拍照保存；"
    "任何人都可以用 hours verify 或核对网页，拿它核对一份证明。"
)
_EN = (
    "This line pins every hour recorded up to now: if one is altered, removed or slipped in later, "
    "it will not agree. Keep a photograph; anyone can check a proof against it."
)


def write_checkpoint_notice(checkpoint: StoredCheckpoint, timezone: str, file: Path) -> None:
    """Write the page (A4, PDF)."""
    origin, size, _ = stated_checkpoint(checkpoint.note)
    line, at = one_line(checkpoint.note), moment(checkpoint.signed_at, timezone)
    pdf = FPDF(format="A4")
    pdf.set_margin(_MARGIN)
    pdf.add_page()
    Face(pdf)
    _write(pdf, 26, "志愿服务时长账本检查点")
    _write(pdf, 13, "Checkpoint of the ledger of volunteer hours")
    pdf.ln(8)
    _write(pdf, 13, f"{origin}　·　{at}　·　{size}")
    pdf.ln(6)
    pdf.image(code_picture(line), x=(pdf.w - _CODE) / 2, w=_CODE)
    pdf.ln(8)
    pdf.set_font_size(9)
    pdf.multi_cell(0, 5, line, align=Align.L, new_x="LMARGIN", new_y="NEXT")
    pdf.ln(8)
    _write(pdf, 11, _ZH, Align.L)
    pdf.ln(3)
    _write(pdf, 10, _EN, Align.L)
    pdf.output(str(file))


def _write(pdf: FPDF, size: float, text: str, align: Align = Align.C) -> None:
    pdf.set_font_size(size)
    pdf.multi_cell(0, size * 0.55, text, align=align, new_x="LMARGIN", new_y="NEXT")
