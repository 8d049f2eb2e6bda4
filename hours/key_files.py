"""Private keys' files. Invariant: one that others on the machine may read is never used."""

import os
from pathlib import Path
from stat import S_IRWXO

from hours.settings import WrongUse


def private_bytes(file: Path, setting: str) -> bytes:
    """What is in the file that a setting names. WrongUse where it can't be read, or others can."""
    try:
        with file.open("rb") as stream:
            # A group may be let in on purpose; others never are.
            if os.name == "posix" and os.fstat(stream.fileno()).st_mode & S_IRWXO:
                raise WrongUse(
                    f"{setting} 的私钥 {file} 别人也能读：运行 chmod 600 {file}，"
                    "若可能已被人读过，请换一把。 "
                    f"Others may read the key {file} of {setting}: run chmod 600 {file}, "
                    "and if somebody may have read it, make another."
                )
            return stream.read()
    except OSError as error:
        raise WrongUse(
            f"读不了 {setting} 的文件 {file}：请检查路径和权限。 "
            f"The file {file} of {setting} can't be read ({error.strerror}): "
            "check the path and its rights."
        ) from error
