"""Workbooks to fill in: none is ever overwritten, somebody may have filled it in already."""

from collections.abc import Sequence
from pathlib import Path

from hours.settings import WrongUse
from producers.sheets import Sheet, write_workbook


def write_new_workbook(path: Path, sheets: Sequence[Sheet]) -> None:
    """Write a workbook to fill in. WrongUse where it is there already, or can't be."""
    if path.suffix.lower() != ".xlsx":
        raise WrongUse(f"{path} 应以 .xlsx 结尾。 {path} must end in .xlsx.")
    if path.exists():
        raise WrongUse(
            f"{path} 已经存在：请换一个文件名，或先移走它。 "
            f"{path} is there already: take another name, or move it away first."
        )
    try:
        # Asked before the work is done, and before the library holds half a workbook.
        path.parent.stat()
        write_workbook(path, sheets)
    except OSError as error:
        raise WrongUse(
            f"写不了 {path}：请检查文件夹和权限。 "
            f"{path} can't be written ({error.strerror}): check its folder and rights."
        ) from error
