"""Opening an XLSX file, or saying why not. Not what its sheets hold.

Invariant: nothing is unpacked before its size is known. Entities in XML are refused by defusedxml,
which openpyxl uses where it is installed.
"""

import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from defusedxml.common import DefusedXmlException
from openpyxl import load_workbook

from producers.sheets.limits import LARGEST_UNPACKED
from producers.sheets.refusals import Reason, Unreadable

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_STRICT = b"http://purl.oclc.org/ooxml/"
_SHEET = re.compile(rb"<(?:\w+:)?sheet\s")


@contextmanager
def opened_workbook(path: Path) -> Iterator[Any]:
    """The workbook for streaming, closed at the end; Unreadable, OSError."""
    _check_container(path)
    with path.open("rb") as file, warnings.catch_warnings():
        # About what has no bearing on cells: styles, extensions, drop-downs.
        warnings.simplefilter("ignore")
        with closing(_opened(path, file)) as workbook:
            yield workbook


def unreadable(error: Exception) -> Unreadable:
    """What a library's complaint about a workbook comes to."""
    unsafe = isinstance(error, DefusedXmlException) or isinstance(
        error.__cause__, DefusedXmlException
    )
    return Unreadable(Reason.UNSAFE_XML if unsafe else Reason.BROKEN_WORKBOOK)


def _check_container(path: Path) -> None:
    """Refuse what is no sound and modest zip file before anything in it is unpacked."""
    with path.open("rb") as file:
        beginning = file.read(len(_OLE))
    if not beginning:
        raise Unreadable(Reason.EMPTY_FILE)
    if beginning == _OLE:
        encrypted = _ENCRYPTED in path.read_bytes()
        raise Unreadable(Reason.PASSWORD_PROTECTED if encrypted else Reason.OLD_FORMAT)
    try:
        with zipfile.ZipFile(path) as archive:
            # A member that holds more than it says ends at what it says, as broken.
            if sum(member.file_size for member in archive.infolist()) > LARGEST_UNPACKED:
                raise Unreadable(Reason.TOO_LARGE)
            if any(_STRICT in archive.read(name) for name in _workbook_parts(archive)):
                raise Unreadable(Reason.STRICT_WORKBOOK)
    except Unreadable:
        raise
    except Exception as error:
        raise Unreadable(Reason.BROKEN_WORKBOOK) from error


def _opened(path: Path, file: Any) -> Any:
    try:
        workbook = load_workbook(file, read_only=True, keep_links=False)
        with zipfile.ZipFile(path) as archive:
            named = sum(
                len(_SHEET.findall(archive.read(name))) for name in _workbook_parts(archive)
            )
        # openpyxl passes silently over sheets whose part is missing.
        if named != len(workbook.sheetnames) or not named:
            raise ValueError("a sheet is missing")
    except Exception as error:
        raise unreadable(error) from error
    return workbook


def _workbook_parts(archive: zipfile.ZipFile) -> list[str]:
    return [name for name in archive.namelist() if re.fullmatch(r"xl/workbook\d*\.xml", name)]
