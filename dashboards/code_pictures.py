"""A QR code as a picture, with its quiet zone, for what is printed."""

import zxingcpp
from PIL import Image

_BOX_PIXELS = 6


def code_picture(text: str) -> Image.Image:
    """The code that says the text."""
    made = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    pixels = memoryview(made.to_image(scale=_BOX_PIXELS, add_quiet_zones=True))
    return Image.frombytes("L", (len(pixels), len(pixels)), pixels.tobytes())
