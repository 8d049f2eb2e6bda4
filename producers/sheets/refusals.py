"""Why a file, a sheet or a cell can't be read: an enumerated reason, and what to do about it.

Invariant: no private value is in a refusal, and no text of a library's exception, which may quote
one.
"""

from enum import StrEnum

from producers.sheets.values import Refusal

_LONGEST_SHOWN = 100


class Reason(StrEnum):
    """The ways in which what stands in a file can fail to be a table's row."""

    UNREADABLE_FILE = "unreadable-file"
    EMPTY_FILE = "empty-file"
    UNKNOWN_EXTENSION = "unknown-extension"
    OLD_FORMAT = "old-excel-format"
    PASSWORD_PROTECTED = "password-protected"  # noqa: S105 -- a reason, no password
    BROKEN_WORKBOOK = "broken-workbook"
    STRICT_WORKBOOK = "strict-workbook"
    UNSAFE_XML = "unsafe-xml"
    TOO_LARGE = "too-large"
    NOT_CSV = "not-csv"
    WRONG_ENCODING = "wrong-encoding"
    BROKEN_QUOTES = "broken-quotes"
    UNKNOWN_KIND = "unknown-kind"
    AMBIGUOUS_KIND = "ambiguous-kind"
    UNKNOWN_SHEET = "unknown-sheet"
    TOO_MANY_ROWS = "too-many-rows"
    NO_HEADER = "no-header"
    MISSING_HEADER = "missing-header"
    DOUBLED_HEADER = "doubled-header"
    UNKNOWN_HEADER = "unknown-header"
    VALUE_WITHOUT_HEADER = "value-without-header"
    MERGED_CELLS = "merged-cells"
    FORMULA = "formula"
    ERROR_VALUE = "error-value"
    TOO_MANY_DIGITS = "too-many-digits"
    UNEXPECTED_DATE = "unexpected-date"
    TOO_LONG = "too-long"
    CONTROL_CHARACTER = "control-character"


_WHAT = {
    Reason.UNREADABLE_FILE: (
        "文件打不开：请检查路径和权限。",
        "The file can't be opened: check its path and permissions.",
    ),
    Reason.EMPTY_FILE: (
        "文件是空的：请换成有表头和数据的文件。",
        "The file is empty: give one with a header and rows.",
    ),
    Reason.UNKNOWN_EXTENSION: (
        "只读 .xlsx 和 .csv 文件：请另存为其中一种。",
        "Only .xlsx and .csv files are read: save it as one of them.",
    ),
    Reason.OLD_FORMAT: (
        "这是旧版 .xls 格式：请在 Excel 或 WPS 里另存为 .xlsx。",
        "This is the old .xls format: save it as .xlsx in Excel or WPS.",
    ),
    Reason.PASSWORD_PROTECTED: (
        "工作簿有打开密码：请取消密码后另存。",
        "The workbook is protected by a password: save it without one.",
    ),
    Reason.BROKEN_WORKBOOK: (
        "工作簿已损坏或不是 .xlsx：请在 Excel 里打开并另存为 .xlsx。",
        "The workbook is broken or no .xlsx: open it in Excel and save it as .xlsx.",
    ),
    Reason.STRICT_WORKBOOK: (
        "这是 Strict Open XML 工作簿：请另存为普通的“Excel 工作簿 (.xlsx)”。",
        "This is a Strict Open XML workbook: save it as an ordinary Excel Workbook (.xlsx).",
    ),
    Reason.UNSAFE_XML: (
        "工作簿里有 XML 实体声明，Excel 从不这样写：请不要使用这个文件。",
        "The workbook declares XML entities, which Excel never writes: don't use this file.",
    ),
    Reason.TOO_LARGE: (
        "解压后超过 512 MB：请拆成几个文件。",
        "Unpacked, it is over 512 MB: split it into several files.",
    ),
    Reason.NOT_CSV: (
        "扩展名是 .csv，内容却是工作簿：请把扩展名改为 .xlsx，或另存为 CSV。",
        "It is named .csv but is a workbook: name it .xlsx, or save it as CSV.",
    ),
    Reason.WRONG_ENCODING: (
        "编码既不是 UTF-8 也不是 GB18030：请另存为“CSV UTF-8”。",
        "It is encoded neither as UTF-8 nor as GB18030: save it as CSV UTF-8.",
    ),
    Reason.BROKEN_QUOTES: (
        "从这一行起引号不成对，后面没有读：请补上或去掉引号。",
        "From this line on quotes don't match, and nothing more was read: mend the quotes.",
    ),
    Reason.UNKNOWN_KIND: (
        "看不出是哪一种表：请用表名作文件名（{known}），并检查表头。",
        "Which table this is can't be told: name the file after it ({known}), check its header.",
    ),
    Reason.AMBIGUOUS_KIND: (
        "可能是几种表（{known}）：请用其中一个作文件名。",
        "It could be several tables ({known}): name the file after one of them.",
    ),
    Reason.UNKNOWN_SHEET: (
        "不认识这个工作表名：请改成 {known} 之一，或删除、隐藏这个工作表。",
        "No table has this sheet's name: rename it to one of {known}, or delete or hide it.",
    ),
    Reason.TOO_MANY_ROWS: (
        "超过 1,048,576 行，后面没有读：请拆成几个文件。",
        "Over 1,048,576 rows, and no more were read: split it into several files.",
    ),
    Reason.NO_HEADER: (
        "前五行里没有认得的表头：请在第一行写上 {known}。",
        "No known header within the first five rows: put {known} into the first row.",
    ),
    Reason.MISSING_HEADER: (
        "缺少必需的列：请加上表头 {known}。",
        "A required column is missing: add the header {known}.",
    ),
    Reason.DOUBLED_HEADER: (
        "这一列的表头与 {known} 列相同：请删除其中一列。",
        "This column has the same header as column {known}: delete one of them.",
    ),
    Reason.UNKNOWN_HEADER: (
        "不认识这个表头：请改成 {known}，或删除这一列。",
        "Unknown header: change it to {known}, or delete the column.",
    ),
    Reason.VALUE_WITHOUT_HEADER: (
        "单元格上方没有表头：请补上表头、删除内容，CSV 里带分隔符的内容要加引号。",
        "No header above this cell: add one, or delete the cell; in CSV, quote a value that holds "
        "the separator.",
    ),
    Reason.MERGED_CELLS: (
        "合并的单元格 {known}：请取消合并，每一格都填上内容。",
        "Merged cells {known}: unmerge them and fill in each cell.",
    ),
    Reason.FORMULA: (
        "单元格是公式：请复制后“选择性粘贴—数值”。",
        "The cell is a formula: copy it and paste it as a value.",
    ),
    Reason.ERROR_VALUE: (
        "单元格是错误值：请填上正确的内容。",
        "The cell is an error value: fill in what it should be.",
    ),
    Reason.TOO_MANY_DIGITS: (
        "长号码被存成了数字，Excel 只留 15 位：请把单元格设为文本，再按原件重新输入。",
        "A long number was stored as a number, and Excel keeps 15 digits only: format the cell as "
        "text and type it again from the original.",
    ),
    Reason.UNEXPECTED_DATE: (
        "这一列不是日期，Excel 可能把编号改成了日期：请把单元格设为文本，再重新输入。",
        "This column holds no dates, and Excel may have made one of a code: format the cell as "
        "text and type it again.",
    ),
    Reason.TOO_LONG: (
        "内容超过 1,000 个字：请缩短。",
        "It is over 1,000 characters: shorten it.",
    ),
    Reason.CONTROL_CHARACTER: (
        "内容里有看不见的控制字符：请重新输入。",
        "It holds invisible control characters: type it again.",
    ),
}


class Unreadable(Exception):
    """Within this package: the file, or the rest of it, can't be read; becomes a refusal."""

    def __init__(self, reason: Reason, row: int = 0, known: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.row = row
        self.known = known


def refusal(
    reason: Reason,
    file: str,
    sheet: str = "",
    row: int = 0,
    column: str = "",
    header: str = "",
    value: str = "",
    known: str = "",
) -> Refusal:
    """A refusal that says what to do; `known` is what would have been right."""
    chinese, english = _WHAT[reason]
    what = f"{chinese} {english}".format(known=shown(known, 300))
    return Refusal(file, sheet, row, column, shown(header), shown(value), reason.value, what)


def masked(value: str) -> str:
    """Its first and last character, and a star for each between; all stars below three."""
    if len(value) < 3:
        return "*" * len(value)
    return f"{value[0]}{'*' * (len(value) - 2)}{value[-1]}"


def shown(value: str, longest: int = _LONGEST_SHOWN) -> str:
    """As it stands, but printable and in one line, and cut where it is very long."""
    line = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in value)
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
