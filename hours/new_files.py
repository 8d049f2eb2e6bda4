"""Files made for secrets: nobody else may read them, and none is ever overwritten."""

import os
from pathlib import Path

from hours.settings import WrongUse

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL


def write_secret(file: Path, text: str) -> None:
    """Write a new file that only its owner may read. WrongUse where there is one already."""
    try:
        with os.fdopen(os.open(file, _NEW_FILE, 0o600), "w") as written:
            os.fchmod(written.fileno(), 0o600)
            written.write(text)
    except FileExistsError as error:
        raise WrongUse(
            f"{file} 已经存在，不会覆盖：请另取文件名。 "
            f"{file} exists and is not overwritten: name another file."
        ) from error
    except OSError as error:
        raise WrongUse(
            f"无法写入 {file}：请检查文件夹和权限。 {file} can't be written ({error.strerror})."
        ) from error
