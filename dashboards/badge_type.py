"""The type badges are set in: what the font has, how wide it runs, how large it may be to fit.

Noto Sans CJK as a wheel: its outlines are CFF, keyed by CID, which fpdf2 embeds as they are, only
those that are used. Sizes are points, lengths millimetres. Invariant: what `fitted` returns fits.
"""

from typing import NamedTuple

from fpdf import FPDF
from fpdf.enums import MethodReturnValue
from fpdf.fonts import TTFFont
from noto_cjk_sans_otc import FONT_PATH

LINE_HEIGHT = 1.2
"""Times the size, from one line to the next."""

_FAMILY = "noto"
_SIMPLIFIED = 2  # in the collection: Japanese, Korean, Simplified Chinese, …
_MILLIMETRES = 25.4 / 72  # in a point
_UNKNOWN = "〓"  # what a Chinese compositor sets for a character that isn't in the case
_SMALLER = 0.94
_SQUEEZED = 0.6  # of its largest size a single line may lose before two are tried


class Fitted(NamedTuple):
    """Lines, and the size at which they fit."""

    size: float
    lines: list[str]


class Face:
    """The font, within one document."""

    def __init__(self, pdf: FPDF) -> None:
        pdf.add_font(_FAMILY, fname=str(FONT_PATH), collection_font_number=_SIMPLIFIED)
        pdf.set_font(_FAMILY, size=10)
        pdf.c_margin = 0  # a box's width is all for its text
        font = pdf.fonts[_FAMILY]
        assert isinstance(font, TTFFont)
        self._pdf, self._font = pdf, font

    def printable(self, text: str) -> tuple[str, str]:
        """The text with 〓 for each character that the font lacks, and those characters."""
        has = self._font.cmap
        missing = "".join(dict.fromkeys(letter for letter in text if ord(letter) not in has))
        return text.translate(dict.fromkeys(map(ord, missing), _UNKNOWN)), missing

    def fitted(self, text: str, width: float, height: float, largest: float) -> Fitted:
        """Printable text in a box: a little smaller, or in several lines, or smaller still."""
        largest = min(largest, height / LINE_HEIGHT / _MILLIMETRES)
        ems = sum(self._font.cw[ord(letter)] for letter in text) / 1000
        one_line = min(largest, width / max(ems, 0.001) / _MILLIMETRES)
        if one_line >= largest * _SQUEEZED:
            return Fitted(one_line, [text])
        size = largest
        while size > one_line:
            lines = self._wrapped(text, width, size)
            if len(lines) * LINE_HEIGHT * size * _MILLIMETRES <= height:
                return Fitted(size, lines)
            size *= _SMALLER
        return Fitted(one_line, [text])

    def _wrapped(self, text: str, width: float, size: float) -> list[str]:
        self._pdf.set_font_size(size)
        lines = self._pdf.multi_cell(width, text=text, dry_run=True, output=MethodReturnValue.LINES)
        assert isinstance(lines, list)
        return lines
