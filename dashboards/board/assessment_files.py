"""An assessment as a workbook and as a document to print.

It takes what was frozen, or would be, and works nothing out. Lengths are millimetres.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fpdf import FPDF

from dashboards.badge_type import Face
from dashboards.board.choices import word_of
from producers.sheets.reports import write_rows_xlsx

KIND_WORDS = {"office": "实践所", "station": "实践站", "team": "队伍"}
_MARGIN, _ROW = 14, 6.5
_COLUMNS = (14, 130, 30)


def as_xlsx(body: Mapping[str, Any]) -> bytes:
    """One sheet: a row for each unit and team, with every figure, target and points."""
    names = [one["indicator"] for one in body["scheme"]["measures"]]
    heading = ["类别 kind", "名次 rank", "编号 code", "名称 name", "得分 score"]
    for name in names:
        said = word_of(name)
        heading += [f"{said.zh} {said.en}", f"{said.zh} 目标 target", f"{said.zh} 得分 points"]
    with TemporaryDirectory() as folder:
        file = Path(folder) / "assessment.xlsx"
        write_rows_xlsx(file, heading, _rows(body))
        return file.read_bytes()


def as_pdf(body: Mapping[str, Any], title: str, seal: Sequence[str]) -> bytes:
    """Rankings by kind, and below them what they were made from (`seal`, in lines)."""
    pdf = FPDF(format="A4")
    pdf.set_margin(_MARGIN)
    pdf.set_auto_page_break(True, _MARGIN)
    pdf.add_page()
    face = Face(pdf)
    _line(pdf, face, title, 16)
    _line(pdf, face, f"{body['first']} – {body['last']}", 11)
    for kind, scores in body["rankings"].items():
        pdf.ln(4)
        _line(pdf, face, KIND_WORDS[kind], 13)
        for one in scores:
            _row(pdf, face, (str(one["rank"]), one["name"], one["score"]))
    pdf.ln(6)
    for line in seal:
        _line(pdf, face, line, 8)
    return bytes(pdf.output())


def _rows(body: Mapping[str, Any]) -> Iterator[Sequence[Any]]:
    for kind, scores in body["rankings"].items():
        for one in scores:
            row = [KIND_WORDS[kind], one["rank"], one["code"], one["name"], float(one["score"])]
            for point in one["points"]:
                row += [_number(point[name]) for name in ("figure", "target", "points")]
            yield row


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)


def _line(pdf: FPDF, face: Face, text: str, size: float) -> None:
    pdf.set_font_size(size)
    pdf.multi_cell(0, size * 0.5, face.printable(text)[0], new_x="LMARGIN", new_y="NEXT")


def _row(pdf: FPDF, face: Face, cells: Sequence[str]) -> None:
    pdf.set_font_size(10)
    for width, text in zip(_COLUMNS, cells, strict=True):
        pdf.cell(width, _ROW, face.printable(text)[0])
    pdf.ln(_ROW)
