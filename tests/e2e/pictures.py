"""Pictures for the documentation: taken of a page, and made small."""

from pathlib import Path

from PIL import Image


def make_small(
    file: Path, colours: int, dither: Image.Dither = Image.Dither.FLOYDSTEINBERG
) -> None:
    """Leave a screenshot so many colours."""
    with Image.open(file) as picture:
        small = picture.convert("RGB").quantize(colours, dither=dither)
    small.save(file, optimize=True)
