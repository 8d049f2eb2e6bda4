"""Sheets to read in tests: three kinds of table, and workbooks by openpyxl and by hand."""

import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from openpyxl import Workbook

from producers.sheets import Tables, TableSpec, read_tables

UNIT = TableSpec(
    "unit",
    ("单位", "units"),
    {
        "code": ("编号", "code"),
        "kind": ("类别", "kind"),
        "name_zh": ("名称", "name"),
        "name_en": ("英文名称", "english name"),
        "valid_from": ("生效日期", "valid from"),
    },
    required=frozenset({"code", "kind", "name_zh"}),
    dates=frozenset({"valid_from"}),
)
PLATFORM = TableSpec(
    "platform",
    ("平台", "platforms"),
    {"code": ("编号", "code"), "name_zh": ("名称", "name"), "position": ("顺序", "position")},
    required=frozenset({"code", "name_zh"}),
)
PERSON = TableSpec(
    "person",
    ("志愿者", "people"),
    {
        "name": ("姓名", "name"),
        "document": ("证件号码", "document number"),
        "joined": ("加入日期", "joined"),
    },
    required=frozenset({"name"}),
    private=frozenset({"name", "document"}),
    dates=frozenset({"joined"}),
)
SPECS = (UNIT, PLATFORM, PERSON)
UNITS = ("编号", "类别", "名称", "英文名称", "生效日期")
PEOPLE = ("姓名", "证件号码", "加入日期")

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-'
    'officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/sharedStrings.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
    f'Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>'
    '<sheet name="单位" sheetId="1" r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship '
    f'Id="r1" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}


def read(*paths: Path) -> Tables:
    """Read by the three specs."""
    return read_tables(paths, SPECS)


def read_csv_text(name: str, text: str | bytes, specs: Sequence[TableSpec]) -> Tables:
    """What a CSV file of this name and text is read as."""
    with TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_tables([path], specs)


def workbook(
    path: Path,
    sheets: Mapping[str, Iterable[Sequence[Any]]],
    spoil: Callable[[Any], object] = lambda workbook: None,
) -> Path:
    """A workbook as openpyxl writes it, spoilt before it is saved."""
    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        page = book.create_sheet(name)
        for row in rows:
            page.append(row)
    spoil(book)
    book.save(path)
    return path


def workbook_by_hand(
    path: Path, rows: str, *, before: str = "", after: str = "", shared: str = ""
) -> Path:
    """A workbook whose one sheet, 单位, holds this XML, before and after its rows too."""
    sheet = f'{before}<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData>{after}</worksheet>'
    strings = f'<sst xmlns="{_MAIN}">{shared}</sst>'
    return package(
        path, {**_PARTS, "xl/worksheets/sheet1.xml": sheet, "xl/sharedStrings.xml": strings}
    )


def package(path: Path, parts: Mapping[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def row_by_hand(number: int, *texts: str) -> str:
    """A row of text cells as XML."""
    cells = (f'<c t="inlineStr"><is><t>{text}</t></is></c>' for text in texts)
    return f'<row r="{number}">{"".join(cells)}</row>'
