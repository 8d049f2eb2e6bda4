"""What a topic's files on the broker's disk hold."""

from pathlib import Path


def topic_holds(folder: Path, needle: bytes) -> bool:
    """Whether any file of a partition's folder holds these bytes.

    A file that is there no more, or newly, once all were looked at may be one under another name,
    which was missed: then all are looked at again.
    """
    while True:
        files = set(folder.iterdir())
        try:
            found = any(needle in path.read_bytes() for path in files)
        except FileNotFoundError:
            continue
        if found or files == set(folder.iterdir()):
            return found
