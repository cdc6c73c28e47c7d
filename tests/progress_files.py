"""Makes progress returns as institutions hand them in, for the tests of their importer."""

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

COLUMNS = (
    "项目编号",
    "项目名称",
    "金融机构",
    "进展阶段",
    "意向金额（万元）",
    "授信金额（万元）",
    "本次投放金额（万元）",
    "累计投放金额（万元）",
    "投放日期",
    "执行利率（%）",
    "期限（月）",
    "凭证号",
    "不予支持原因",
    "无变化",
    "备注",
)
BANK = "喀什农商银行"
HEADER_ROW = 3


def line(name: str, stage: str = "", **cells: Any) -> dict[str, Any]:
    """A row of a return; columns are given by heading, without unit."""
    row: dict[str, Any] = {"项目名称": name, "金融机构": BANK, "进展阶段": stage}
    for heading, value in cells.items():
        row[next(full for full in COLUMNS if full.split("（")[0] == heading)] = value
    return row


def progress(
    *lines: Mapping[str, Any],
    reporter: str = BANK,
    month: str = "2022年2月",
    nil: bool = False,
    columns: Sequence[str] = COLUMNS,
    above: Iterable[Sequence[Any]] | None = None,
    touch: Callable[[Worksheet], None] | None = None,
) -> bytes:
    """A return with its title and the line 填报单位 above the header in row 3."""
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    about = [
        f"填报单位：{reporter}" if reporter else "",
        f"报送月份：{month}" if month else "",
        "单位：万元",
        "本月零报告" if nil else "",
    ]
    for row in above if above is not None else (["融资对接进展表"], ["    ".join(about)]):
        sheet.append(list(row))
    sheet.append(list(columns))
    for one in lines:
        sheet.append([one.get(column) for column in columns])
    if touch:
        touch(sheet)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()
