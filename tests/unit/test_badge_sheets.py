"""Sheets of badges: every badge is on paper, reads from it, and stays within its card.

Pages are read by PDFium, codes by ZXing: neither has a part in making them (fpdf2, Zint).
"""

import ctypes
from io import BytesIO
from itertools import pairwise
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium
import pytest
import zxingcpp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fpdf import FPDF
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from dashboards.badge_sheets import (
    CARD_HEIGHT,
    CARD_WIDTH,
    BadgeCard,
    Missing,
    Printed,
    TeamCards,
    write_badge_sheets,
)
from dashboards.badge_type import LINE_HEIGHT, Face
from producers.badges import Badge, read_badge, sign_badge

LEDGER = "tongzhou.hours.example"
DISTRICT = "通州区新时代文明实践中心"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
DPI = 200
TO_MILLIMETRES = 25.4 / 72
LEFT, TOP = (210 - 2 * CARD_WIDTH) / 2, 15

HARD = [
    Badge("V7K2M9QXTA1", "B000001", 1),
    Badge("v-12/小", "B000002", 0),
    Badge("~" * 128, "S" * 128, 99_999_999),
]
PDF = FPDF()
PDF.add_page()
FACE = Face(PDF)
LONG_NAMES = [
    "阿卜杜热合曼·麦麦提明·吐尔逊江",
    "Bartholomew Featherstonehaugh-Cholmondeley",
    "W" * 100,
    "王" * 100,
]


def card(badge: Badge, name: str = "张三") -> BadgeCard:
    return BadgeCard(*badge[:1], name, *badge[1:], sign_badge(badge, LEDGER, KEY))


def cards(count: int, name: str = "张三") -> list[BadgeCard]:
    return [card(Badge(f"V7K2M9QX{at:03}", f"B{at:06}", 1), name) for at in range(count)]


def sheets(*teams: TeamCards) -> tuple[pypdfium2.PdfDocument, Printed]:
    to = BytesIO()
    printed = write_badge_sheets(to, DISTRICT, teams)
    return pypdfium2.PdfDocument(to.getvalue()), printed


def text_of(page: Any) -> str:
    return str(page.get_textpage().get_text_bounded())


def badges_on(image: Image.Image) -> set[Any]:
    found = zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormat.QRCode)
    return {read_badge(one.text, LEDGER, [KEY.public_key()]) for one in found}


def picture_of(page: Any) -> Image.Image:
    picture = page.render(scale=DPI / 72).to_pil()
    assert isinstance(picture, Image.Image)
    return picture


def test_the_codes_on_a_page_read_as_what_was_signed_whatever_the_ids() -> None:
    document, printed = sheets(TeamCards("合唱队", [card(badge) for badge in HARD]))
    assert badges_on(picture_of(document[0])) == set(HARD)
    assert printed == Printed(3, 1, [])


def test_a_code_reads_though_the_card_be_scratched() -> None:
    (document, _), badge = sheets(TeamCards("合唱队", [card(HARD[0])])), HARD[0]
    picture = picture_of(document[0])
    dot = DPI / 25.4
    right, bottom = (LEFT + CARD_WIDTH - 2) * dot, (TOP + CARD_HEIGHT - 2) * dot
    width = 38 * dot
    scratch = ImageDraw.Draw(picture)
    corners = (right - width, bottom - width * 0.4, right, bottom - width * 0.6)
    scratch.line(corners, fill="white", width=round(1.5 * dot))
    assert badges_on(picture) == {badge}
    scratch.rectangle((right - width, bottom - width * 0.6, right, bottom), fill="white")
    assert badges_on(picture) == set()


def test_a_page_says_whose_team_which_page_and_how_many() -> None:
    document, printed = sheets(
        TeamCards("合唱队", cards(21)), TeamCards("没有人的队", []), TeamCards("义诊队", cards(10))
    )
    assert (printed.badges, printed.pages, len(document)) == (31, 4, 4)
    heads = [text_of(page).split("志愿者证")[0].split() for page in document]
    assert [head[0] for head in heads] == ["合唱队", "合唱队", "合唱队", "义诊队"]
    assert ["".join(head[1:]) for head in heads] == [
        *(f"第{page}/3页page·共21张badges" for page in (1, 2, 3)),
        "第1/1页page·共10张badges",
    ]
    assert [text_of(page).count("证号") for page in document] == [10, 10, 1, 10]


def test_a_card_says_name_team_id_serial_generation_and_district() -> None:
    badge = Badge("V7K2M9QXTA1", "B000123", 2)
    document, _ = sheets(TeamCards("合唱队", [card(badge, "欧阳娜娜")]))
    text = text_of(document[0])
    for said in ("志愿者证", DISTRICT, "欧阳娜娜", "V7K2M9QXTA1", "证号 B000123 · 第 2 版"):
        assert said in text
    assert text.count("合唱队") == 2


def test_the_font_goes_with_the_document_and_only_what_is_used_of_it() -> None:
    to = BytesIO()
    write_badge_sheets(to, DISTRICT, [TeamCards("合唱队", cards(3))])
    assert len(to.getvalue()) < 60_000
    document = pypdfium2.PdfDocument(to.getvalue())
    fonts = {font_of(item) for item in texts_on(document[0])}
    assert fonts == {("MPDFAA+NotoSansCJKSC", True)}


@pytest.mark.parametrize("name", LONG_NAMES, ids=len)
def test_long_names_shrink_or_wrap_and_stay_whole_within_their_card(name: str) -> None:
    team = f"{name}服务队"
    document, printed = sheets(TeamCards(team, [card(HARD[2], name)]))
    page = document[0]
    assert printed.missing == []
    whole = "".join(text_of(page).split())
    assert whole.count("".join(team.split())) == 2
    boxes = [box_of(item) for item in texts_on(page)]
    on_card = [box for box in boxes if box[1] > TOP]
    assert len(on_card) < len(boxes)
    for left, top, right, bottom in on_card:
        assert left >= LEFT
        assert bottom <= TOP + CARD_HEIGHT
        # The code's quiet zone begins 40 mm from the right edge.
        assert right <= LEFT + CARD_WIDTH - (4 if bottom < TOP + 10.2 else 40)
        assert top >= TOP
    apart = sorted((box[1], box[3]) for box in on_card if box[1] > TOP + 10.2)
    assert all(above[1] <= below[0] + 0.3 for above, below in pairwise(apart))


@given(
    st.text(st.sampled_from("王i1W· -—〓"), min_size=1, max_size=120).map(str.strip).filter(bool),
    st.floats(12, 120),
    st.floats(3, 20),
)
def test_whatever_is_set_in_a_box_fits_and_is_whole(text: str, width: float, height: float) -> None:
    fitted = FACE.fitted(text, width, height, 26)
    PDF.set_font_size(fitted.size)
    assert all(PDF.get_string_width(line) <= width + 0.01 for line in fitted.lines)
    assert len(fitted.lines) * fitted.size * LINE_HEIGHT * TO_MILLIMETRES <= height + 0.01
    assert "".join("".join(fitted.lines).split()) == "".join(text.split())


def test_rare_characters_are_printed_if_the_font_has_them_and_otherwise_marked_and_told() -> None:
    document, printed = sheets(
        TeamCards("龘队", [card(HARD[0], "司马𱁬𠮷"), card(HARD[1], "王\U0003134fك")]),
        TeamCards("ك队", cards(2)),
    )
    assert "司马𱁬𠮷" in text_of(document[0])
    assert "王〓〓" in text_of(document[0])
    assert printed.missing == [
        Missing("volunteer", "v-12/小", "\U0003134fك"),
        Missing("team", "ك队", "ك"),
    ]
    assert "〓队" in text_of(document[1])


def test_progress_is_told_page_by_page_and_teams_are_taken_one_by_one() -> None:
    told: list[int | str] = []

    def teams() -> Any:
        for name in ("合唱队", "义诊队"):
            told.append(name)
            yield TeamCards(name, cards(12))

    write_badge_sheets(BytesIO(), DISTRICT, teams(), told.append)
    assert told == ["合唱队", 10, 12, "义诊队", 22, 24]


def texts_on(page: Any) -> list[Any]:
    return [item for item in page.get_objects() if item.type == pdfium.FPDF_PAGEOBJ_TEXT]


def font_of(item: Any) -> tuple[str, bool]:
    """A text's font, and whether it is in the document."""
    font = pdfium.FPDFTextObj_GetFont(item)
    name = ctypes.create_string_buffer(100)
    pdfium.FPDFFont_GetBaseFontName(font, name, 100)
    return name.value.decode(), pdfium.FPDFFont_GetIsEmbedded(font) == 1


def box_of(item: Any) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of its ink, in millimetres from the page's upper left."""
    left, bottom, right, top = (bound * TO_MILLIMETRES for bound in item.get_bounds())
    return left, 297 - top, right, 297 - bottom
