"""The ledger importer: what is taken, what is refused and how, and what a second file changes."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from common.errors import InvalidInput, NotAllowed
from common.imports import ImportReport
from common.models import AuditRecord
from projects.importing import month_named_in
from projects.models import (
    DemandRound,
    FinancingDemand,
    ImportedFile,
    Project,
    ProjectCategory,
)
from projects.services import import_ledger
from tests.ledgers import COLUMNS, Sheets, ledger, project, workbook

pytestmark = pytest.mark.usefixtures("register")

ALL_PERMITS = ["approval", "land", "environment", "planning", "construction"]
ROWS = (Project, ProjectCategory, FinancingDemand, DemandRound, ImportedFile, AuditRecord)


def take(content: bytes, *, by: User | None = None, **options: Any) -> ImportReport:
    by = by or User.objects.system()
    return import_ledger(source=content, file_name="台账.xlsx", by=by, **options)


def accepted(content: bytes, **options: Any) -> ImportReport:
    report = take(content, **options)
    assert report.errors == []
    return report


def demand_on(name: str, day: date) -> Decimal | None:
    row = FinancingDemand.objects.as_of(day).filter(project__name=name).first()
    return row.demand_wan if row else None


@contextmanager
def nothing_written() -> Iterator[None]:
    before = [list(model.objects.order_by("pk").values()) for model in ROWS]
    yield
    assert [list(model.objects.order_by("pk").values()) for model in ROWS] == before


def remarks(entries: list[Any]) -> list[tuple[int | None, str, str]]:
    return [(entry.row, entry.column, entry.value) for entry in entries]


class TestTakingIn:
    def test_every_column_arrives(self) -> None:
        report = accepted(ledger(project()))
        assert report.as_json() == {
            "rows": 1,
            "new": 1,
            "changed": 0,
            "unchanged": 0,
            "duplicates": [],
            "warnings": [],
            "errors": [],
        }
        row = Project.objects.values(
            *("code", "name", "borrower", "credit_code", "ownership", "region_id", "recommender"),
            *("department_id", "sector_id", "content", "nature", "total_investment_wan"),
            *("secured_wan", "purpose", "term_months", "guarantees", "planned_use_on"),
            *("wished_institutions", "contact_person", "contact_phone", "permits", "note"),
            "is_synthetic",
        ).get()
        assert row == {
            "code": "KS-000001",
            "name": "疏勒县示例棉纺项目（一期）",
            "borrower": "疏勒示例纺织有限公司",
            "credit_code": "91659900FAKE00001X",
            "ownership": "private",
            "region_id": "653122",
            "recommender": "疏勒县人民政府",
            "department_id": None,
            "sector_id": "C1711",
            "content": "新建纺锭3万锭",
            "nature": "new",
            "total_investment_wan": Decimal(3000),
            "secured_wan": Decimal(1000),
            "purpose": "设备购置",
            "term_months": 60,
            "guarantees": ["mortgage", "surety"],
            "planned_use_on": date(2022, 6, 1),
            "wished_institutions": "农业银行",
            "contact_person": "王示例",
            "contact_phone": "0998-0000001",
            "permits": ["approval", "land"],
            "note": "示例",
            "is_synthetic": False,
        }
        assert set(ProjectCategory.objects.values_list("category", flat=True)) == {
            "major_industrial",
            "key_field",
        }
        demand = FinancingDemand.objects.get()
        assert (demand.demand_wan, demand.round) == (2000, None)
        assert (demand.valid_from, demand.valid_until) == (date.min, date.max)

    def test_codes_go_on_where_they_ended(self) -> None:
        accepted(ledger(project("甲"), project("乙")))
        Project.objects.filter(name="乙").update(code="KS-1000000")
        accepted(ledger(project("丙")))
        codes = Project.objects.order_by("pk").values_list("code", flat=True)
        assert list(codes) == ["KS-000001", "KS-1000000", "KS-1000001"]

    def test_synthetic_data_is_marked(self) -> None:
        accepted(ledger(project()), synthetic=True)
        assert Project.objects.get().is_synthetic

    def test_only_the_required_columns_are_needed(self) -> None:
        columns = [
            "县市",
            "推荐单位",
            "项目名称",
            "项目单位",
            "所属行业",
            "融资需求（万元）",
            "融资用途",
        ]
        accepted(ledger(project(), columns=columns))
        row = Project.objects.get()
        assert (row.total_investment_wan, row.term_months, row.planned_use_on) == (None, None, None)
        assert (row.ownership, row.guarantees, row.note) == ("", [], "")

    @pytest.mark.parametrize(
        ("heading", "written", "field", "kept"),
        [
            ("县市", "塔什库尔干塔吉克自治县", "region_id", "653131"),
            ("县市", "塔县", "region_id", "653131"),
            ("县市", " 疏 勒 县 ", "region_id", "653122"),
            ("所属行业", "棉纺纱加工", "sector_id", "C1711"),
            ("所属行业", "C17", "sector_id", "C17"),
            ("所属行业", 1711, "sector_id", "C1711"),
            ("推荐单位", "地区发改委", "department_id", "development"),
            ("推荐单位", "喀什地区工业和信息化局", "department_id", "industry"),
            ("推荐单位", "疏勒县政府", "department_id", None),
            ("企业性质", "国企", "ownership", "state"),
            ("企业性质", "合作社", "ownership", "cooperative"),
            ("企业性质", None, "ownership", ""),
            ("建设性质", "技术改造", "nature", "upgrade"),
            ("期限", "5年", "term_months", 60),
            ("总投资", "1.5亿元", "total_investment_wan", Decimal(15000)),
            ("已落实资金", None, "secured_wan", None),
            ("已落实资金", 0, "secured_wan", Decimal(0)),
            ("担保方式", "信用贷款,抵押", "guarantees", ["mortgage", "credit"]),
            ("前期手续", "立项批复、环评", "permits", ["approval", "environment"]),
            ("前期手续", "齐全", "permits", ALL_PERMITS),
            ("前期手续", "无", "permits", []),
            ("前期手续", "未办理", "permits", []),
            ("统一社会信用代码", None, "credit_code", ""),
            ("统一社会信用代码", "９１659900fake 00001X", "credit_code", "91659900FAKE00001X"),
            ("意向金融机构", "无", "wished_institutions", ""),
        ],
    )  # fmt: skip
    def test_ways_to_write_a_value(
        self, heading: str, written: object, field: str, kept: object
    ) -> None:
        accepted(ledger(project(**{heading: written})))
        assert Project.objects.values_list(field, flat=True).get() == kept

    def test_an_untidy_file(self) -> None:
        heads = [
            *("序号", "县（市）", "推荐部门", "项目名称", "项目业主", "行业"),
            *("融资需求", None, None, "备注"),
        ]
        leaves = [None] * 6 + ["金额（亿元）", "用途", "期限（年）", None]
        first = [
            1,
            "塔县",
            "塔县人民政府",
            "甲（一期）",
            "甲公司",
            "C17",
            "约１．２",
            "建设",
            5,
            None,
        ]
        second = [2, None, "地区工信局", "乙", "乙公司", "H61", "3,000万元", "建设", "36个月", "x"]

        def merge(sheet: Any) -> None:
            sheet.merge_cells("A1:J1")
            sheet.merge_cells("G3:I3")
            sheet.merge_cells("B5:B6")
            for letter in "ABCDEFJ":
                sheet.merge_cells(f"{letter}3:{letter}4")

        rows: list[list[Any]] = [
            ["2022年项目融资需求台账"],
            [None, None, None, None, None, None, None, None, "单位：万元"],
            *(heads, leaves, first, second),
            [],
            ["合计", None, None, None, None, None, 1.5],
            ["注：以上数据截至2月底"],
        ]
        sheets: Sheets = {"台账": rows, "说明": [["填表说明"]]}
        report = accepted(workbook(sheets, touch=merge))
        assert (report.rows, report.new) == (2, 2)
        assert demand_on("甲（一期）", date(2022, 2, 28)) == 12000
        assert demand_on("乙", date(2022, 2, 28)) == 3000
        assert set(Project.objects.values_list("region_id", "term_months")) == {
            ("653131", 60),
            ("653131", 36),
        }


class TestRefusing:
    def test_all_errors_of_all_rows_at_once_and_nothing_is_saved(self) -> None:
        content = ledger(
            project("甲", 县市="火星县", 融资需求="abc", 期限="3-5年", 担保方式="人情"),
            project("乙"),
            project("丙", 项目单位=None, 所属行业="造梦", 企业性质="外星", 计划用款时间="明年"),
            project(
                "丁", 融资需求=-5, 总投资=-1, 建设性质="推倒", 前期手续="批过", 项目类别="好事"
            ),
        )
        with nothing_written():
            report = take(content)
        assert report.refused
        assert (report.rows, report.new, report.changed, report.unchanged) == (4, 0, 0, 0)
        assert remarks(report.errors) == [
            (2, "县市", "火星县"),
            (2, "融资需求（万元）", "abc"),
            (2, "期限（月）", "3-5年"),
            (2, "担保方式", "人情"),
            (4, "项目单位", ""),
            (4, "企业性质", "外星"),
            (4, "所属行业", "造梦"),
            (4, "计划用款时间", "明年"),
            (5, "项目类别", "好事"),
            (5, "建设性质", "推倒"),
            (5, "总投资（万元）", "-1"),
            (5, "融资需求（万元）", "-5"),
            (5, "前期手续", "批过"),
        ]
        assert all(
            "请" in error.message and error.message.endswith("。") for error in report.errors
        )

    @pytest.mark.parametrize(
        "heading", ["县市", "推荐单位", "项目名称", "项目单位", "所属行业", "融资用途"]
    )
    def test_a_required_cell_is_blank(self, heading: str) -> None:
        (error,) = take(ledger(project(**{heading: None}))).errors
        assert (error.row, error.column, error.value) == (2, heading, "")

    @pytest.mark.parametrize("blank", [None, "", " ", "—", "待定", 0])
    def test_a_demand_of_nothing_is_no_demand(self, blank: object) -> None:
        (error,) = take(ledger(project(融资需求=blank))).errors
        assert error.column == "融资需求（万元）"

    def test_a_missing_column_is_one_error_not_one_a_row(self) -> None:
        columns = [column for column in COLUMNS if column not in ("县市", "融资用途")]
        with nothing_written():
            report = take(ledger(project("甲", 融资需求="x"), project("乙"), columns=columns))
        assert remarks(report.errors) == [
            (1, "县市", ""),
            (1, "融资用途", ""),
            (2, "融资需求（万元）", "x"),
        ]

    def test_texts_longer_than_their_column(self) -> None:
        content = ledger(
            project("甲" * 201, 推荐单位="乙" * 101, 融资用途="丙" * 201, 联系人="丁" * 61)
        )
        columns = [error.column for error in take(content).errors]
        assert columns == ["推荐单位", "项目名称", "融资用途", "联系人"]
        accepted(
            ledger(project("甲" * 200, 推荐单位="乙" * 100, 融资用途="丙" * 200, 联系人="丁" * 60))
        )

    def test_a_name_that_grows_when_it_is_folded(self) -> None:
        (error,) = take(ledger(project("㈱" * 150))).errors
        assert error.column == "项目名称"

    def test_a_very_long_value_is_cut_in_the_report(self) -> None:
        (error,) = take(ledger(project("甲" * 30_000))).as_json()["errors"]
        assert len(error["value"]) <= 80

    def test_a_ledger_without_projects(self) -> None:
        (error,) = take(ledger()).errors
        assert "没有项目" in error.message

    def test_an_amount_alone_is_asked_about_once(self) -> None:
        content = ledger(project("甲"), below=[[None] * 13 + [2000]])
        (error,) = take(content).errors
        assert (error.row, error.column) == (3, "项目名称")

    def test_a_file_that_is_no_ledger(self) -> None:
        with nothing_written(), pytest.raises(InvalidInput, match="没有找到表头"):
            take(workbook({"表": [["姓名", "电话"], ["甲", 1]]}))


class TestRepeats:
    def test_the_same_row_twice_counts_once(self) -> None:
        report = accepted(ledger(project("甲"), project("乙"), project(" 甲 ")))
        assert (report.rows, report.new) == (3, 2)
        assert remarks(report.duplicates) == [(4, "项目名称", "甲")]
        assert "第 2 行" in report.duplicates[0].message

    def test_the_width_of_brackets_makes_no_other_project(self) -> None:
        report = accepted(ledger(project("甲（一期）"), project("甲(一期)", 备注="别的")))
        assert report.new == 1
        assert "备注不同" in report.duplicates[0].message
        assert Project.objects.get().note == "示例"

    def test_two_demands_for_one_project_contradict_each_other(self) -> None:
        with nothing_written():
            report = take(ledger(project("甲"), project("乙"), project("甲", 融资需求="0.3亿元")))
        (error,) = report.errors
        assert (error.row, error.column, error.value) == (4, "融资需求（万元）", "0.3亿元")
        assert all(part in error.message for part in ("第 2 行", "2000 万元", "3000 万元"))

    def test_a_repeat_with_an_error_of_its_own_is_an_error(self) -> None:
        report = take(ledger(project("甲"), project("甲", 企业性质="外星")))
        assert remarks(report.errors) == [(3, "企业性质", "外星")]
        assert report.duplicates == []

    def test_same_name_in_another_county_or_of_another_owner_is_another_project(self) -> None:
        report = accepted(
            ledger(
                project("甲"),
                project("甲", 县市="塔县", 推荐单位="塔县人民政府"),
                project("甲", 项目单位="乙公司"),
            )
        )
        assert report.new == 3
        assert remarks(report.warnings) == [(4, "项目单位", "乙公司")]

    def test_a_new_owner_of_a_known_name_is_pointed_out(self) -> None:
        accepted(ledger(project("甲")))
        report = accepted(ledger(project("甲", 项目单位="乙公司")))
        assert report.new == 1
        assert "疏勒示例纺织有限公司" in report.warnings[0].message


class TestWarnings:
    @pytest.mark.parametrize(
        ("cells", "column", "says"),
        [
            ({"融资需求": 3001}, "融资需求（万元）", "大于总投资"),
            ({"融资需求": 20_000_000, "总投资": None}, "融资需求（万元）", "异常大"),
            ({"融资需求": 2.5}, "融资需求（万元）", "异常小"),
            ({"推荐单位": "疏勒县发改局"}, "推荐单位", "不在部门名录"),
            ({"推荐单位": "塔县人民政府"}, "推荐单位", "不一致"),
            ({"意向金融机构": "农业银行、火星银行"}, "意向金融机构", "“火星银行”不在"),
            ({"统一社会信用代码": "9165"}, "统一社会信用代码", "照原样保存"),
            ({"统一社会信用代码": "9" * 19}, "统一社会信用代码", "没有保存"),
            ({"统一社会信用代码": 916599001234567890}, "统一社会信用代码", "末几位已丢失"),
            ({"所属行业": 141}, "所属行业", "A0141"),
            ({"推荐单位": "喀什地区行政公署"}, "推荐单位", "不在部门名录"),
        ],
    )
    def test_what_is_odd_is_said_but_taken(
        self, cells: dict[str, Any], column: str, says: str
    ) -> None:
        report = accepted(ledger(project(**cells)))
        assert report.new == 1
        assert [warning.column for warning in report.warnings] == [column]
        assert says in report.warnings[0].message
        assert Project.objects.get().recommender == cells.get("推荐单位", "疏勒县人民政府")

    def test_one_remark_stands_for_all_rows_alike(self) -> None:
        rows = [project(f"甲{number}", 推荐单位="某局") for number in range(30)]
        (warning,) = accepted(ledger(*rows)).warnings
        assert warning.row == 2
        assert "另有 29 行" in warning.message

    def test_other_sheets_that_look_like_a_ledger_are_named(self) -> None:
        sheets: Sheets = {
            "台账": [COLUMNS, list(project().values())],
            "旧表": [COLUMNS[:5], list(project().values())[:5]],
        }
        (warning,) = accepted(workbook(sheets)).warnings
        assert (warning.row, warning.value) == (None, "旧表")
        assert "只导入了工作表“台账”" in warning.message

    def test_an_unstated_unit_and_an_unknown_column(self) -> None:
        report = accepted(
            ledger(project(), renamed={"融资需求（万元）": "融资需求", "备注": "领导批示"})
        )
        assert remarks(report.warnings) == [
            (1, "融资需求（万元）", "融资需求"),
            (1, "", "领导批示"),
        ]
        assert "按万元" in report.warnings[0].message


class TestImportingAgain:
    def test_the_same_file_changes_nothing(self) -> None:
        content = ledger(project("甲"), project("乙"), project("乙"))
        accepted(content)
        with nothing_written():
            report = accepted(content)
        assert (report.rows, report.new, report.changed, report.unchanged) == (3, 0, 0, 2)
        assert len(report.duplicates) == 1

    def test_a_change_keeps_what_was_known_and_records_both(self) -> None:
        accepted(ledger(project("甲"), project("乙")))
        report = accepted(
            ledger(
                project("甲", 融资需求=2500, 担保方式="信用", 项目类别="重大项目"), project("乙")
            )
        )
        assert (report.new, report.changed, report.unchanged) == (0, 1, 1)
        changed = Project.objects.get(name="甲")
        assert changed.guarantees == ["credit"]
        assert [row.category for row in changed.categories.all()] == ["major"]
        assert demand_on("甲", date(2022, 2, 28)) == 2500
        history = FinancingDemand.objects.filter(project=changed).order_by("pk")
        assert [(row.demand_wan, row.superseded_at is None) for row in history] == [
            (2000, False),
            (2500, True),
        ]
        record = AuditRecord.objects.get(object_id=str(changed.pk), object_type="projects.Project")
        assert record.before == {
            "guarantees": ["mortgage", "surety"],
            "categories": ["key_field", "major_industrial"],
            "demand_wan": "2000.0000",
        }
        assert record.after == {
            "guarantees": ["credit"],
            "categories": ["major"],
            "demand_wan": "2500.0000",
        }
        assert record.actor == User.objects.system()

    def test_an_equal_amount_in_another_unit_is_no_change(self) -> None:
        accepted(ledger(project("甲")))
        with nothing_written():
            accepted(ledger(project("甲", 融资需求="0.2亿元")))

    def test_a_column_that_is_not_in_the_file_is_left_alone_a_blank_cell_is_emptied(self) -> None:
        accepted(ledger(project("甲")))
        without = [column for column in COLUMNS if column not in ("备注", "项目类别")]
        report = accepted(ledger(project("甲", 联系人=None), columns=without))
        assert report.changed == 1
        row = Project.objects.get()
        assert (row.note, row.contact_person) == ("示例", "")
        assert row.categories.count() == 2

    def test_each_file_that_did_something_is_kept_with_its_fingerprint(self) -> None:
        first, second = ledger(project("甲")), ledger(project("甲"), project("乙"))
        for content in (first, first, second):
            accepted(content)
        files = ImportedFile.objects.order_by("pk")
        assert [file.counts["new"] for file in files] == [1, 1]
        assert len({file.sha256 for file in files}) == 2
        assert files[0].file_name == "台账.xlsx"


class TestRounds:
    def test_without_a_round_demand_counts_in_every_bulletin(self) -> None:
        accepted(ledger(project("甲")))
        assert demand_on("甲", date(2019, 1, 31)) == 2000

    def test_a_round_counts_from_its_month_on(self) -> None:
        accepted(ledger(project("甲")), round_name="2022年第二季度摸排")
        assert DemandRound.objects.get().counts_from == date(2022, 4, 1)
        assert demand_on("甲", date(2022, 3, 31)) is None
        assert demand_on("甲", date(2022, 4, 1)) == 2000

    def test_a_later_round_leaves_the_earlier_bulletins_as_they_were(self) -> None:
        accepted(ledger(project("甲"), project("乙")))
        report = accepted(ledger(project("甲", 融资需求=2600), project("乙")), round_name="2022-03")
        assert (report.changed, report.unchanged) == (1, 1)
        assert [demand_on("甲", day) for day in (date(2022, 2, 28), date(2022, 3, 31))] == [
            2000,
            2600,
        ]
        assert FinancingDemand.objects.known().filter(round__name="2022-03").count() == 1
        with nothing_written():
            again = accepted(
                ledger(project("甲", 融资需求=2600), project("乙")), round_name="2022-03"
            )
        assert (again.changed, again.unchanged) == (0, 2)

    def test_a_late_earlier_round_does_not_undo_the_later_one(self) -> None:
        accepted(ledger(project("甲", 融资需求=2600)), round_name="2022-06")
        accepted(ledger(project("甲", 融资需求=2200)), round_name="2022-03")
        days = (date(2022, 2, 28), date(2022, 3, 1), date(2022, 5, 31), date(2022, 6, 1))
        assert [demand_on("甲", day) for day in days] == [None, 2200, 2200, 2600]

    def test_the_month_given_beats_the_name(self) -> None:
        accepted(ledger(project("甲")), round_name="2022-03", counts_from=date(2022, 5, 1))
        assert DemandRound.objects.get().counts_from == date(2022, 5, 1)

    def test_a_name_that_says_nothing_takes_the_month_of_the_caller_and_says_so(self) -> None:
        content = ledger(project("甲"))
        report = accepted(content, round_name="春季摸排", default_month=date(2022, 3, 15))
        assert DemandRound.objects.get().counts_from == date(2022, 3, 1)
        assert "2022年3月" in report.warnings[-1].message
        with nothing_written():
            again = accepted(content, round_name="春季摸排", default_month=date(2022, 9, 1))
        assert again.warnings == []

    def test_rounds_that_cannot_be_placed_are_refused(self) -> None:
        content = ledger(project("甲"))
        with pytest.raises(InvalidInput, match="看不出从哪个月起计"):
            take(content, round_name="春季摸排")
        with pytest.raises(InvalidInput, match="没有指定轮次"):
            take(content, counts_from=date(2022, 3, 1))
        accepted(content, round_name="2022-03")
        with pytest.raises(InvalidInput, match="从2022年3月起计"):
            take(content, round_name="2022-03", counts_from=date(2022, 4, 1))
        with pytest.raises(InvalidInput, match="60 个字"):
            take(content, round_name="2022-03" + "轮" * 60)

    @pytest.mark.parametrize(
        ("name", "month"),
        [
            ("2022-03", "2022-03-01"),
            ("2022年3月摸排", "2022-03-01"),
            ("第三轮（2022.11）", "2022-11-01"),
            ("２０２２年１２月", "2022-12-01"),
            ("202203", "2022-03-01"),
            ("2022年第二季度", "2022-04-01"),
            ("2022年四季度", "2022-10-01"),
            ("2022Q3", "2022-07-01"),
            ("2022年下半年", "2022-07-01"),
            ("2022年", None),
            ("第3轮", None),
            ("2022-13", None),
            ("20220315001", None),
        ],
    )
    def test_months_in_names(self, name: str, month: str | None) -> None:
        assert month_named_in(name) == (date.fromisoformat(month) if month else None)


class TestDryRun:
    def test_says_the_same_and_saves_nothing(self) -> None:
        accepted(ledger(project("甲"), project("乙")))
        content = ledger(project("甲", 融资需求=1), project("乙"), project("丙"))
        with nothing_written():
            trial = take(content, dry_run=True, round_name="2022-03")
        assert trial.as_json() == take(content, round_name="2022-03").as_json()
        assert (trial.new, trial.changed, trial.unchanged) == (1, 1, 1)


class TestWhoMayImport:
    def test_a_county_brings_in_its_own_projects_only(self, county_clerk: User) -> None:
        mine, other = project("甲"), project("乙", 县市="塔县", 推荐单位="塔县人民政府")
        with nothing_written():
            report = take(ledger(mine, other), by=county_clerk)
        assert remarks(report.errors) == [(3, "县市", "塔县")]
        assert accepted(ledger(mine), by=county_clerk).new == 1

    def test_a_department_brings_in_what_it_recommends(self, department_clerk: User) -> None:
        mine, other = project("甲", 推荐单位="地区发改委"), project("乙")
        report = take(ledger(mine, other), by=department_clerk)
        assert remarks(report.errors) == [(3, "推荐单位", "疏勒县人民政府")]
        assert accepted(ledger(mine), by=department_clerk).new == 1
        assert Project.objects.visible_to(department_clerk).count() == 1

    def test_a_department_cannot_take_over_a_project_it_does_not_see(
        self, department_clerk: User
    ) -> None:
        accepted(ledger(project("甲")))
        with nothing_written():
            report = take(ledger(project("甲", 推荐单位="地区发改委")), by=department_clerk)
        assert remarks(report.errors) == [(2, "项目名称", "甲")]

    def test_scope_errors_come_with_all_others(self, county_clerk: User) -> None:
        other = project("乙", 县市="塔县", 推荐单位="塔县人民政府")
        report = take(ledger(other, project("丙", 融资需求="x")), by=county_clerk)
        assert remarks(report.errors) == [(2, "县市", "塔县"), (3, "融资需求（万元）", "x")]

    @pytest.mark.parametrize("role", ["bank_clerk", "leader", "sysadmin", "secadmin", "auditor"])
    def test_others_may_not(self, role: str, request: pytest.FixtureRequest) -> None:
        with pytest.raises(NotAllowed):
            take(ledger(project()), by=request.getfixturevalue(role))


class TestWholeOrNotAtAll:
    def test_a_fault_on_the_way_leaves_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        accepted(ledger(project("甲")))

        def fail(*_args: object, **_options: object) -> None:
            raise RuntimeError

        content = ledger(project("甲", 融资需求=2500), project("乙"))
        monkeypatch.setattr("projects.services.audit.record_all", fail)
        with nothing_written(), pytest.raises(RuntimeError), transaction.atomic():
            take(content, round_name="2022-03")

    def test_queries_do_not_grow_with_the_rows(self) -> None:
        def queries(prefix: str, count: int, **cells: Any) -> int:
            rows = [project(f"{prefix}{number}", **cells) for number in range(count)]
            with CaptureQueriesContext(
                connection,
            ) as captured:
                accepted(ledger(*rows))
            return len(captured)

        queries("预热", 1)
        few, many = queries("甲", 2), queries("乙", 20)
        assert many == few
        assert queries("乙", 20, 融资需求=2600, 备注="改") == queries(
            "甲", 2, 融资需求=2600, 备注="改"
        )

    def test_more_rows_than_one_chunk(self) -> None:
        rows = [project(f"甲{number}", 融资需求=number + 10) for number in range(1100)]
        assert accepted(ledger(*rows)).new == 1100
        assert accepted(ledger(*rows)).unchanged == 1100
        changed = [dict(row, **{"融资需求（万元）": row["融资需求（万元）"] + 1}) for row in rows]
        assert accepted(ledger(*changed)).changed == 1100
        total = sum(row.demand_wan for row in FinancingDemand.objects.as_of(date(2022, 2, 28)))
        assert total == sum(number + 11 for number in range(1100))


class TestCommand:
    @pytest.fixture
    def save(self, tmp_path: Path) -> Callable[[bytes], str]:
        def save(content: bytes) -> str:
            path = tmp_path / "台账.xlsx"
            path.write_bytes(content)
            return str(path)

        return save

    def run(self, *arguments: str) -> str:
        out = StringIO()
        call_command("import_ledger", *arguments, stdout=out)
        return out.getvalue()

    def refused(self, *arguments: str) -> tuple[str, int]:
        out = StringIO()
        with pytest.raises(CommandError) as refusal:
            call_command("import_ledger", *arguments, stdout=out)
        return out.getvalue(), refusal.value.returncode

    def test_prints_one_json_object(self, save: Callable[[bytes], str]) -> None:
        path = save(ledger(project("甲"), project("乙", 推荐单位="某局")))
        trial = json.loads(self.run(path, "--json", "--dry-run"))
        assert not Project.objects.exists()
        report = json.loads(self.run(path, "--json"))
        assert trial == report
        assert {key: report[key] for key in ("rows", "new", "changed", "unchanged")} == {
            "rows": 2,
            "new": 2,
            "changed": 0,
            "unchanged": 0,
        }
        (warning,) = report["warnings"]
        assert set(warning) == {"row", "column", "value", "message"}
        assert (warning["row"], warning["column"], warning["value"]) == (3, "推荐单位", "某局")

    def test_prints_text_for_people(self, save: Callable[[bytes], str]) -> None:
        path = save(ledger(project("甲")))
        assert "没有保存" in self.run(path, "--dry-run")
        assert "共 1 行：新增 1" in self.run(path)
        assert "无变化 1" in self.run(path)

    def test_a_refused_ledger_ends_with_1(self, save: Callable[[bytes], str]) -> None:
        path = save(ledger(project("甲", 融资需求="x")))
        printed, status = self.refused(path, "--json")
        assert (status, json.loads(printed)["errors"][0]["row"]) == (1, 2)
        printed, status = self.refused(path)
        assert status == 1
        assert "第 2 行“融资需求（万元）”（现为“x”）" in printed
        assert not Project.objects.exists()

    def test_a_file_that_may_not_be_opened_ends_with_1(self, save: Callable[[bytes], str]) -> None:
        printed, status = self.refused(save(b"no workbook"), "--json")
        (error,) = json.loads(printed)["errors"]
        assert (status, error["row"]) == (1, None)
        assert ".xlsx" in error["message"]

    def test_a_wrong_call_ends_with_2(self, save: Callable[[bytes], str]) -> None:
        assert self.refused("/nowhere/ledger.xlsx")[1] == 2
        path = save(ledger(project("甲")))
        assert self.refused(path, "--round", "春季", "--from", "2022-13")[1] == 2
        assert self.refused(path, "--from", "2022-03")[1] == 2

    def test_rounds(self, save: Callable[[bytes], str]) -> None:
        path = save(ledger(project("甲")))
        self.run(path, "--round", "春季", "--from", "2022-03")
        assert DemandRound.objects.get().counts_from == date(2022, 3, 1)
        assert FinancingDemand.objects.get().round == DemandRound.objects.get()
