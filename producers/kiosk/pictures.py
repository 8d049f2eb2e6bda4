"""The code in a picture that a browser took, where the browser can't read codes itself.

Imported when the first picture comes: decoders take memory that most gateways never need.
"""

import io

import zxingcpp
from PIL import Image

_MOST_PIXELS = 4_000_000
_LARGE_ENOUGH = (1_600, 1_600)


def text_in(content: bytes) -> str | None:
    """The text of the QR code in a PNG or JPEG; None where there is none, or no such picture."""
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as image:
            image.draft("L", _LARGE_ENOUGH)  # what a phone takes is many times what is needed
            if image.width * image.height > _MOST_PIXELS:
                return None
            found = zxingcpp.read_barcodes(
                image.convert("L"), formats=zxingcpp.BarcodeFormat.QRCode
            )
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    return next((str(one.text) for one in found), None)
