"""口径说明: what words and figures mean, by which thresholds, and of when the data are."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from xlsxwriter import Workbook

from common.money import WAN_PER_YI, plain
from common.months import month_key
from reports.renderers.document import BulletinDocument
from reports.renderers.wording import as_of_words, known_at_words, state_words
from reports.renderers.xlsx.cells import Kind
from reports.renderers.xlsx.page import open_sheet
from reports.renderers.xlsx.sheet import Column
from reports.renderers.xlsx.styles import Styles

Term = tuple[str, str]

COUNTING: tuple[Term, ...] = (
    ("项目（个）", "一个项目不论与几家机构对接、有几笔贷款，只计1个。"),
    ("笔", "一个项目、一家机构、一笔贷款为1笔；各机构表只列笔数，不列个数。"),
    ("融资需求", "项目在截至日仍需融资的金额；项目自其所属摸排轮次起计入各期通报。"),
    (
        "已投放",
        "截至日累计已发放的贷款金额，以后还款不扣减；冲正的投放扣减。",
    ),
    (
        "已达成意向",
        "进展到达成意向、已授信、已签约的，按约定金额计（有授信金额用授信金额，没有的用意向金额）；"
        "已投放一部分的，其余未投放的约定金额仍计入意向。只推送、签收、对接的不计入。",
    ),
    (
        "同时计入两个阶段",
        "部分投放的一笔在投放、意向两个阶段各计一次，在落地合计中只计一次，"
        "因此两个阶段的个数、笔数相加可能大于合计。",
    ),
    ("不予支持、已取消", "自该日起不再计入；以前各期通报不变。"),
    ("机构", "支行报送的，计入其上级机构；农村商业银行计为银行，县信用联社计为联社。"),
    ("零报告与未报送", "零报告是机构报告本月没有进展；未报送是没有收到报告，单独列出，不当作零。"),
    (
        "占比",
        "分母均为融资需求总额，各自由原值计算，保留两位小数；各项占比相加可能与合计占比相差0.01。",
    ),
    (
        "金额",
        "内部以万元计，精确到元；以亿元列示时由原值合计后四舍五入一次，保留两位小数，"
        "因此各行相加可能与合计不等。不为零而不足0.01亿元的，以万元列示并注明单位。",
    ),
    ("符号", "“0”“0.00”表示数值为零；“—”表示没有数据或不适用。"),
)


def write_definitions(book: Workbook, styles: Styles, document: BulletinDocument) -> None:
    """Write the sheet 口径说明."""
    sheet = open_sheet(book, styles, document, "口径说明", (136, 484))
    sheet.line("口径说明", "page_title")
    columns = (Column("项目", Kind.TEXT, wraps=True), Column("说明", Kind.TEXT, wraps=True))
    body = sheet.table(columns, definitions(document), size="small_")
    sheet.keep_head(body)
    sheet.finish()


def definitions(document: BulletinDocument) -> list[Term]:
    """Return the terms of a bulletin and what they mean, in the order of the sheet."""
    return [*_data(document), *_bands(document.rules), *COUNTING, *_thresholds(document.rules)]


def _data(document: BulletinDocument) -> Iterator[Term]:
    snapshot = document.snapshot
    yield "通报月份", month_key(document.month)
    yield "数据截至", f"{as_of_words(snapshot)}（含当日）"
    yield "数据时点", f"{known_at_words(snapshot)}以前登记的数据计入，以后补登、更正的不计入"
    yield "状态", state_words(document)
    yield "快照指纹", document.digest
    yield "统计口径", f"第{snapshot['rules_version']}版"
    if document.is_synthetic:
        yield "数据来源", "数据中含合成演示数据，只供演示和测试，不是真实的项目和机构报送。"


def _bands(rules: Mapping[str, Any]) -> Iterator[Term]:
    spans = "；\n".join(f"{band['label']}：{_span(band)}" for band in rules["bands"])
    yield "融资需求分档", f"按单个项目的融资需求额分档，下限计入、上限不计入：\n{spans}。"


def _span(band: Mapping[str, Any]) -> str:
    lower, upper = Decimal(band["from_wan"]), band["below_wan"]
    if upper is None:
        return f"{lower:,}万元（含）以上"
    if lower == 0:
        return f"不足{Decimal(upper):,}万元（不含{Decimal(upper):,}万元）"
    return f"{lower:,}万元（含）至{Decimal(upper):,}万元（不含）"


def _thresholds(rules: Mapping[str, Any]) -> Iterator[Term]:
    sporadic = _wan_words(Decimal(rules["sporadic_below_wan"]))
    yield (
        "主要集中与零星",
        f"一家机构在一个阶段的金额达到{sporadic}（含）的列为主要集中，"
        f"有金额而不足{sporadic}的列为零星。",
    )
    yield (
        "落后机构",
        f"落地不足{rules['landed_deals_at_least']}笔的，或本月未报送的，列入落后机构。",
    )


def _wan_words(amount_wan: Decimal) -> str:
    if amount_wan >= WAN_PER_YI:
        return f"{plain(amount_wan / WAN_PER_YI)}亿元"
    return f"{plain(amount_wan)}万元"
