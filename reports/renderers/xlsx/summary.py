"""汇总: the text of the bulletin, its key figures, and whether they add up."""

from typing import Any

from xlsxwriter import Workbook

from common.months import month_label
from reports.checks import EQUAL, ROUNDING, WRONG
from reports.renderers.document import BulletinDocument
from reports.renderers.wording import (
    STAGE_LABELS,
    TITLE_LINES,
    TOTAL,
    as_of_words,
    check_unit,
    known_at_words,
    rounding_words,
    state_words,
    total_demand,
)
from reports.renderers.xlsx.cells import Kind, Mark, Shown, show
from reports.renderers.xlsx.page import open_sheet
from reports.renderers.xlsx.sheet import Column, Sheet
from reports.renderers.xlsx.styles import TONES, Styles

DRAFT = "草稿：尚未冻结，不得作为正式通报使用"
SYNTHETIC = "含合成演示数据，不是真实的项目和机构报送"
INDENT = "　　"
# The first sentence of a paragraph, such as （一）落实进展不均衡。, is set apart up to this length.
LEAD_AT_MOST = 30

VERDICTS = {
    EQUAL: Mark("一致", "green"),
    ROUNDING: Mark("四舍五入差", "grey"),
    WRONG: Mark("有误", "red"),
}


def write_summary(book: Workbook, styles: Styles, document: BulletinDocument) -> None:
    """Write the sheet 汇总."""
    sheet = open_sheet(book, styles, document, "汇总", (288, 83, 83, 83, 83))
    _write_title(sheet, document)
    for entry in document.snapshot["narrative"]:
        text = "".join(part["text"] for part in entry["parts"])
        if entry["kind"] == "heading":
            sheet.line(INDENT + text, "heading", pitch=1.0)
        else:
            lead, rest = _split_lead(text)
            sheet.paragraph(rest if lead else INDENT + rest, lead=lead and INDENT + lead)
    _write_landing(sheet, document.snapshot)
    _write_checks(sheet, document.snapshot)
    sheet.finish()


def _write_title(sheet: Sheet, document: BulletinDocument) -> None:
    snapshot = document.snapshot
    sheet.line("\n".join(TITLE_LINES), "title", pitch=1.5)
    sheet.line(f"（{month_label(document.month)}）", "subtitle")
    sheet.line("文号：（待编）", "state")
    facts = (
        f"数据截至{as_of_words(snapshot)}",
        state_words(document),
        f"数据时点{known_at_words(snapshot)}",
        f"快照{document.digest[:8]}",
    )
    sheet.line("　".join(facts), "state")
    for warning in _warnings(document):
        ink, ground = TONES["amber"]
        sheet.line(warning, "state", font_color=ink, bg_color=ground)
    sheet.gap(6)


def _warnings(document: BulletinDocument) -> list[str]:
    found = [] if document.is_frozen else [DRAFT]
    return [*found, SYNTHETIC] if document.is_synthetic else found


def _split_lead(text: str) -> tuple[str, str]:
    """Split （一）…。 from the rest of a paragraph; no lead where it does not begin so."""
    lead, stop, rest = text.partition("。")
    if text.startswith("（") and stop and len(lead) < LEAD_AT_MOST:
        return lead + stop, rest
    return "", text


def _write_landing(sheet: Sheet, snapshot: dict[str, Any]) -> None:
    sheet.gap()
    sheet.keep_together(190)
    sheet.line("落地情况", "table_title")
    sheet.line(f"占比以融资需求总额{total_demand(snapshot)}为分母，各自计算。", "note")
    columns = (
        Column("阶段", Kind.TEXT),
        Column("项目\n个", Kind.COUNT),
        Column("笔数\n笔", Kind.COUNT),
        Column("金额\n亿元", Kind.YI),
        Column("占需求\n%", Kind.PCT),
    )
    rows = [(label, *_landing_row(snapshot[stage])) for stage, label in STAGE_LABELS.items()]
    sheet.table(columns, rows, (TOTAL, *_landing_row(snapshot["landed"])))
    both = snapshot["landed"]["both_stages"]
    sheet.line(
        f"同时计入两个阶段的项目{both['projects']}个、{both['deals']}笔，在合计中只计一次。",
        "note",
    )


def _landing_row(figures: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(figures[key] for key in ("projects", "deals", "amount_yi", "share_pct"))


def _write_checks(sheet: Sheet, snapshot: dict[str, Any]) -> None:
    checks = snapshot["checks"]
    sheet.gap()
    sheet.keep_together(80 + 21 * len(checks))
    sheet.line("数据校验", "table_title")
    sheet.line("合计一律由原值相加后四舍五入一次，不由表中各行相加；差额如下列明。", "note")
    columns = (
        Column("校验项", Kind.TEXT, wraps=True),
        Column("各项相加", Kind.WORD),
        Column("合计", Kind.WORD),
        Column("差", Kind.WORD),
        Column("结论", Kind.MARK),
    )
    sheet.table(columns, (_check_row(check) for check in checks))
    for check in checks:
        if check["verdict"] == ROUNDING:
            sheet.line(rounding_words(check, snapshot), "note")


def _check_row(check: dict[str, str]) -> tuple[Any, ...]:
    unit = check_unit(check)
    figures = (_exact(check[key], unit) for key in ("parts", "whole", "difference"))
    return (f"{check['name']}（{unit}）", *figures, VERDICTS[check["verdict"]])


def _exact(figure: str, unit: str) -> Shown:
    """A figure of a check: a count whole, all else with two decimals or as many as it has."""
    if unit == "个":
        return show(Kind.COUNT, int(figure))
    decimals = max(2, len(figure.partition(".")[2]))
    shown = show(Kind.PCT, figure)
    return Shown(shown.value, {**shown.style, "num_format": f"0.{'0' * decimals}"})
