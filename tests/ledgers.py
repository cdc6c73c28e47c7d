"""Makes workbooks as people hand them in, tidy and untidy, for the tests of the importers."""

import io
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

# A project that is right in every column; county and names of Kashgar, the rest invented.
PROJECT: dict[str, Any] = {
    "序号": 1,
    "县市": "疏勒县",
    "推荐单位": "疏勒县人民政府",
    "项目名称": "疏勒县示例棉纺项目（一期）",
    "项目单位": "疏勒示例纺织有限公司",
    "统一社会信用代码": "91659900FAKE00001X",
    "企业性质": "民营",
    "所属行业": "C1711",
    "项目类别": "重大工业项目、重点领域",
    "建设内容及规模": "新建纺锭3万锭",
    "建设性质": "新建",
    "总投资（万元）": 3000,
    "已落实资金（万元）": 1000,
    "融资需求（万元）": 2000,
    "融资用途": "设备购置",
    "期限（月）": 60,
    "担保方式": "抵押、保证",
    "计划用款时间": "2022年6月",
    "意向金融机构": "农业银行",
    "联系人": "王示例",
    "联系电话": "0998-0000001",
    "前期手续": "立项、用地",
    "备注": "示例",
}
COLUMNS = tuple(PROJECT)

Row = Sequence[Any]
Sheets = Mapping[str, Iterable[Row]]


def project(name: str = "", /, **cells: Any) -> dict[str, Any]:
    """A right row; columns are given by heading, a heading without unit is enough."""
    row = dict(PROJECT)
    if name:
        row["项目名称"] = name
    for heading, value in cells.items():
        row[next(full for full in COLUMNS if full.split("（")[0] == heading)] = value
    return row


def ledger(
    *projects: Mapping[str, Any],
    columns: Sequence[str] = COLUMNS,
    above: Iterable[Row] = (),
    below: Iterable[Row] = (),
    renamed: Mapping[str, str] | None = None,
    touch: Callable[[Worksheet], None] | None = None,
) -> bytes:
    """A ledger file: lines above, one header row, projects, lines below, then a last touch."""
    heads = [(renamed or {}).get(column, column) for column in columns]
    rows = [[row.get(column) for column in columns] for row in projects]
    return workbook({"台账": [*above, heads, *rows, *below]}, touch=touch)


def workbook(
    sheets: Sheets,
    *,
    hidden: Sequence[str] = (),
    touch: Callable[[Worksheet], None] | None = None,
) -> bytes:
    """A workbook of rows; `touch` may still merge cells or set formats of the first sheet."""
    book = Workbook()
    book.remove(book["Sheet"])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
        if name in hidden:
            sheet.sheet_state = "hidden"
    if touch:
        touch(book.worksheets[0])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def repacked(
    content: bytes,
    change: Mapping[str, Callable[[bytes], bytes]] | None = None,
    add: Mapping[str, bytes] | None = None,
) -> bytes:
    """The same file with parts changed or added; what no spreadsheet program would write."""
    result = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for entry in old.infolist():
            part = old.read(entry)
            new.writestr(entry.filename, (change or {}).get(entry.filename, bytes)(part))
        for name, part in (add or {}).items():
            new.writestr(name, part)
    return result.getvalue()
