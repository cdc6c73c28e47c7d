"""The progress return as a workbook to fill in: the layout of interfaces.md 3, last state in it."""

from collections.abc import Iterator, Sequence
from datetime import date
from io import BytesIO
from typing import Any

from xlsxwriter import Workbook

from common.excel import WRITER_OPTIONS, safe_text
from common.months import month_end, month_label
from institutions.models import Institution
from referrals.importing.columns import COLUMNS
from referrals.lifecycle import CLOSED, EARLY, REPORTABLE, DeclineReason, Stage
from referrals.models import Referral
from referrals.standing import DealStanding, ReferralStanding, load_standings

WIDTHS = {"project": 44, "institution": 20, "note": 30, "decline_reason": 22, "voucher_no": 20}
WIDTH = 13
AMOUNTS = ("intended_wan", "approved_wan", "paid_wan", "total_wan")
LAST_ROW = 2000
HEADER_ROW = 2
CHOICES = {
    "stage": [stage.label for stage in REPORTABLE],
    "decline_reason": [reason.label for reason in DeclineReason],
    "unchanged": ["是"],
}

Line = dict[str, Any]


def template_lines(institution: Institution, month: date, by: Any) -> list[Line]:
    """Return a line for every open referral and deal of an institution, as it stood at month's end.

    One that was only pushed is marked 无变化, so that the table can be handed in as it is.
    """
    referrals = (
        Referral.objects.visible_to(by)
        .filter(institution=institution)
        .exclude(stage__in=CLOSED)
        .select_related("project", "institution")
        .order_by("-stage_on", "pk")
    )
    standings = load_standings(referrals).values()
    return [line for standing in standings for line in _lines(standing, month_end(month))]


def render_template(*, institution: Institution, month: date, lines: Sequence[Line]) -> bytes:
    """Write the table; texts stay texts, whatever they start with."""
    content = BytesIO()
    with Workbook(content, WRITER_OPTIONS) as workbook:
        sheet = workbook.add_worksheet("融资对接进展表")
        formats = {
            "title": workbook.add_format({"bold": True, "font_size": 14}),
            "head": workbook.add_format(
                {"bold": True, "bg_color": "#f8fafb", "border": 1, "text_wrap": True}
            ),
            "amount": workbook.add_format({"num_format": "#,##0.####"}),
        }
        about = f"填报单位：{institution.full_name}    报送月份：{month_label(month)}    单位：万元"
        sheet.write_string(0, 0, "融资对接进展表", formats["title"])
        sheet.write_string(1, 0, safe_text(about))
        _write_head(sheet, formats)
        for number, line in enumerate(lines, start=HEADER_ROW + 1):
            _write_line(sheet, number, line, formats)
    return content.getvalue()


def _lines(standing: ReferralStanding, day: date) -> Iterator[Line]:
    told = [deal for deal in standing.deals if _is_told(deal, day)]
    yield from (_deal_line(standing, deal, day) for deal in told)
    if told or standing.live or standing.referral.stage not in EARLY:
        return
    stage = Stage(standing.referral.stage)
    line = _base_line(standing)
    if stage in REPORTABLE:
        yield line | {"stage": stage.label}
    else:
        yield line | {"unchanged": "是"}


def _is_told(deal: DealStanding, day: date) -> bool:
    terms = deal.terms_on(day)
    return terms is not None and terms.stage not in CLOSED


def _base_line(standing: ReferralStanding) -> Line:
    referral = standing.referral
    return {
        "project_code": referral.project.code,
        "project": referral.project.name,
        "institution": referral.institution.short_name,
    }


def _deal_line(standing: ReferralStanding, deal: DealStanding, day: date) -> Line:
    terms = deal.terms_on(day)
    assert terms is not None  # `_is_told` asked
    return _base_line(standing) | {
        "stage": Stage(terms.stage).label,
        "intended_wan": terms.intended_wan,
        "approved_wan": terms.approved_wan,
        "total_wan": deal.paid_by(day) or None,
        "rate_pct": deal.deal.rate_pct,
        "term_months": deal.deal.term_months,
        "voucher_no": deal.deal.voucher_no,
    }


def _write_head(sheet: Any, formats: dict[str, Any]) -> None:
    for place, (key, column) in enumerate(COLUMNS.items()):
        sheet.write_string(HEADER_ROW, place, column.heading, formats["head"])
        sheet.set_column(place, place, WIDTHS.get(key, WIDTH))
        if key in CHOICES:
            sheet.data_validation(
                HEADER_ROW + 1,
                place,
                LAST_ROW,
                place,
                {"validate": "list", "source": CHOICES[key]},
            )
    sheet.freeze_panes(HEADER_ROW + 1, 2)


def _write_line(sheet: Any, number: int, line: Line, formats: dict[str, Any]) -> None:
    for place, key in enumerate(COLUMNS):
        value = line.get(key)
        if value in (None, ""):
            continue
        if isinstance(value, str):
            sheet.write_string(number, place, safe_text(value))
        elif key in AMOUNTS:
            sheet.write_number(number, place, value, formats["amount"])
        else:
            sheet.write_number(number, place, value)
