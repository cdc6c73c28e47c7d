"""The progress return: what is accepted, what is refused, what it changes, month by month."""

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl.worksheet.worksheet import Worksheet

from accounts.models import User
from common.errors import InvalidInput, NotAllowed
from common.imports import ImportReport
from common.models import AuditRecord
from common.months import local_today
from common.names import name_key
from institutions.models import Institution
from projects.models import ImportedFile, Project
from referrals.importing.heading import Heading, read_heading
from referrals.lifecycle import Stage
from referrals.models import (
    Deal,
    DealTerms,
    Disbursement,
    MonthlyReturn,
    Referral,
    ReferralMove,
)
from referrals.services import import_progress, move_referral
from referrals.services.moves import MoveDetails
from tests import factories
from tests.factories import make_deal, make_referral, set_demand, set_terms
from tests.progress_files import BANK, COLUMNS, line, progress

pytestmark = pytest.mark.django_db

FEBRUARY = date(2022, 2, 1)
MARCH = date(2022, 3, 1)
APRIL = date(2022, 4, 1)
NAME = "喀什市示例冷链项目（一期）"


def make_project(name: str, **facts: Any) -> Project:
    project = factories.make_project(name, **facts)
    project.name_key = name_key(name)
    project.save(update_fields=["name_key"])
    return project


@pytest.fixture
def project(register: None) -> Project:
    """A project with a demand of 20,000 万元 that was never pushed."""
    return make_project(NAME, demand_wan="20000", county="喀什市")


def take(
    content: bytes, month: date = FEBRUARY, *, by: User | None = None, **kw: Any
) -> ImportReport:
    return import_progress(
        source=content, file_name="进展表.xlsx", month=month, by=by or User.objects.system(), **kw
    )


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    return report.rows, report.new, report.changed, report.unchanged


def the_error(report: ImportReport) -> tuple[int | None, str, str]:
    """The place and sentence of the only error."""
    assert len(report.errors) == 1, report.as_text()
    error = report.errors[0]
    return error.row, error.column, error.message


def warned(report: ImportReport) -> str:
    assert not report.errors, report.as_text()
    return "\n".join(str(warning) for warning in report.warnings)


def stands(deal: Deal, day: str) -> tuple[str, Decimal | None, Decimal | None]:
    row = DealTerms.objects.as_of(date.fromisoformat(day)).get(deal=deal)
    return row.stage, row.intended_wan, row.approved_wan


def paid(deal: Deal, until: str) -> Decimal:
    rows = Disbursement.objects.paid_by(date.fromisoformat(until)).filter(deal=deal)
    return sum((row.amount_wan for row in rows), Decimal(0))


def nothing_was_saved() -> bool:
    tables = (Referral, Deal, Disbursement, ReferralMove, MonthlyReturn, ImportedFile)
    return not any(table.objects.exists() for table in tables)


# --- A plain return -------------------------------------------------------------------------------


def test_a_return_becomes_deals_payments_moves_and_a_monthly_return(project: Project):
    others = [make_project(f"示例项目{n}", demand_wan="9000") for n in range(4)]
    report = take(
        progress(
            line(
                NAME,
                "已投放",
                意向金额=18000,
                授信金额=18000,
                本次投放金额=6000,
                累计投放金额=6000,
                投放日期=datetime(2022, 2, 7),
                执行利率=3.72,
                期限=240,
                凭证号="SL-1",
            ),
            line(others[0].name, "达成意向", 意向金额=8000),
            line(others[1].name, "已签约", 意向金额=900, 授信金额=800),
            line(others[2].name, "已签收"),
            line(others[3].name, "不予支持", 不予支持原因="担保不足", 备注="抵押物不足值"),
        )
    )
    assert counts(report) == (5, 5, 0, 0)
    assert report.warnings == []
    deal = Deal.objects.get(voucher_no="SL-1")
    assert stands(deal, "2022-02-28") == ("disbursed", Decimal(18000), Decimal(18000))
    assert not DealTerms.objects.as_of(date(2022, 2, 27)).exists()
    payment = deal.disbursements.get()
    assert (payment.amount_wan, payment.paid_on) == (Decimal(6000), date(2022, 2, 7))
    assert (deal.rate_pct, deal.term_months) == (Decimal("3.72"), 240)
    assert Deal.objects.count() == 3
    stages = {r.project.name: r.stage for r in Referral.objects.all()}
    assert stages == {
        NAME: "disbursed",
        others[0].name: "intended",
        others[1].name: "signed",
        others[2].name: "acknowledged",
        others[3].name: "declined",
    }
    assert not Referral.objects.exclude(pushed_on=None).exists()
    refusal = ReferralMove.objects.get(target=Stage.DECLINED)
    assert (refusal.decline_reason, refusal.note) == ("collateral", "抵押物不足值")
    sent = MonthlyReturn.objects.get()
    assert (str(sent.institution), sent.month, sent.is_nil, sent.row_count) == (
        BANK,
        FEBRUARY,
        False,
        5,
    )
    line_ = AuditRecord.objects.get(action="referrals.import_progress")
    assert line_.after["new"] == 5
    assert any(isinstance(v, dict) and v["paid_wan"] == "6000" for v in line_.after.values())


def test_a_dry_run_counts_the_same_and_saves_nothing(project: Project):
    content = progress(line(NAME, "已投放", 授信金额=500, 累计投放金额=100, 投放日期="2022-02-03"))
    dry = take(content, dry_run=True)
    assert counts(dry) == (1, 1, 0, 0)
    assert nothing_was_saved()
    assert take(content).as_json() == dry.as_json()


def test_the_same_file_twice_changes_nothing(project: Project):
    content = progress(line(NAME, "已投放", 授信金额=500, 本次投放金额=100, 投放日期="2022-02-03"))
    take(content)
    again = take(content)
    assert counts(again) == (1, 0, 0, 1)
    assert "已作为2022年2月报送导入过" in warned(again)
    assert Disbursement.objects.count() == MonthlyReturn.objects.count() == 1
    assert ImportedFile.objects.count() == 1


def test_the_same_words_in_another_file_change_nothing_either(project: Project):
    rows = [
        line(
            NAME, "已投放", 授信金额=500, 本次投放金额=100, 累计投放金额=100, 投放日期="2022-02-03"
        )
    ]
    take(progress(*rows))
    again = take(progress(*rows, above=[["表"], [f"填报单位：{BANK}"]]))
    assert counts(again) == (1, 0, 0, 1)
    assert again.warnings == []
    assert Disbursement.objects.count() == 1
    assert DealTerms.objects.count() == 1
    assert ReferralMove.objects.count() == 1
    assert MonthlyReturn.objects.count() == 2


# --- Nil returns ----------------------------------------------------------------------------------


@pytest.mark.parametrize("says_so", [True, False])
def test_a_table_without_rows_is_a_nil_return(says_so: bool, register: None):
    report = take(progress(reporter="国家开发银行喀什地区分行", nil=says_so))
    assert counts(report) == (0, 0, 0, 0)
    assert not report.refused
    sent = MonthlyReturn.objects.get()
    assert (str(sent.institution), sent.is_nil) == ("国家开发银行", True)


def test_only_unchanged_rows_are_a_nil_return(project: Project):
    take(progress(line(NAME, "达成意向", 意向金额=500)))
    report = take(progress(line(NAME, "达成意向", 无变化="是"), month="2022年3月"), MARCH)
    assert counts(report) == (1, 0, 0, 1)
    assert MonthlyReturn.objects.get(month=MARCH).is_nil


def test_a_nil_return_beside_rows_that_move_is_refused(project: Project):
    report = take(progress(line(NAME, "达成意向", 意向金额=500), nil=True))
    assert "零报告，表里却有进展（第 4 行）" in the_error(report)[2]
    assert nothing_was_saved()


def test_a_nil_return_against_what_the_pages_hold_is_refused(project: Project, bank_clerk: User):
    referral = make_referral(project, BANK)
    details = MoveDetails(occurred_on=date(2022, 2, 9), intended_wan=Decimal(100))
    move_referral(referral_id=referral.pk, action="intend", details=details, by=bank_clerk)
    report = take(progress(nil=True))
    assert f"{NAME} 2022-02-09 达成意向" in the_error(report)[2]
    take(progress(nil=True, month="2022年3月"), MARCH)
    assert [r.month for r in MonthlyReturn.objects.all()] == [MARCH]


# --- Who reports ----------------------------------------------------------------------------------


def test_the_reporter_and_every_institution_in_the_rows_have_reported(project: Project):
    take(
        progress(
            line(NAME, "达成意向", 意向金额=100, 金融机构="工行"),
            line(NAME, "达成意向", 意向金额=100, 金融机构=None),
        )
    )
    assert {str(r.institution) for r in Referral.objects.all()} == {BANK, "中国工商银行"}
    assert {str(r.institution) for r in MonthlyReturn.objects.all()} == {BANK, "中国工商银行"}


def test_without_any_known_institution_a_return_is_refused(project: Project):
    nameless = take(progress(reporter="", nil=True))
    assert "填报单位" in the_error(nameless)[2]
    unknown = take(progress(reporter="某某银行"))
    assert "某某银行" in the_error(unknown)[2]
    row = take(progress(line(NAME, "已签收", 金融机构="某某银行"), reporter=""))
    assert the_error(row)[:2] == (4, "金融机构")
    assert nothing_was_saved()


def test_an_unknown_reporter_is_no_matter_where_every_row_names_its_bank(project: Project):
    report = take(progress(line(NAME, "已签收"), reporter="喀什地区银行业协会"))
    assert "喀什地区银行业协会" in warned(report)
    assert [str(r.institution) for r in MonthlyReturn.objects.all()] == [BANK]


def test_a_bank_reports_for_itself_only(
    project: Project, bank_clerk: User, other_bank_clerk: User, county_clerk: User
):
    content = progress(line(NAME, "已签收"))
    assert "只能报送本机构" in take(content, by=other_bank_clerk).errors[0].message
    with pytest.raises(NotAllowed):
        take(content, by=county_clerk)
    assert nothing_was_saved()
    assert counts(take(content, by=bank_clerk)) == (1, 1, 0, 0)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (
            [
                "融资对接进展表",
                "填报单位：国家开发银行喀什地区分行 报送月份：2022年2月 单位：万元 本月零报告",
            ],
            Heading("国家开发银行喀什地区分行", FEBRUARY, True),
        ),
        (["填报单位：", "喀什农商银行", "报送月份：", "2022-12"], Heading(BANK, date(2022, 12, 1))),
        (["填报单位（盖章）：建设银行 填报人：王某"], Heading("建设银行")),
        (["填报单位", "中国银行", "零报告"], Heading("中国银行", None, True)),
        (["无进展请填零报告。填报单位：建设银行，报送月份：2022.2"], Heading("建设银行", FEBRUARY)),
        (["单位：万元", "填报日期：2022年3月5日"], Heading()),
    ],
)
def test_what_stands_above_the_table_is_read(texts: list[str], expected: Heading):
    assert read_heading(texts) == expected


def test_a_month_in_the_heading_that_is_another_is_refused(project: Project):
    report = take(progress(line(NAME, "已签收"), month="2022年2月"), MARCH)
    assert the_error(report)[1] == "报送月份"
    assert nothing_was_saved()


def test_a_month_that_has_not_come_is_refused(project: Project):
    coming = (local_today().replace(day=1) + timedelta(days=32)).replace(day=1)
    with pytest.raises(InvalidInput, match="还没有到"):
        take(progress(line(NAME, "已签收"), month=""), coming)


# --- Which project --------------------------------------------------------------------------------


def test_a_project_is_found_by_code_or_by_its_name_however_it_is_written(project: Project):
    take(progress(line("喀什市示例 冷链项目(一期)", "已签收")))
    take(progress(line(NAME, "已对接", 项目编号=project.code.lower()), month="2022年3月"), MARCH)
    assert Referral.objects.get().stage == "contacted"


def test_two_projects_of_one_name_ask_for_the_code(project: Project, bank_clerk: User):
    twin = make_project(NAME, county="莎车县")
    make_referral(twin, BANK)
    report = take(progress(line(NAME, "已签收")), by=bank_clerk)
    row, column, sentence = the_error(report)
    assert (row, column) == (4, "项目名称")
    assert "有 2 个项目叫这个名称" in sentence
    assert twin.code in sentence
    assert project.code not in sentence  # what the bank does not see it is not told
    assert not take(progress(line(NAME, "已签收", 项目编号=project.code))).refused


def test_unknown_names_and_codes_are_refused_with_their_rows(project: Project):
    other = make_project("另一个项目")
    report = take(
        progress(
            line("没有这个项目", "已签收"),
            line(NAME, "已签收", 项目编号="X-1"),
            line(other.name, "已签收", 项目编号=project.code),
        )
    )
    assert [(e.row, e.column) for e in report.errors] == [
        (4, "项目名称"),
        (5, "项目编号"),
        (6, "项目名称"),
    ]
    assert nothing_was_saved()


def test_the_code_decides_where_the_name_is_nobodys(project: Project):
    report = take(progress(line("示例冷链", "已签收", 项目编号=project.code)))
    assert "按编号登记" in warned(report)
    assert Referral.objects.get().project == project


# --- Stages and what they need --------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["达成意向", "已授信", "已签约"])
def test_an_agreement_needs_an_amount(stage: str, project: Project):
    report = take(progress(line(NAME, stage)))
    row, column, sentence = the_error(report)
    assert row == 4
    assert column == ("意向金额（万元）" if stage == "达成意向" else "授信金额（万元）")
    assert "请填意向金额或授信金额" in sentence


def test_amounts_left_blank_later_stay_as_they_were(project: Project):
    take(progress(line(NAME, "达成意向", 意向金额=900)))
    take(progress(line(NAME, "已授信", 授信金额=800), month="2022年3月"), MARCH)
    take(progress(line(NAME, "已签约"), month="2022年4月"), APRIL)
    deal = Deal.objects.get()
    assert stands(deal, "2022-02-28") == ("intended", Decimal(900), None)
    assert stands(deal, "2022-03-31") == ("approved", Decimal(900), Decimal(800))
    assert stands(deal, "2022-04-30") == ("signed", Decimal(900), Decimal(800))


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({}, "累计投放金额（万元）"),
        ({"累计投放金额": 0}, "累计投放金额（万元）"),
        ({"累计投放金额": -5}, "累计投放金额（万元）"),
    ],
)
def test_money_that_is_paid_has_an_amount(cells: dict[str, Any], column: str, project: Project):
    report = take(progress(line(NAME, "已投放", 授信金额=500, **cells)))
    assert report.refused
    assert {e.column for e in report.errors} == {column}


@pytest.mark.parametrize("stage", ["已签收", "已对接"])
def test_an_early_stage_with_money_contradicts_itself(stage: str, project: Project):
    report = take(progress(line(NAME, stage, 累计投放金额=500)))
    assert the_error(report)[:2] == (4, "累计投放金额（万元）")
    amount_only = take(progress(line(NAME, stage, 意向金额=500)))
    assert "金额不计入" in warned(amount_only)
    assert not Deal.objects.exists()


def test_a_deal_back_at_an_early_stage_counts_nowhere_from_then(project: Project):
    take(progress(line(NAME, "达成意向", 意向金额=900)))
    report = take(progress(line(NAME, "已对接"), month="2022年3月"), MARCH)
    assert "阶段由“达成意向”退回“已对接”" in warned(report)
    deal = Deal.objects.get()
    assert stands(deal, "2022-02-28")[0] == "intended"
    assert stands(deal, "2022-03-31")[0] == "contacted"
    assert Referral.objects.get().stage == "contacted"


def test_a_paid_deal_cannot_go_back_to_an_early_stage(project: Project):
    take(progress(line(NAME, "已投放", 累计投放金额=900, 投放日期="2022-02-01")))
    report = take(progress(line(NAME, "已对接"), month="2022年3月"), MARCH)
    assert "已投放 900 万元，阶段不能退回" in the_error(report)[2]


def test_a_refusal_needs_a_reason_from_the_list(project: Project):
    missing = take(progress(line(NAME, "不予支持")))
    assert the_error(missing)[:2] == (4, "不予支持原因")
    unknown = take(progress(line(NAME, "不予支持", 不予支持原因="不想做")))
    assert "担保不足" in the_error(unknown)[2]
    by_code = take(progress(line(NAME, "不予支持", 不予支持原因="capital")))
    assert not by_code.refused
    assert ReferralMove.objects.get().decline_reason == "capital"


def test_a_declined_deal_leaves_the_figures_even_with_payments(project: Project):
    take(progress(line(NAME, "已投放", 授信金额=900, 累计投放金额=100, 投放日期="2022-02-01")))
    report = take(
        progress(line(NAME, "不予支持", 不予支持原因="还款来源不足"), month="2022年3月"), MARCH
    )
    assert "已投放 100 万元，改为“不予支持”后不再计入" in warned(report)
    deal = Deal.objects.get()
    assert stands(deal, "2022-02-28")[0] == "disbursed"
    assert stands(deal, "2022-03-31")[0] == "declined"
    same = line(NAME, "不予支持", 不予支持原因="还款来源不足", 备注="再报一次")
    assert counts(take(progress(same, month="2022年3月"), MARCH)) == (1, 0, 0, 1)
    back = take(progress(line(NAME, "已签约", 授信金额=700), month="2022年4月"), APRIL)
    assert "现恢复为“已签约”" in warned(back)
    assert Referral.objects.get().stage == "signed"


@pytest.mark.parametrize(
    ("row", "column", "word"),
    [
        (line(NAME, "已推送"), "进展阶段", "已签收"),
        (line(NAME, ""), "进展阶段", "请填进展阶段"),
        (line("", "已签收"), "项目名称", "请填项目名称"),
        (line(NAME, "达成意向", 意向金额="很多"), "意向金额（万元）", "读不出金额"),
        (line(NAME, "达成意向", 意向金额=-1), "意向金额（万元）", "不能为负"),
        (line(NAME, "达成意向", 意向金额=5, 执行利率=130), "执行利率（%）", "0 到 100"),
        (line(NAME, "达成意向", 意向金额=5, 期限=0), "期限（月）", "整数个月"),
        (
            line(NAME, "已投放", 累计投放金额=5, 投放日期="2022-03-01"),
            "投放日期",
            "晚于2022年2月末",
        ),
        (line(NAME, "已签收", 无变化="也许"), "无变化", "请填“是”"),
    ],
)
def test_a_wrong_cell_is_named_with_its_row_and_column(
    row: dict[str, Any], column: str, word: str, project: Project
):
    report = take(progress(row))
    assert the_error(report)[:2] == (4, column)
    assert word in the_error(report)[2]
    assert nothing_was_saved()


def test_all_errors_come_at_once_and_nothing_is_saved(project: Project):
    report = take(
        progress(
            line(NAME, "达成意向"),
            line("没有这个项目", "已投放", 累计投放金额="?", 金融机构="某某银行"),
            line(NAME, "已签收", 凭证号="V"),
        )
    )
    places = {(error.row, error.column) for error in report.errors}
    assert places == {
        (4, "意向金额（万元）"),
        (5, "项目名称"),
        (5, "金融机构"),
        (5, "累计投放金额（万元）"),
    }
    assert report.as_json()["errors"][0]["row"] == 4
    assert nothing_was_saved()


def test_a_file_that_is_no_workbook_is_refused_in_a_sentence(register: None):
    report = take(b"not a workbook")
    assert report.refused
    assert report.errors[0].row is None


def test_a_missing_column_is_named(project: Project):
    columns = [column for column in COLUMNS if column != "进展阶段"]
    report = take(progress(line(NAME), columns=columns))
    assert "进展阶段" in report.errors[0].message


# --- Which deal -----------------------------------------------------------------------------------


def test_a_deal_without_voucher_takes_the_first_one_reported(project: Project):
    take(progress(line(NAME, "达成意向", 意向金额=900)))
    report = take(
        progress(line(NAME, "已授信", 授信金额=900, 凭证号="V-1"), month="2022年3月"), MARCH
    )
    assert counts(report) == (1, 0, 1, 0)
    assert Deal.objects.get().voucher_no == "V-1"


def test_a_row_without_voucher_means_the_only_deal(project: Project):
    take(progress(line(NAME, "达成意向", 意向金额=900, 凭证号="V-1")))
    take(progress(line(NAME, "已授信", 授信金额=800), month="2022年3月"), MARCH)
    deal = Deal.objects.get()
    assert (deal.voucher_no, stands(deal, "2022-03-31")[0]) == ("V-1", "approved")


def test_several_deals_ask_for_the_voucher(project: Project):
    take(
        progress(
            line(NAME, "达成意向", 意向金额=900, 凭证号="V-1"),
            line(NAME, "达成意向", 意向金额=500, 凭证号="V-2"),
        )
    )
    report = take(progress(line(NAME, "已授信", 授信金额=800), month="2022年3月"), MARCH)
    row, column, sentence = the_error(report)
    assert (row, column) == (4, "凭证号")
    assert "V-1、V-2" in sentence


def test_a_file_that_mentions_the_voucherless_deal_itself_keeps_it_apart(project: Project):
    take(progress(line(NAME, "达成意向", 意向金额=900)))
    take(
        progress(
            line(NAME, "达成意向", 意向金额=900),
            line(NAME, "已授信", 授信金额=500, 凭证号="V-2"),
            month="2022年3月",
        ),
        MARCH,
    )
    assert set(Deal.objects.values_list("voucher_no", flat=True)) == {"", "V-2"}


def test_a_row_without_voucher_beside_the_known_deal_is_a_new_one(project: Project):
    take(progress(line(NAME, "达成意向", 意向金额=900, 凭证号="V-1")))
    report = take(
        progress(
            line(NAME, "已授信", 授信金额=900, 凭证号="V-1"),
            line(NAME, "达成意向", 意向金额=300),
            month="2022年3月",
        ),
        MARCH,
    )
    assert counts(report) == (2, 1, 1, 0)
    assert Deal.objects.count() == 2


def test_of_two_new_vouchers_the_one_that_fits_takes_the_deal(project: Project):
    take(progress(line(NAME, "已投放", 授信金额=900, 累计投放金额=600, 投放日期="2022-02-01")))
    take(
        progress(
            line(
                NAME, "已投放", 授信金额=400, 累计投放金额=100, 投放日期="2022-03-02", 凭证号="V-1"
            ),
            line(
                NAME, "已投放", 授信金额=900, 累计投放金额=700, 投放日期="2022-03-03", 凭证号="V-2"
            ),
            month="2022年3月",
        ),
        MARCH,
    )
    assert paid(Deal.objects.get(voucher_no="V-2"), "2022-02-28") == Decimal(600)
    assert paid(Deal.objects.get(voucher_no="V-1"), "2022-03-31") == Decimal(100)


@pytest.mark.parametrize("voucher", [None, "V-1"])
def test_two_rows_for_one_deal_are_both_in_error(voucher: str | None, project: Project):
    report = take(
        progress(
            line(NAME, "达成意向", 意向金额=900, 凭证号=voucher),
            line(NAME, "已授信", 授信金额=900, 凭证号=voucher),
        )
    )
    assert [(error.row, error.column) for error in report.errors] == [
        (4, "凭证号"),
        (5, "凭证号"),
    ]


def test_declining_under_a_voucher_nobody_knows_is_refused(project: Project):
    take(progress(line(NAME, "达成意向", 意向金额=900, 凭证号="V-1")))
    report = take(
        progress(line(NAME, "不予支持", 不予支持原因="其他", 凭证号="V-8"), month="2022年3月"),
        MARCH,
    )
    assert "V-8" in the_error(report)[2]
    assert "V-1" in the_error(report)[2]


def test_a_deal_a_later_return_does_not_mention_stands(project: Project):
    other = make_project("另一个项目")
    take(progress(line(NAME, "达成意向", 意向金额=900)))
    take(progress(line(other.name, "已签收"), month="2022年3月"), MARCH)
    assert stands(Deal.objects.get(), "2022-03-31") == ("intended", Decimal(900), None)


# --- Payments -------------------------------------------------------------------------------------


def test_payments_are_the_differences_of_the_totals(project: Project):
    take(progress(line(NAME, "已投放", 授信金额=900, 累计投放金额=100, 投放日期="2021-07-03")))
    take(
        progress(
            line(
                NAME,
                "已投放",
                授信金额=900,
                本次投放金额=250,
                累计投放金额=350,
                投放日期="2022-03-09",
            ),
            month="2022年3月",
        ),
        MARCH,
    )
    payments = Disbursement.objects.order_by("paid_on").values_list("amount_wan", "paid_on")
    assert list(payments) == [
        (Decimal(100), date(2021, 7, 3)),
        (Decimal(250), date(2022, 3, 9)),
    ]


def test_a_payment_without_a_date_is_made_on_the_last_day(project: Project):
    report = take(progress(line(NAME, "已投放", 授信金额=900, 累计投放金额=100)))
    assert "按 2022-02-28 登记" in warned(report)
    assert Disbursement.objects.get().paid_on == date(2022, 2, 28)


def test_the_date_of_an_older_payment_is_not_that_of_the_new_one(project: Project):
    take(progress(line(NAME, "已投放", 累计投放金额=100, 投放日期="2022-01-10")))
    report = take(
        progress(line(NAME, "已投放", 累计投放金额=150, 投放日期="2022-01-10"), month="2022年3月"),
        MARCH,
    )
    assert "按 2022-03-31 登记" in warned(report)
    assert paid(Deal.objects.get(), "2022-02-28") == Decimal(100)


def test_this_times_amount_alone_is_added_once(project: Project):
    row = line(NAME, "已投放", 授信金额=900, 本次投放金额=100, 投放日期="2022-02-10")
    assert "计 100 万元" in warned(take(progress(row)))
    again = take(progress(row, above=[[f"填报单位：{BANK}"]]))
    assert "没有重复计入" in warned(again)
    assert counts(again) == (1, 0, 0, 1)
    take(
        progress(line(NAME, "已投放", 本次投放金额=40, 投放日期="2022-03-10"), month="2022年3月"),
        MARCH,
    )
    assert paid(Deal.objects.get(), "2022-03-31") == Decimal(140)


def test_this_times_amount_that_does_not_fit_the_total_is_pointed_out(project: Project):
    report = take(
        progress(line(NAME, "已投放", 本次投放金额=70, 累计投放金额=100, 投放日期="2022-02-10"))
    )
    assert "本次投放 70 万元，与累计投放的增加额 100 万元不符" in warned(report)
    assert Disbursement.objects.get().amount_wan == Decimal(100)


def test_a_total_does_not_fall_without_a_reason(project: Project):
    take(progress(line(NAME, "已投放", 累计投放金额=1500, 投放日期="2022-02-10")))
    row = line(NAME, "已投放", 累计投放金额=1200)
    report = take(progress(row, month="2022年3月"), MARCH)
    assert the_error(report)[:2] == (4, "累计投放金额（万元）")
    assert "少 300；累计数不会减少" in the_error(report)[2]
    explained = take(progress(row | {"备注": "误记冲正"}, month="2022年3月"), MARCH)
    assert "由 1500 冲正为 1200 万元" in warned(explained)
    reversal = Disbursement.objects.get(amount_wan__lt=0)
    assert (reversal.amount_wan, reversal.paid_on, reversal.note) == (
        Decimal(-300),
        date(2022, 3, 31),
        "误记冲正",
    )


def test_a_return_takes_account_of_what_the_pages_hold(project: Project, bank_clerk: User):
    referral = make_referral(project, BANK)
    details = MoveDetails(occurred_on=date(2022, 2, 9), paid_wan=Decimal(300))
    move_referral(referral_id=referral.pk, action="disburse", details=details, by=bank_clerk)
    report = take(
        progress(
            line(
                NAME,
                "已投放",
                授信金额=900,
                本次投放金额=300,
                累计投放金额=300,
                投放日期="2022-02-09",
            )
        )
    )
    assert report.warnings == []
    assert Disbursement.objects.count() == 1


def test_a_late_return_leaves_what_a_later_month_said(project: Project):
    take(
        progress(
            line(NAME, "已签约", 授信金额=2000, 累计投放金额=1500, 投放日期="2022-03-20"),
            month="2022年3月",
        ),
        MARCH,
    )
    late = take(
        progress(line(NAME, "达成意向", 意向金额=1800, 累计投放金额=1000, 投放日期="2022-02-11"))
    )
    assert "2022年3月已报累计投放 1500 万元，保持不变" in warned(late)
    deal = Deal.objects.get()
    assert stands(deal, "2022-02-28") == ("intended", Decimal(1800), None)
    assert stands(deal, "2022-03-31") == ("signed", None, Decimal(2000))
    assert (paid(deal, "2022-02-28"), paid(deal, "2022-03-31")) == (1000, 1500)
    assert Referral.objects.get().stage == "signed"


def test_a_correction_of_an_earlier_month_keeps_the_later_total(project: Project):
    row = line(NAME, "已投放", 累计投放金额=1000, 投放日期="2022-02-10")
    take(progress(row))
    take(progress(row | {"累计投放金额（万元）": 1500, "投放日期": "2022-03-10"}, month=""), MARCH)
    take(progress(row | {"累计投放金额（万元）": 1200}))
    deal = Deal.objects.get()
    assert (paid(deal, "2022-02-28"), paid(deal, "2022-03-31")) == (1200, 1500)
    take(progress(row | {"累计投放金额（万元）": 1600, "投放日期": "2022-04-10"}, month=""), APRIL)
    assert paid(deal, "2022-04-30") == 1600
    take(progress(row | {"累计投放金额（万元）": 900, "备注": "再次更正"}))
    assert [paid(deal, f"2022-{m}") for m in ("02-28", "03-31", "04-30")] == [900, 1500, 1600]


def test_a_correction_leaves_later_payments_of_the_pages_alone(project: Project, bank_clerk: User):
    row = line(NAME, "已投放", 授信金额=9000, 累计投放金额=1000, 投放日期="2022-02-10")
    take(progress(row))
    details = MoveDetails(occurred_on=date(2022, 3, 15), paid_wan=Decimal(500))
    move_referral(
        referral_id=Referral.objects.get().pk, action="disburse", details=details, by=bank_clerk
    )
    take(progress(row | {"累计投放金额（万元）": 1200}))
    deal = Deal.objects.get()
    assert (paid(deal, "2022-02-28"), paid(deal, "2022-03-31")) == (1200, 1700)


# --- 无变化 --------------------------------------------------------------------------------------


def test_an_unchanged_row_changes_nothing_and_must_not_contradict(project: Project):
    take(progress(line(NAME, "已投放", 授信金额=900, 累计投放金额=100, 投放日期="2022-02-01")))
    same = line(NAME, "已投放", 授信金额=900, 累计投放金额=100, 无变化="是")
    assert counts(take(progress(same, month="2022年3月"), MARCH)) == (1, 0, 0, 1)
    for heading, value in (
        ("授信金额（万元）", 901),
        ("累计投放金额（万元）", 101),
        ("本次投放金额（万元）", 1),
    ):
        report = take(progress(same | {heading: value}, month="2022年4月"), APRIL)
        assert the_error(report)[:2] == (4, heading)
    other_stage = take(progress(same | {"进展阶段": "已签约"}, month="2022年4月"), APRIL)
    assert the_error(other_stage)[1] == "无变化"
    assert Disbursement.objects.count() == 1


def test_nothing_known_cannot_be_unchanged(project: Project):
    report = take(progress(line(NAME, "已签收", 无变化="是")))
    assert "没有以前的记录" in the_error(report)[2]


# --- Warnings -------------------------------------------------------------------------------------


def test_amounts_that_do_not_fit_are_pointed_out_and_accepted(project: Project):
    make_deal(project, "中国工商银行", agreed_wan="15000", on=date(2022, 1, 31))
    report = take(
        progress(line(NAME, "已投放", 授信金额=6000, 累计投放金额=6001, 投放日期="2022-02-01"))
    )
    text = warned(report)
    assert "累计投放超过授信（或意向）金额 6000 万元" in text
    assert "金额合计已超过融资需求 20000 万元" in text
    assert "15000" not in text  # what another bank agreed stays its own
    assert "单位" not in text


def test_the_demand_is_that_of_the_month(project: Project):
    set_demand(project, "500", date(2022, 3, 1))
    row = line(NAME, "达成意向", 意向金额=900)
    assert take(progress(row)).warnings == []
    assert "融资需求 500 万元" in warned(take(progress(row, month="2022年3月"), MARCH))


@pytest.mark.parametrize(
    ("amount", "unit"), [(180_000_000, "元"), (1.8, "亿元"), (2_000_001, "元"), (500, None)]
)
def test_a_slip_of_the_unit_is_suspected(amount: float, unit: str | None, project: Project):
    text = warned(take(progress(line(NAME, "达成意向", 意向金额=amount))))
    assert ("单位" in text) == (unit is not None)
    if unit:
        assert f"像是按{unit}填写的" in text


def test_amounts_in_yi_are_taken_from_the_heading(project: Project):
    columns = [c.replace("意向金额（万元）", "意向金额（亿元）") for c in COLUMNS]
    row = line(NAME, "达成意向")
    take(progress(row | {"意向金额（亿元）": 1.8}, columns=columns))
    assert DealTerms.objects.get().intended_wan == Decimal(18000)


@pytest.mark.parametrize(
    ("cells", "word"),
    [
        ({"意向金额": 5, "授信金额": 0}, "金额为 0，按没有填写处理"),
        ({"意向金额": 5, "执行利率": 0.0372}, "利率 0.0372% 不常见"),
        ({"意向金额": 5, "不予支持原因": "其他"}, "原因没有采用"),
    ],
)
def test_an_odd_cell_is_pointed_out(cells: dict[str, Any], word: str, project: Project):
    assert word in warned(take(progress(line(NAME, "达成意向", **cells))))
    assert stands(Deal.objects.get(), "2022-02-28")[1:] == (Decimal(5), None)


def test_this_times_amount_below_zero_needs_a_reason(project: Project):
    report = take(progress(line(NAME, "已投放", 本次投放金额=-5, 累计投放金额=10)))
    assert the_error(report)[:2] == (4, "本次投放金额（万元）")
    assert "请在备注写明原因" in the_error(report)[2]
    too_much = take(progress(line(NAME, "已投放", 本次投放金额=-5, 备注="冲正")))
    assert "只投放过 0 万元" in the_error(too_much)[2]


def test_an_early_row_leaves_deals_under_other_vouchers_alone(project: Project):
    take(progress(line(NAME, "达成意向", 意向金额=5, 凭证号="V-1")))
    report = take(progress(line(NAME, "已对接", 凭证号="V-2"), month="2022年3月"), MARCH)
    assert "已有 1 笔" in warned(report)
    assert (Deal.objects.count(), Referral.objects.get().stage) == (1, "intended")


def test_an_unchanged_row_may_bring_the_voucher(project: Project):
    take(progress(line(NAME, "达成意向", 意向金额=5)))
    report = take(progress(line(NAME, 无变化="是", 凭证号="V-1"), month="2022年3月"), MARCH)
    assert counts(report) == (1, 0, 0, 1)
    assert Deal.objects.get().voucher_no == "V-1"
    assert ReferralMove.objects.count() == 1


def test_the_same_early_stage_again_is_no_change(project: Project):
    take(progress(line(NAME, "已对接")))
    report = take(progress(line(NAME, "已对接"), month="2022年3月"), MARCH)
    assert counts(report) == (1, 0, 0, 1)
    back = take(progress(line(NAME, "已签收"), month="2022年4月"), APRIL)
    assert "由“已对接”退回“已签收”" in warned(back)


def test_a_declined_deal_of_another_bank_takes_no_demand(project: Project):
    dead = make_deal(project, "中国工商银行", agreed_wan="19999", on=date(2022, 1, 31))
    set_terms(dead, stage=Stage.DECLINED, agreed_wan="19999", on=FEBRUARY)
    assert take(progress(line(NAME, "达成意向", 意向金额=500))).warnings == []


# --- The rest -------------------------------------------------------------------------------------


def test_each_month_can_be_read_again_as_it_was_known(project: Project):
    take(progress(line(NAME, "达成意向", 意向金额=900)))
    known = DealTerms.objects.get().recorded_at
    take(progress(line(NAME, "达成意向", 意向金额=700)))
    deal = Deal.objects.get()
    then = DealTerms.objects.as_of(date(2022, 2, 28), known_at=known).get(deal=deal)
    assert (then.intended_wan, stands(deal, "2022-02-28")[1]) == (Decimal(900), Decimal(700))


def test_the_queries_do_not_grow_with_the_rows(register: None):
    def queries(count: int, month: date) -> int:
        rows = [
            line(
                make_project(f"项目{month}-{n}").name,
                "已投放",
                累计投放金额=5,
                投放日期="2022-01-05",
            )
            for n in range(count)
        ]
        content = progress(*rows, month="")
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert counts(take(content, month)) == (count, count, 0, 0)
        return len(captured)

    assert queries(2, FEBRUARY) == queries(40, MARCH)


def test_rows_of_a_messy_file_are_named_by_their_excel_number(project: Project):
    def mess(sheet: Worksheet) -> None:
        sheet.insert_rows(4)
        sheet.append(["", "合计", "", "", 900])
        sheet.append(["注：金额单位为万元"])

    report = take(progress(line(NAME, "达成意向"), touch=mess))
    assert the_error(report)[0] == 5
    assert report.rows == 1


def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    try:
        call_command("import_progress", *arguments)
    except SystemExit as end:
        return int(end.code or 0), capsys.readouterr().out
    except CommandError as error:
        return error.returncode, str(error)
    return 0, capsys.readouterr().out


def test_the_command_answers_in_json_and_by_its_exit_status(
    project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path = tmp_path / "x.xlsx"
    path.write_bytes(progress(line(NAME, "达成意向")))
    status, out = run(str(path), "--month", "2022-02", "--json", capsys=capsys)
    assert status == 1
    assert json.loads(out)["errors"][0]["column"] == "意向金额（万元）"
    path.write_bytes(progress(line(NAME, "达成意向", 意向金额=5)))
    status, out = run(str(path), "--month", "2022-02", "--dry-run", "--json", capsys=capsys)
    assert (status, json.loads(out)["new"]) == (0, 1)
    assert not Deal.objects.exists()
    status, out = run(str(path), "--month", "2022-02", capsys=capsys)
    assert (status, Deal.objects.count()) == (0, 1)
    assert "新增 1" in out
    for wrong in (("none.xlsx", "2022-02"), (str(path), "2022-13"), (str(path), "2999-01")):
        assert run(wrong[0], "--month", wrong[1], capsys=capsys)[0] == 2


def test_names_of_the_register_lead_to_one_institution(
    project: Project, find: Callable[[str], Institution | None]
):
    take(progress(line(NAME, "已签收", 金融机构="邮政储蓄银行"), reporter=""))
    assert Referral.objects.get().institution == find("邮储银行")


@pytest.fixture
def find(register: None) -> Callable[[str], Institution | None]:
    return lambda name: Institution.objects.filter(short_name=name).first()
