"""Addresses within the board.

Pure. Invariant: nobody is sent to another site by what stands in an address.
"""

from urllib.parse import urlsplit


def local(path: str) -> str:
    """A path of the board's own, or its front page where it was another site's."""
    parts = urlsplit(path)
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\")) and not parts.netloc
    return path if is_ours and path.isprintable() else "/"
