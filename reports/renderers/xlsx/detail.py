"""明细: every landed deal, one row each, in 万元."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from xlsxwriter import Workbook

from reports.renderers.document import BulletinDocument
from reports.renderers.text_fit import widest
from reports.renderers.wording import TOTAL, as_of_words
from reports.renderers.xlsx.cells import BLANK, Kind
from reports.renderers.xlsx.page import open_sheet
from reports.renderers.xlsx.sheet import Column, width_px
from reports.renderers.xlsx.styles import Styles

DETAIL_COLUMNS = (
    ("number", Column("序号", Kind.ORDINAL)),
    ("project_code", Column("项目编号", Kind.TEXT)),
    ("project", Column("项目名称", Kind.TEXT, wraps=True)),
    ("region", Column("县市", Kind.WORD)),
    ("borrower", Column("项目单位", Kind.TEXT, wraps=True)),
    ("institution", Column("金融机构", Kind.TEXT)),
    ("reported_by", Column("填报机构", Kind.TEXT, wraps=True)),
    ("voucher_no", Column("凭证号", Kind.TEXT, wraps=True)),
    ("stage", Column("进展阶段", Kind.WORD)),
    ("agreed_wan", Column("约定金额\n万元", Kind.WAN)),
    ("paid_wan", Column("已投放\n万元", Kind.WAN)),
    ("rest_wan", Column("已达成意向\n万元", Kind.WAN)),
    ("demand_wan", Column("融资需求\n万元", Kind.WAN)),
    ("last_paid_on", Column("最近投放\n日期", Kind.DAY)),
)
# Columns that wrap are at most so wide, in characters.
WRAP_AT_EM = {"project": 14.0, "borrower": 12.0, "reported_by": 6.2, "voucher_no": 7.5}


def write_detail(book: Workbook, styles: Styles, document: BulletinDocument) -> None:
    """Write the sheet 明细."""
    snapshot = document.snapshot
    rows = [{**row, "number": number} for number, row in enumerate(document.detail, start=1)]
    total = {
        "project": TOTAL,
        "voucher_no": f"{snapshot['landed']['deals']}笔",
        "paid_wan": snapshot["disbursed"]["amount_wan"],
        "rest_wan": snapshot["intended"]["amount_wan"],
    }
    widths = [_detail_width(key, column, [*rows, total]) for key, column in DETAIL_COLUMNS]
    sheet = open_sheet(book, styles, document, "明细", widths, is_landscape=True)
    sheet.line("落地明细", "page_title")
    sheet.line(
        f"截至{as_of_words(snapshot)}，{snapshot['landed']['projects']}个项目"
        f"{snapshot['landed']['deals']}笔。一笔既有投放又有意向的列一行；"
        "约定金额和融资需求因一个项目可有多笔，不相加。",
        "note",
    )
    columns = [column for _, column in DETAIL_COLUMNS]
    keys = [key for key, _ in DETAIL_COLUMNS]
    cells = ([row[key] or None for key in keys] for row in rows)
    last = [total.get(key, BLANK) for key in keys]
    body = sheet.table(columns, cells, last, size="small_")
    sheet.keep_head(body, first_columns=keys.index("project") + 1)
    sheet.filter_rows(body)
    sheet.mark_as_text(body, keys.index("voucher_no"))
    sheet.finish()


def _detail_width(key: str, column: Column, rows: Sequence[dict[str, Any]]) -> int:
    """Wide enough for the longest entry on one line, up to where the column wraps."""
    heads = [column.head, "　" * 2]
    values = {row[key] for row in rows if row.get(key)}
    if column.kind is Kind.WAN:
        values = {f"{Decimal(value):,}" for value in values}
    longest = max(widest(heads), widest(str(value) for value in values))
    return width_px(min(longest, WRAP_AT_EM.get(key, longest)), "small_cell", column.kind)
