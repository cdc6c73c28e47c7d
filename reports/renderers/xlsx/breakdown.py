"""融资需求分档, 投放情况, 意向情况: the totals taken apart, each with its bars."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from xlsxwriter import Workbook

from common.money import show_pct
from reports.checks import ROUNDING
from reports.renderers.document import BulletinDocument
from reports.renderers.wording import (
    STAGE_LABELS,
    TOTAL,
    as_of_words,
    check_of,
    rounding_words,
    total_demand,
)
from reports.renderers.xlsx.bars import Bars
from reports.renderers.xlsx.cells import BLANK, Kind, Shown, right
from reports.renderers.xlsx.page import name_width, open_sheet
from reports.renderers.xlsx.sheet import Column, Sheet
from reports.renderers.xlsx.styles import DEMAND_BAR, DISBURSED_BAR, INTENDED_BAR, Styles

# A share that would print as 0.00 though there is some money.
LESS = "不足0.01"


@dataclass(frozen=True)
class StageWords:
    """How the sheet of a stage speaks of it, and the colour of its bars."""

    sheet: str
    verb: str
    check: str
    fill: str


STAGES = {
    "disbursed": StageWords("投放情况", "投放", "各机构投放相加", DISBURSED_BAR),
    "intended": StageWords("意向情况", "达成意向", "各机构意向相加", INTENDED_BAR),
}


def write_bands(book: Workbook, styles: Styles, document: BulletinDocument) -> None:
    """融资需求分档: projects and demand of each size band."""
    demand = document.snapshot["demand"]
    widths = (170, 80, 90, 80, 200)
    sheet = open_sheet(book, styles, document, "融资需求分档", widths)
    sheet.line("融资需求分档", "page_title")
    sheet.line(
        f"截至{as_of_words(document.snapshot)}，累计{demand['projects']}个项目。"
        "按单个项目的融资需求额分档，下限计入、上限不计入。",
        "note",
    )
    columns = (
        Column("融资需求", Kind.TEXT),
        Column("项目\n个", Kind.COUNT),
        Column("金额\n亿元", Kind.YI),
        Column("占比\n%", Kind.PCT),
        Column("金额，亿元", Kind.TEXT),
    )
    rows = [
        (row["label"], row["projects"], row["amount_yi"], row["share_pct"], BLANK)
        for row in demand["bands"]
    ]
    whole = "100.00" if Decimal(demand["amount_wan"]) else None
    total = (TOTAL, demand["projects"], demand["amount_yi"], whole, BLANK)
    body = sheet.table(columns, rows, total)
    bars = Bars("各档融资需求金额，亿元", names=0, amounts=2, at=4, fill=DEMAND_BAR)
    sheet.draw_bars(bars, body, [row["amount_yi"] for row in demand["bands"]])
    sheet.keep_head(body)
    _note_rounding(sheet, "各档需求相加", document.snapshot)
    sheet.finish()


def write_disbursed(book: Workbook, styles: Styles, document: BulletinDocument) -> None:
    """投放情况: what each institution has paid out."""
    _write_stage(book, styles, document, "disbursed")


def write_intended(book: Workbook, styles: Styles, document: BulletinDocument) -> None:
    """意向情况: what each institution has agreed and not yet paid out."""
    _write_stage(book, styles, document, "intended")


def _write_stage(book: Workbook, styles: Styles, document: BulletinDocument, stage: str) -> None:
    snapshot, words = document.snapshot, STAGES[stage]
    found, demand_wan = snapshot[stage], Decimal(snapshot["demand"]["amount_wan"])
    institutions = found["institutions"]
    names = name_width((row["name"] for row in institutions), 202)
    widths = (42, names, 56, 80, 76, 164)
    sheet = open_sheet(book, styles, document, words.sheet, widths)
    sheet.line(f"各金融机构{words.sheet}", "page_title")
    sheet.line(_stage_note(snapshot, stage), "note")
    columns = (
        Column("序号", Kind.ORDINAL),
        Column("机构", Kind.TEXT),
        Column("笔数\n笔", Kind.COUNT),
        Column("金额\n亿元", Kind.YI),
        Column("占需求\n%", Kind.PCT),
        Column(f"{words.verb}金额，亿元", Kind.TEXT),
    )
    rows = (
        (number, row["name"], row["deals"], row["amount_yi"], _share(row, demand_wan), BLANK)
        for number, row in enumerate(institutions, start=1)
    )
    total = (BLANK, TOTAL, found["deals"], found["amount_yi"], found["share_pct"], BLANK)
    body = sheet.table(columns, rows, total)
    bars = Bars(f"各机构{words.verb}金额，亿元", names=1, amounts=3, at=5, fill=words.fill)
    sheet.draw_bars(bars, body, [row["amount_yi"] for row in institutions])
    sheet.keep_head(body)
    _note_rounding(sheet, words.check, snapshot)
    if found["others"]:
        sheet.line(f"其余{found['others']}家机构截至该日没有{STAGE_LABELS[stage]}的项目。", "note")
    sheet.finish()


def _stage_note(snapshot: dict[str, Any], stage: str) -> str:
    found, words = snapshot[stage], STAGES[stage]
    if not found["deals"]:
        return f"截至{as_of_words(snapshot)}，没有{STAGE_LABELS[stage]}的项目。"
    kinds = (("banks", "银行"), ("cooperatives", "联社"))
    counted = "、".join(f"{found[key]}家{kind}" for key, kind in kinds if found[key])
    return (
        f"截至{as_of_words(snapshot)}，{counted}"
        f"{words.verb}项目{found['projects']}个{found['deals']}笔。"
        f"占比以融资需求总额{total_demand(snapshot)}为分母。"
    )


def _share(row: dict[str, Any], demand_wan: Decimal) -> str | None | Shown:
    """The share of an institution; 0.00 is kept for what is nothing."""
    share = show_pct(Decimal(row["amount_wan"]), demand_wan)
    return right(LESS) if share == "0.00" and row["amount_wan"] != "0" else share


def _note_rounding(sheet: Sheet, subject: str, snapshot: dict[str, Any]) -> None:
    check = check_of(subject, snapshot)
    if check and check["verdict"] == ROUNDING:
        sheet.line(rounding_words(check, snapshot), "note")
