"""无投放无意向: who reported and has nothing; apart from them, who did not report."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from xlsxwriter import Workbook

from common.money import in_prose
from reports.renderers.document import BulletinDocument
from reports.renderers.wording import as_of_words
from reports.renderers.xlsx.cells import Kind, Mark
from reports.renderers.xlsx.page import name_width, open_sheet
from reports.renderers.xlsx.sheet import Column
from reports.renderers.xlsx.styles import Styles

RETURNS = {
    "nil": Mark("零报告", "grey"),
    "reported": Mark("已报送", "green"),
    "missing": Mark("未报送", "red"),
}


def write_without_any(book: Workbook, styles: Styles, document: BulletinDocument) -> None:
    """Write the sheet 无投放无意向."""
    institutions = document.snapshot["institutions"]
    names = name_width((row["name"] for row in institutions), 212)
    widths = (44, names, 70, 90, 204)
    sheet = open_sheet(book, styles, document, "无投放无意向", widths)
    silent = [row for row in institutions if row["return"] == "missing"]
    without = [
        row for row in institutions if not row["landed_deals"] and row["return"] != "missing"
    ]
    sheet.line("没有投放也没有意向的机构", "page_title")
    sheet.line(_without_note(document.snapshot, len(without)), "note")
    body = sheet.table(_institution_columns("说明"), _numbered(without, _without_words))
    sheet.keep_head(body)
    if not without:
        sheet.line("没有这样的机构。", "note")
    sheet.gap(16)
    sheet.keep_together(120)
    sheet.line("未报送本月进展的机构", "page_title")
    if not silent:
        sheet.line("各机构均已报送本月进展。", "note")
    else:
        sheet.line("没有收到报告，不当作零，情况以补报为准。", "note")
        sheet.table(_institution_columns("已计入本期的落地"), _numbered(silent, _landed_words))
    sheet.finish()


def _institution_columns(last: str) -> tuple[Column, ...]:
    return (
        Column("序号", Kind.ORDINAL),
        Column("机构", Kind.TEXT),
        Column("类别", Kind.WORD),
        Column("本月报送", Kind.MARK),
        Column(last, Kind.TEXT, wraps=True),
    )


def _numbered(
    institutions: Iterable[dict[str, Any]], last: Callable[[dict[str, Any]], str]
) -> Iterator[tuple[Any, ...]]:
    for number, row in enumerate(institutions, start=1):
        kind = "联社" if row["is_cooperative"] else "银行"
        yield number, row["name"], kind, RETURNS[row["return"]], last(row)


def _without_note(snapshot: dict[str, Any], listed: int) -> str:
    total = len(snapshot["without_any"])
    note = f"截至{as_of_words(snapshot)}，没有投放也没有意向的机构共{total}家"
    if total == listed:
        return f"{note}，均已报送本月进展。"
    return f"{note}：已报送的{listed}家列于本表，未报送的{total - listed}家另列于下。"


def _without_words(row: dict[str, Any]) -> str:
    return "报告本月没有进展" if row["return"] == "nil" else "已报进展，尚无投放和意向"


def _landed_words(row: dict[str, Any]) -> str:
    if not row["landed_deals"]:
        return "没有投放和意向"
    return f"{row['landed_deals']}笔，{in_prose(row['landed']['amount_yi'])}"
