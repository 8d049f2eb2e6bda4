"""The certificate of volunteer service as PDF/A-3: the fields of the guidance, and its own proof.

Joint guidance 民发〔2015〕149号 and order 67 of 2020 of the Ministry of Civil Affairs name what it
holds: who, what service, by whom, number, date, notes, and a place for the seal. The record that
proves it is attached, so that the file alone is checked offline. Pure, but for the time of writing
that fpdf2 puts into the file's metadata.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from fpdf import FPDF
from fpdf.enums import Align
from fpdf.fonts import FontFace

from dashboards.badge_type import Face
from dashboards.certificate_files import CERTIFICATE, RECORD, hours_words
from dashboards.code_pictures import code_picture
from ledger.evidence.records import Record
from ledger.evidence.statements import Identity, Statement

_DOCUMENTS = {
    "resident": ("居民身份证", "Resident identity card"),
    "passport": ("护照", "Passport"),
    "hk-macau": ("港澳居民来往内地通行证", "Hong Kong and Macao residents' permit"),
    "taiwan": ("台湾居民来往大陆通行证", "Taiwan residents' permit"),
    "foreign-resident": ("外国人永久居留身份证", "Foreign permanent resident card"),
    "other": ("其他", "Other"),
    "": ("–", "–"),
}
_ROUNDING = {
    "none": ("不取整", "not rounded"),
    "half-hour": ("每日向下取整到半小时", "each day rounded down to half an hour"),
    "hour": ("每日向下取整到小时", "each day rounded down to the hour"),
}
_MARGIN, _LABEL, _CODE = 22.0, 52.0, 34.0
_INK, _GREY, _RED = (24, 28, 34), (95, 103, 112), (164, 14, 38)


class Issuer(NamedTuple):
    """Who certifies: the organisation, the person in charge, who handled it, how to reach them."""

    name: str
    person_in_charge: str
    handler: str
    contact: str


class Certificate(NamedTuple):
    """All that stands on the paper, and what proves it."""

    statement: Statement
    identity: Identity
    issuer: Issuer
    record: Record
    made_at: datetime
    checkpoint_line: str
    team_names: dict[str, str]
    activity_names: dict[str, str]
    notes: str = ""


def certificate_pdf(certificate: Certificate) -> bytes:
    """The file."""
    pdf = _document(certificate)
    sheet = _Sheet(pdf, certificate)
    sheet.draw()
    _attach(pdf, certificate)
    return bytes(pdf.output())


class _Document(FPDF):
    """A4, with the certificate's number at the foot of each page."""

    number = ""

    def footer(self) -> None:
        self.set_y(-16)
        self.set_font_size(8)
        self.set_text_color(*_GREY)
        self.cell(0, 5, f"{self.number}　·　{self.page_no()} / {{nb}}", align=Align.C)


class _Sheet:
    def __init__(self, pdf: FPDF, certificate: Certificate) -> None:
        self._pdf, self._certificate = pdf, certificate

    def draw(self) -> None:
        statement, identity, issuer = self._certificate[:3]
        document, document_en = _DOCUMENTS[identity.document_type]
        self._title()
        self._head("志愿者", "Volunteer")
        self._rows(
            [
                ("姓名", "Name", identity.name),
                ("证件类型", "Document", f"{document} {document_en}"),
                ("证件号码", "Document number", identity.document or "–"),
                ("志愿者编号", "Volunteer number", statement.volunteer),
            ]
        )
        self._head("志愿服务", "Service")
        period = f"{statement.first_day} – {statement.last_day}" if statement.first_day else "–"
        self._rows(
            [
                ("服务时长", "Hours certified", hours_words(statement.certified_seconds)),
                ("账本时长", "Hours in the ledger", hours_words(statement.ledger_seconds)),
                ("次数", "Sessions", f"{statement.sessions}（另调整 adjustments "
                                    f"{statement.adjustments}，已冲销 taken back "
                                    f"{statement.taken_back}）"),
                ("起止", "From – to", period),
            ]
        )  # fmt: skip
        self._served()
        self._head("出具单位", "Issued by")
        self._rows(
            [
                ("单位名称", "Name", issuer.name),
                ("负责人", "Person in charge", issuer.person_in_charge),
                ("经办人", "Handled by", issuer.handler),
                ("联系方式", "Contact", issuer.contact),
                ("证书编号", "Certificate number", statement.number),
                ("日期", "Date", self._certificate.made_at.strftime("%Y-%m-%d")),
                ("备注", "Notes", self._certificate.notes or "–"),
            ]
        )
        self._proof()

    def _title(self) -> None:
        pdf = self._pdf
        pdf.set_text_color(*_RED)
        pdf.set_font_size(25)
        pdf.cell(0, 14, "志愿服务记录证明", align=Align.C, new_x="LMARGIN", new_y="NEXT")
        pdf.set_text_color(*_GREY)
        pdf.set_font_size(11)
        pdf.cell(
            0, 7, "Certificate of Volunteer Service", align=Align.C, new_x="LMARGIN", new_y="NEXT"
        )
        pdf.ln(2)

    def _head(self, zh: str, en: str) -> None:
        pdf = self._pdf
        pdf.ln(3)
        pdf.set_text_color(*_RED)
        pdf.set_font_size(12)
        pdf.cell(0, 7, f"{zh}  {en}", new_x="LMARGIN", new_y="NEXT")
        pdf.set_draw_color(*_RED)
        pdf.set_line_width(0.3)
        pdf.line(pdf.l_margin, pdf.y, pdf.w - pdf.r_margin, pdf.y)
        pdf.ln(1)

    def _rows(self, rows: Sequence[tuple[str, str, str]]) -> None:
        pdf = self._pdf
        for zh, en, text in rows:
            top = pdf.y
            pdf.set_text_color(*_GREY)
            pdf.set_font_size(9)
            pdf.cell(_LABEL, 6, f"{zh} {en}")
            pdf.set_text_color(*_INK)
            pdf.set_font_size(10.5)
            pdf.set_xy(pdf.l_margin + _LABEL, top)
            pdf.multi_cell(0, 6, text, align=Align.L, new_x="LMARGIN", new_y="NEXT")

    def _served(self) -> None:
        """What was served in each team and activity; over as many pages as it takes."""
        pdf, certificate = self._pdf, self._certificate
        pdf.ln(1)
        pdf.set_font_size(9)
        pdf.set_text_color(*_INK)
        pdf.set_draw_color(200, 204, 209)
        heading = FontFace(color=_GREY, fill_color=(246, 247, 249))
        with pdf.table(
            col_widths=(38, 62, 16, 50), headings_style=heading, line_height=5.5,
            borders_layout="HORIZONTAL_LINES", text_align=("LEFT", "LEFT", "RIGHT", "RIGHT"),
        ) as table:  # fmt: skip
            table.row(["队伍 Team", "服务内容 Activity", "次 No.", "时长 Hours"])
            for one in certificate.statement.served:
                activity = certificate.activity_names.get(one.activity, one.activity)
                team = certificate.team_names.get(one.team, one.team)
                table.row([team, activity or "–", str(one.sessions), hours_words(one.seconds)])

    def _proof(self) -> None:
        """What is proven and how to check it, beside the code, and room for the seal."""
        pdf, statement = self._pdf, self._certificate.statement
        if pdf.h - pdf.b_margin - pdf.y < 62:
            pdf.add_page()
        pdf.ln(3)
        top = pdf.y
        pdf.image(code_picture(self._certificate.checkpoint_line), x=pdf.l_margin, y=top, w=_CODE)
        cap = statement.policy.day_cap_hours
        zh, en = _ROUNDING[statement.policy.rounding]
        lines = (
            f"口径：每日上限 {f'{cap} 小时' if cap else '无'}，{zh}。 Policy: "
            f"{f'at most {cap} h a day' if cap else 'no cap a day'}, {en}.",
            f"截至 {statement.moment}，上列时段都在账本里，没有一次已被冲销，也没有遗漏；"
            "此后的变化不在此列。 "
            "Up to then each session counted is in the ledger, none was taken back, none left out.",
            "离线核对：hours verify 本文件 --key 公钥，或核对网页；证明附在文件里。 Check it "
            "offline: hours "
            "verify FILE --key KEY, or the verifier page; the proof is attached to this file.",
            f"声明 statement SHA-256 {statement.hash}",
        )
        pdf.set_font_size(8)
        pdf.set_text_color(*_GREY)
        for line in lines:
            pdf.set_x(pdf.l_margin + _CODE + 5)
            pdf.multi_cell(82, 4.2, line, align=Align.L, new_x="LMARGIN", new_y="NEXT")
        pdf.set_xy(pdf.w - pdf.r_margin - 42, top + 18)
        pdf.set_text_color(190, 194, 199)
        pdf.set_font_size(10)
        pdf.cell(42, 6, "（盖章 Seal）", align=Align.C)


def _document(certificate: Certificate) -> _Document:
    pdf = _Document(format="A4", enforce_compliance="PDF/A-3U")
    pdf.number = certificate.statement.number
    pdf.set_margin(_MARGIN)
    pdf.set_auto_page_break(True, margin=22)
    pdf.set_creation_date(certificate.made_at)
    pdf.set_title(f"志愿服务记录证明 {certificate.statement.number}")
    pdf.set_author(certificate.issuer.name)
    pdf.set_subject("Certificate of Volunteer Service")
    pdf.set_lang("zh-CN")
    Face(pdf)
    pdf.add_page()
    return pdf


def _attach(pdf: FPDF, certificate: Certificate) -> None:
    said = {
        "identity": certificate.identity.model_dump(),
        "statement": certificate.statement.model_dump(),
    }
    for name, content, what in (
        (RECORD, certificate.record.text, "The entries that count, and what proves them"),
        (CERTIFICATE, json.dumps(said, ensure_ascii=False, indent=1), "What is certified"),
    ):
        pdf.embed_file(
            bytes=content.encode(), basename=name, desc=what, compress=True,
            mime_type="application/json", associated_file_relationship="Data",
            creation_date=certificate.made_at, modification_date=certificate.made_at,
        )  # fmt: skip
