"""Sheets of badges to print and cut: PDF, A4, ten cards of 85.6 by 54 mm on a page, team by team.

It neither signs nor looks anybody up: names and the text of the QR codes come as values, PDF goes
out. Lengths are millimetres, sizes of type points. Invariant: nothing is left out or runs over its
card; a character that the font lacks is printed as 〓 and named in what is returned.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import BinaryIO, Literal, NamedTuple

import zxingcpp
from fpdf import FPDF

from dashboards.badge_type import LINE_HEIGHT, Face
from producers.volunteer_numbers import number_of

CARD_WIDTH, CARD_HEIGHT = 85.6, 54.0  # ISO/IEC 7810 ID-1, as a bank card
COLUMNS, ROWS = 2, 5

_LEFT, _TOP = (210 - COLUMNS * CARD_WIDTH) / 2, 15.0
_INSET = 4.0
_CODE = 38.0  # the QR code, quiet zone included
_QUIET = 4  # modules, as ISO/IEC 18004 asks for
_MARK = 3.0
_BASELINE = 0.98 / LINE_HEIGHT  # from a line's top; an em reaches 0.12 below it
_RED, _BLACK, _GREY = (184, 28, 34), (0, 0, 0), (110, 110, 110)
_BITS = bytes.maketrans(b"\x00\xff", b"01")


class BadgeCard(NamedTuple):
    """What is printed on one card; `code` is the text of its QR code, as `sign_badge` makes it."""

    volunteer: str
    name: str
    serial: str
    generation: int
    code: str


class TeamCards(NamedTuple):
    """A team's name, as heading and on each card, and its cards in the order of printing."""

    name: str
    cards: Sequence[BadgeCard]


class Missing(NamedTuple):
    """Characters the font lacks, in what is printed of a volunteer (by id), team or district."""

    of: Literal["volunteer", "team", "district"]
    which: str
    characters: str


class Printed(NamedTuple):
    """What was written, and what somebody has to write by hand."""

    badges: int
    pages: int
    missing: list[Missing]


def write_badge_sheets(
    to: BinaryIO,
    district: str,
    teams: Iterable[TeamCards],
    progress: Callable[[int], None] = lambda badges: None,
) -> Printed:
    """Writes one PDF with the sheets of all these teams; each team begins a page.

    A team without cards has none. `progress` is told after each page how many badges are drawn.
    Teams are taken one by one, and what was drawn stays in memory until it is written: two
    kilobytes for a badge. What is written holds people's names. OSError as `to` raises it.
    """
    sheets = _Sheets(district)
    for team in teams:
        for badges in sheets.draw(team):
            progress(badges)
    sheets.pdf.output(to)
    return Printed(sheets.badges, sheets.pdf.pages_count, sheets.missing)


class _Sheets:
    """A document that grows by teams."""

    def __init__(self, district: str) -> None:
        self.pdf = FPDF(format="A4")
        self.pdf.set_auto_page_break(False)
        self.pdf.set_margin(0)
        self.pdf.set_lang("zh-CN")
        self.pdf.set_title("志愿者证")
        self.badges = 0
        self.missing: list[Missing] = []
        self._face = Face(self.pdf)
        self._district = self._printable(district, "district", district)

    def draw(self, team: TeamCards) -> Iterator[int]:
        """Draws a team's pages; after each, how many badges the document holds."""
        name = self._printable(team.name, "team", team.name)
        a_page = COLUMNS * ROWS
        pages = -(-len(team.cards) // a_page)
        for page in range(pages):
            cards = team.cards[page * a_page : (page + 1) * a_page]
            self.pdf.add_page()
            self._head(name, page + 1, pages, len(team.cards))
            self._cut_marks(-(-len(cards) // COLUMNS))
            for at, card in enumerate(cards):
                row, column = divmod(at, COLUMNS)
                self._card(card, name, _LEFT + column * CARD_WIDTH, _TOP + row * CARD_HEIGHT)
            self.badges += len(cards)
            yield self.badges

    def _printable(
        self, text: str, of: Literal["volunteer", "team", "district"], which: str
    ) -> str:
        printable, missing = self._face.printable(text)
        if missing:
            self.missing.append(Missing(of, which, missing))
        return printable

    def _head(self, team: str, page: int, pages: int, badges: int) -> None:
        self._text(team, _LEFT, 3.5, 106, 8, 13)
        counted = f"第 {page} / {pages} 页 page · 共 {badges} 张 badges"
        self._text(counted, _LEFT + 110, 5, COLUMNS * CARD_WIDTH - 110, 6, 9, align="right")

    def _cut_marks(self, rows: int) -> None:
        """Short lines outside of the cards and crosses between them, none of them on a code."""
        pdf, right, bottom = self.pdf, _LEFT + COLUMNS * CARD_WIDTH, _TOP + rows * CARD_HEIGHT
        pdf.set_line_width(0.1)
        pdf.set_draw_color(*_BLACK)
        columns_at = [_LEFT + column * CARD_WIDTH for column in range(COLUMNS + 1)]
        for y in (_TOP + row * CARD_HEIGHT for row in range(rows + 1)):
            pdf.line(_LEFT - 1 - _MARK, y, _LEFT - 1, y)
            pdf.line(right + 1, y, right + 1 + _MARK, y)
            for x in columns_at[1:-1]:
                pdf.line(x - 1, y, x + 1, y)
        for x in columns_at:
            pdf.line(x, _TOP - _MARK, x, _TOP)
            pdf.line(x, bottom, x, bottom + _MARK)
            for y in (_TOP + row * CARD_HEIGHT for row in range(1, rows)):
                pdf.line(x, y - 1, x, y + 1)

    def _card(self, card: BadgeCard, team: str, left: float, top: float) -> None:
        name, volunteer, serial = (
            self._printable(text, "volunteer", card.volunteer)
            for text in (card.name, number_of(card.volunteer) or card.volunteer, card.serial)
        )
        x, width = left + _INSET, CARD_WIDTH - 2 * _INSET
        self.pdf.set_text_color(*_RED)
        self._text("志愿者证", x, top + 2.6, 30, 7, 14)
        self.pdf.set_text_color(*_BLACK)
        self._text(self._district, x + 32, top + 3.2, width - 32, 6, 9, align="right")
        self.pdf.set_draw_color(*_RED)
        self.pdf.set_line_width(0.4)
        self.pdf.line(x, top + 10.2, x + width, top + 10.2)

        column = width - _CODE + 1
        self._text(name, x, top + 13, column, 15, 26)
        self._text(team, x, top + 29, column, 11, 10.5)
        self._text(volunteer, x, top + 40.5, column, 5, 10)
        self.pdf.set_text_color(*_GREY)
        self._text(f"证号 {serial} · 第 {card.generation} 版", x, top + 45.8, column, 4, 8)
        self.pdf.set_text_color(*_BLACK)
        self._code(card.code, left + CARD_WIDTH - _CODE - 2, top + CARD_HEIGHT - _CODE - 2)

    def _text(
        self,
        text: str,
        left: float,
        top: float,
        width: float,
        height: float,
        largest: float,
        align: Literal["left", "right"] = "left",
    ) -> None:
        """Text in a box, at most `largest` points, centred in its height."""
        size, lines = self._face.fitted(text, width, height, largest)
        step = LINE_HEIGHT * size / self.pdf.k
        baseline = top + (height - len(lines) * step) / 2 + _BASELINE * step
        self.pdf.set_font_size(size)
        for at, line in enumerate(lines):
            shift = width - self.pdf.get_string_width(line) if align == "right" else 0
            self.pdf.text(left + shift, baseline + at * step, line)

    def _code(self, text: str, left: float, top: float) -> None:
        """A QR code as an image of one bit a module, written into the page as it is.

        fpdf2 has no call for that; an image of its own kind takes several times the room and time.
        """
        made = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="Q")
        pixels = memoryview(made.to_image(add_quiet_zones=False))
        size = len(pixels)
        module = _CODE / (size + 2 * _QUIET)
        k = self.pdf.k
        width = size * module * k
        x, y = (left + _QUIET * module) * k, (self.pdf.h - top - _QUIET * module) * k - width
        self.pdf._out(
            f"q {width:.3f} 0 0 {width:.3f} {x:.3f} {y:.3f} cm "
            f"BI /W {size} /H {size} /BPC 1 /CS /G /F /AHx ID {_hexadecimal(pixels)}> EI Q"
        )


def _hexadecimal(pixels: memoryview) -> str:
    """Rows of one bit a pixel, 1 for white, each row filled up to whole bytes."""
    size = len(pixels)
    digits, padding = (size + 7) // 8 * 2, -size % 8
    bits = pixels.tobytes().translate(_BITS)
    rows = (int(bits[at : at + size], 2) << padding for at in range(0, size * size, size))
    return "".join(f"{row:0{digits}x}" for row in rows)
