"""The workbook: the frozen figures as numbers, text as text, ready for A4, the same every time."""

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import pytest
from django.utils import timezone
from openpyxl import load_workbook

from accounts.models import Region, User
from common.models import Sector
from institutions.models import Institution
from projects.models import FinancingDemand, Project
from referrals.lifecycle import Stage
from referrals.models import Deal, DealTerms, Disbursement, MonthlyReturn, Referral
from reports.renderers.document import BulletinDocument
from reports.renderers.text_fit import ems, line_count, split_at_stops
from reports.renderers.xlsx import render_xlsx
from reports.services import draft_document, find_document, freeze_bulletin

FEBRUARY = date(2022, 2, 1)
SHEETS = ["汇总", "融资需求分档", "投放情况", "意向情况", "无投放无意向", "明细", "口径说明"]
CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
# What a spreadsheet program, or the library that writes the file, could take for something else.
HOSTILE = [
    "=1+1",
    '=HYPERLINK("http://example.invalid","点我")',
    "+86产业园",
    "-20万吨基地",
    "@SUM(A1)",
    "{=1}",
    "https://example.invalid/",
    "<r><t>光伏</t></r>",
    "<r>&</r>",
    "00123",
    "\t=1+1",
]


@dataclass
class Office:
    """Rows of the database, made one by one."""

    by: User
    count: int = 0
    projects: dict[str, Project] = field(default_factory=dict)

    def add_project(self, name: str, demand_wan: str, **fields: Any) -> Project:
        """Add a project that counts from the start."""
        self.count += 1
        project = Project.objects.create(
            code=f"P{self.count:04d}",
            name=name,
            name_key=f"key-{self.count}",
            borrower=fields.pop("borrower", f"{name}有限公司"),
            borrower_key=f"key-{self.count}",
            region=Region.objects.get(short_name="疏勒县"),
            recommender="疏勒县",
            sector=Sector.objects.all()[0],
            purpose="建设",
            **fields,
        )
        FinancingDemand.objects.create(
            project=project,
            demand_wan=Decimal(demand_wan),
            recorded_at=timezone.now(),
            recorded_by=self.by,
        )
        return project

    def add_deal(
        self, project: Project, institution: str, agreed_wan: str, paid_wan: str = "", **deal: Any
    ) -> Deal:
        """Add a deal agreed in January and perhaps paid on 2022-02-28."""
        bank = Institution.objects.get(short_name=institution)
        stage = Stage.DISBURSED if paid_wan else Stage.APPROVED
        referral = Referral.objects.create(
            project=project, institution=bank, stage=stage, stage_on=date(2022, 2, 28)
        )
        made = Deal.objects.create(referral=referral, **deal)
        stamp = {"recorded_at": timezone.now(), "recorded_by": self.by}
        DealTerms.objects.create(
            deal=made,
            stage=stage,
            approved_wan=Decimal(agreed_wan),
            valid_from=date(2022, 1, 10),
            **stamp,
        )
        if paid_wan:
            Disbursement.objects.create(
                deal=made, amount_wan=Decimal(paid_wan), paid_on=date(2022, 2, 28), **stamp
            )
        return made

    def add_return(self, institution: str, *, is_nil: bool) -> None:
        """Let an institution report for February."""
        MonthlyReturn.objects.create(
            institution=Institution.objects.get(short_name=institution),
            month=FEBRUARY,
            is_nil=is_nil,
            received_at=timezone.now(),
            received_by=self.by,
        )

    def freeze(self) -> BulletinDocument:
        """Freeze February and return what a renderer gets."""
        freeze_bulletin(month=FEBRUARY, by=self.by)
        return find_document(month=FEBRUARY, by=self.by)


@pytest.fixture
def office(bureau: User) -> Office:
    """An empty office."""
    return Office(by=bureau)


@pytest.fixture
def february(office: Office) -> BulletinDocument:
    """Five projects, six deals: three equal payments, one paid in part, one of 30万元, a branch's.

    Demand 40000 + 30000 + 29999.9999 + 300 + 299.9999 = 100599.9998 万元. Paid 4060 × 3 + 2000 +
    100 = 14280 万元 (1.43 亿元; the parts print 0.41 × 3 + 0.20 + 0.01 = 1.44). Still agreed
    3000 + 30 = 3030 万元 (0.30 亿元).
    """
    sizes = ("40000", "30000", "29999.9999", "300", "299.9999")
    a, b, c, d, e = (
        office.add_project(f"项目{letter}", size)
        for letter, size in zip("甲乙丙丁戊", sizes, strict=True)
    )
    office.add_deal(a, "农业发展银行", "4060", "4060", voucher_no="2022001")
    office.add_deal(b, "建设银行", "4060", "4060", voucher_no="农发贷字〔2022〕第7号")
    office.add_deal(c, "疏勒县信用联社", "4060", "4060")
    office.add_deal(d, "喀什农商银行", "5000", "2000")
    office.add_deal(e, "昆仑银行", "30")
    office.add_deal(a, "邮储银行岳普湖县支行", "100", "100")
    for institution in ("农业发展银行", "喀什农商银行", "进出口银行"):
        office.add_return(institution, is_nil=False)
    for institution in ("乌鲁木齐商业银行喀什分行", "塔县信用联社"):
        office.add_return(institution, is_nil=True)
    return office.freeze()


@pytest.fixture
def book(february: BulletinDocument) -> Any:
    """The workbook of `february`, read back."""
    return opened(february)


def opened(document: BulletinDocument) -> Any:
    """Return the workbook, read back; Any, for openpyxl's types allow None everywhere."""
    return load_workbook(io.BytesIO(render_xlsx(document)))


def part_of(document: BulletinDocument, path: str) -> str:
    """Return a part of the file as text."""
    with zipfile.ZipFile(io.BytesIO(render_xlsx(document))) as archive:
        return archive.read(path).decode()


def texts(sheet: Any) -> list[str]:
    return [cell.value for cell in cells(sheet) if isinstance(cell.value, str)]


def cells(sheet: Any) -> Iterator[Any]:
    return (cell for row in sheet.iter_rows() for cell in row if cell.value is not None)


def row_of(sheet: Any, label: str, *, column: int = 1) -> list[Any]:
    """Return the cells' values right of a label."""
    row = next(row for row in sheet.iter_rows() if row[column - 1].value == label)
    return [cell.value for cell in row[column:]]


def cell_right_of(sheet: Any, label: str, steps: int) -> Any:
    found = next(cell for cell in cells(sheet) if cell.value == label)
    return sheet.cell(found.row, found.column + steps)


def test_the_sheets_come_in_the_order_of_the_bulletin(book: Any) -> None:
    assert book.sheetnames == SHEETS


def test_key_figures_are_numbers_with_two_decimals(book: Any) -> None:
    sheet = book["汇总"]
    # 14280 ÷ 100599.9998 = 14.19 %, 3030 ÷ … = 3.01 %, 17310 ÷ … = 17.21 %.
    assert row_of(sheet, "已投放") == [4, 5, 1.43, 14.19]
    assert row_of(sheet, "已达成意向") == [2, 2, 0.3, 3.01]
    # Project 甲 has two deals, 丁 stands in both stages: 5 projects, 6 deals.
    assert row_of(sheet, "全部合计") == [5, 6, 1.73, 17.21]
    assert [cell_right_of(sheet, "全部合计", n).number_format for n in range(1, 5)] == [
        "#,##0",
        "#,##0",
        "0.00",
        "0.00",
    ]
    assert "同时计入两个阶段的项目1个、1笔，在合计中只计一次。" in texts(sheet)


def test_the_narrative_stands_whole_and_as_the_report_prints_it(
    february: BulletinDocument, book: Any
) -> None:
    written = "".join(text.strip("　") for text in texts(book["汇总"]))
    for entry in february.snapshot["narrative"]:
        assert "".join(part["text"] for part in entry["parts"]) in written
    assert "已达成意向2个2笔，金额0.3亿元，占3.01%" in written
    assert "昆仑银行达成意向1笔，金额30万元" in written


def test_rounding_differences_are_shown_with_their_arithmetic(book: Any) -> None:
    name = "各机构投放相加 = 投放总额（亿元）"
    assert row_of(book["汇总"], name) == [1.44, 1.43, 0.01, "四舍五入差"]
    sentence = (
        "各机构投放相加：0.41＋0.41＋0.41＋0.20＋0.01＝1.44亿元，"
        "合计按原值为1.43亿元，差0.01亿元，属四舍五入差。"
    )
    assert sentence in texts(book["汇总"])
    assert sentence in texts(book["投放情况"])
    assert row_of(book["汇总"], "各档项目数相加 = 项目总数（个）") == [5, 5, 0, "一致"]


def test_bands_take_their_lower_end_in(book: Any) -> None:
    sheet = book["融资需求分档"]
    assert row_of(sheet, "3亿元及以上")[:3] == [2, 7, 69.58]
    assert row_of(sheet, "5000万元—3亿元")[:3] == [1, 3, 29.82]
    assert row_of(sheet, "1000万元—5000万元")[:3] == [0, 0, 0]
    assert row_of(sheet, "300万元—1000万元")[:3] == [1, 0.03, 0.3]
    assert row_of(sheet, "300万元以下")[:3] == [1, 0.03, 0.3]
    assert row_of(sheet, "全部合计")[:3] == [5, 10.06, 100]


def test_each_institution_stands_with_its_share_of_all_demand(book: Any) -> None:
    sheet = book["投放情况"]
    rows = list(sheet.iter_rows(min_col=1, max_col=5, values_only=True))
    start = next(place for place, row in enumerate(rows) if row[0] == "序号") + 1
    assert rows[start : start + 6] == [
        (1, "农业发展银行", 1, 0.41, 4.04),
        (2, "建设银行", 1, 0.41, 4.04),
        (3, "疏勒县信用联社", 1, 0.41, 4.04),
        (4, "喀什农商银行", 1, 0.2, 1.99),
        (5, "邮储银行", 1, 0.01, 0.1),  # reported by its branch
        (None, "全部合计", 5, 1.43, 14.19),
    ]


def test_an_amount_too_small_for_yi_is_text_with_its_unit(book: Any) -> None:
    cell = cell_right_of(book["意向情况"], "昆仑银行", 2)
    assert (cell.value, cell.data_type, cell.alignment.horizontal) == ("30万元", "s", "right")


def test_a_share_of_some_money_never_prints_as_nothing(office: Office) -> None:
    office.add_project("大项目", "4000000")
    office.add_deal(office.add_project("小项目", "100"), "昆仑银行", "100", "100")
    sheet = opened(office.freeze())["投放情况"]
    assert row_of(sheet, "昆仑银行", column=2)[:3] == [1, 0.01, "不足0.01"]


def test_who_reported_nothing_and_who_did_not_report_stand_apart(book: Any) -> None:
    values = [cell.value for cell in cells(book["无投放无意向"])]
    second_block = values.index("未报送本月进展的机构")
    first, second = values[:second_block], values[second_block:]
    assert {"进出口银行", "乌鲁木齐商业银行喀什分行", "塔县信用联社"} <= set(first)
    assert "国家开发银行" not in first
    assert "国家开发银行" in second
    assert "农业发展银行" not in values
    # 建设银行 did not report, but what it paid is known and stays in the figures.
    assert row_of(book["无投放无意向"], "建设银行", column=2) == ["银行", "未报送", "1笔，0.41亿元"]
    assert first.count("零报告") == 2
    assert first.count("已报送") == 1
    assert "未报送" not in first


def test_details_carry_exact_amounts_and_add_up_to_the_snapshot(
    february: BulletinDocument, book: Any
) -> None:
    sheet = book["明细"]
    table = [row for row in sheet.iter_rows(values_only=True) if isinstance(row[0], int)]
    assert len(table) == 6
    amounts = {(row[5], row[6]): row[9:13] for row in table}
    assert amounts["喀什农商银行", "喀什农商银行"] == (5000, 2000, 3000, 300)
    assert amounts["邮储银行", "邮储银行岳普湖县支行"] == (100, 100, 0, 40000)
    assert amounts["疏勒县信用联社", "疏勒县信用联社"] == (4060, 4060, 0, 29999.9999)
    total = row_of(sheet, "全部合计", column=3)
    assert total[4] == "6笔"
    assert total[7:9] == [sum(row[10] for row in table), sum(row[11] for row in table)]
    assert total[7:9] == [14280, 3030]


def test_numbers_show_the_decimals_they_have_and_missing_is_a_dash(book: Any) -> None:
    sheet = book["明细"]
    by_value = {cell.value: cell for cell in cells(sheet)}
    assert by_value[29999.9999].number_format == "#,##0.0000"
    assert by_value[4060].number_format == "#,##0"
    kunlun = row_of(sheet, "昆仑银行", column=6)
    assert (kunlun[1], kunlun[7]) == ("—", "—")  # no voucher yet, nothing paid yet
    assert kunlun[4] == 0
    paid_on = row_of(sheet, "农业发展银行", column=6)[7]
    assert paid_on.date() == date(2022, 2, 28)


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_users_stays_text(office: Office, text: str) -> None:
    project = office.add_project(text, "500", borrower=text)
    office.add_deal(project, "昆仑银行", "500", "500", voucher_no=text)
    document = office.freeze()
    book = opened(document)
    assert [cell for sheet in book for cell in cells(sheet) if cell.data_type == "f"] == []
    assert [cell for sheet in book for cell in cells(sheet) if cell.hyperlink] == []
    found = [cell for cell in cells(book["明细"]) if cell.value == text]
    assert [cell.data_type for cell in found] == ["s", "s", "s"]
    assert "<f>" not in part_of(document, "xl/worksheets/sheet6.xml")


def test_three_native_charts_show_the_rows_of_their_tables(february: BulletinDocument) -> None:
    shown = {}
    for number in (1, 2, 3):
        root = ElementTree.fromstring(part_of(february, f"xl/charts/chart{number}.xml"))
        assert [way.get("val") for way in root.iter(f"{CHART}barDir")] == ["bar"]
        # The first name on top, as in the table beside it.
        (names_axis,) = root.iter(f"{CHART}catAx")
        assert [way.get("val") for way in names_axis.iter(f"{CHART}orientation")] == ["maxMin"]
        formula = root.findtext(f".//{CHART}val//{CHART}f", "")
        values = [float(v.text or "") for v in root.iterfind(f".//{CHART}val//{CHART}v")]
        names = [v.text for v in root.iterfind(f".//{CHART}cat//{CHART}v")]
        shown[formula.partition("!")[0]] = dict(zip(names, values, strict=True))
    assert shown["融资需求分档"]["3亿元及以上"] == 7
    assert list(shown["投放情况"].items())[3:] == [("喀什农商银行", 0.2), ("邮储银行", 0.01)]
    # The cell of 30万元 is text: the bar is nothing, its label says 30万元.
    assert shown["意向情况"] == {"喀什农商银行": 0.3, "昆仑银行": 0}
    assert "30万元" in part_of(february, "xl/charts/chart3.xml")


def test_every_sheet_prints_on_a4_with_its_name_and_number(book: Any) -> None:
    for sheet in book:
        assert sheet.page_setup.paperSize == 9
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) in ((None, 0), (1, 0))
        assert "2022年2月" in sheet.oddHeader.left.text
        assert "&P" in sheet.oddFooter.right.text
        assert sheet.print_area
        wide = sheet.title == "明细"
        assert sheet.page_setup.orientation == ("landscape" if wide else "portrait")


def test_heads_of_tables_stay_in_sight_and_on_every_page(book: Any) -> None:
    for name in SHEETS[1:]:
        sheet = book[name]
        head = int(re.findall(r"\d+", sheet.print_title_rows)[0])
        assert sheet.freeze_panes in (f"A{head + 1}", f"D{head + 1}")
        assert sheet.cell(head, 1).value in ("融资需求", "序号", "项目")
    detail = book["明细"]
    head = int(re.findall(r"\d+", detail.print_title_rows)[0])
    assert detail.auto_filter.ref == f"A{head}:N{head + 6}"


def test_the_longest_name_has_room_on_one_line(book: Any) -> None:
    sheet = book["无投放无意向"]
    cell = next(c for c in cells(sheet) if c.value == "乌鲁木齐商业银行喀什分行")
    # 12 characters of 11 points, 96 ÷ 72 pixels a point; a column unit is 7 pixels.
    assert sheet.column_dimensions[cell.column_letter].width * 7 > 12 * 11 * 96 / 72
    assert not cell.alignment.wrap_text


def test_definitions_give_the_rules_of_the_bulletin(february: BulletinDocument) -> None:
    words = row_of(opened(february)["口径说明"], "融资需求分档")[0]
    assert "3亿元及以上：30,000万元（含）以上" in words
    assert "300万元—1000万元：300万元（含）至1,000万元（不含）" in words
    assert "300万元以下：不足300万元（不含300万元）" in words
    stricter = replace(february, rules=february.rules | {"sporadic_below_wan": "25000"})
    assert "2.5亿元" in row_of(opened(stricter)["口径说明"], "主要集中与零星")[0]


def test_the_same_document_gives_the_same_bytes(february: BulletinDocument) -> None:
    again = find_document(month=FEBRUARY, by=User.objects.get(username="bureau"))
    assert render_xlsx(february) == render_xlsx(again)
    # The file is dated by its figures, or the bytes would differ from second to second.
    known_at = datetime.fromisoformat(february.snapshot["known_at"]).astimezone(UTC)
    assert opened(february).properties.created == known_at.replace(microsecond=0, tzinfo=None)


def test_the_file_says_of_which_month_and_snapshot_it_is(
    february: BulletinDocument, book: Any
) -> None:
    assert "2022年2月" in book.properties.title
    assert book.properties.subject == "2022-02"
    assert february.digest in book.properties.description
    assert {prop.name: prop.value for prop in book.custom_doc_props.props} == {
        "月份": "2022-02",
        "版本": 1,
        "快照指纹": february.digest,
    }
    state = next(text for text in texts(book["汇总"]) if "快照" in text)
    assert "数据截至2022年2月28日" in state
    assert "已冻结，第1版" in state
    assert february.digest[:8] in state


def test_a_draft_and_synthetic_data_are_marked_on_every_page(office: Office) -> None:
    office.add_project("示例", "500", is_synthetic=True)
    for sheet in opened(draft_document(month=FEBRUARY)):
        assert sheet.oddHeader.right.text.endswith("草稿　含合成演示数据")
    frozen = opened(office.freeze())
    assert all(sheet.oddHeader.right.text.endswith("含合成演示数据") for sheet in frozen)
    assert not any("草稿" in text for text in texts(frozen["汇总"]))


def test_real_and_frozen_figures_carry_no_warning(book: Any) -> None:
    assert not any("草稿" in (s.oddHeader.right.text or "") for s in book)
    assert not any("合成" in text for sheet in book for text in texts(sheet))


def test_a_month_without_anything_is_a_workbook_too(office: Office) -> None:
    document = office.freeze()
    book = opened(document)
    assert row_of(book["汇总"], "全部合计") == [0, 0, 0, "—"]
    assert row_of(book["投放情况"], "全部合计", column=2)[:3] == [0, 0, "—"]
    assert "截至2022年2月28日，没有已投放的项目。" in texts(book["投放情况"])
    assert book["明细"].auto_filter.ref is None
    with zipfile.ZipFile(io.BytesIO(render_xlsx(document))) as archive:
        # The bands are there even when they are empty; the two tables of institutions are not.
        assert [name for name in archive.namelist() if "/chart1" in name] != []
        assert [name for name in archive.namelist() if "/chart2" in name] == []


def test_a_very_long_paragraph_is_never_higher_than_a_row_can_be(
    february: BulletinDocument,
) -> None:
    sentence = "；".join(f"第{number}家银行投放1笔，金额0.01亿元" for number in range(300)) + "。"
    narrative = [{"kind": "text", "parts": [{"text": sentence}]}]
    long = replace(february, snapshot=february.snapshot | {"narrative": narrative})
    sheet = opened(long)["汇总"]
    assert sentence in "".join(text.strip("　") for text in texts(sheet))
    heights = [row.height for row in sheet.row_dimensions.values() if row.height]
    assert max(heights) < 409


@pytest.mark.parametrize(
    ("text", "width_em", "lines"),
    [
        ("喀什", 2, 1),
        ("喀什地", 2, 2),
        ("一二三四五六七八九十", 4, 3),
        ("甲\n乙", 10, 2),
        ("", 10, 1),
        ("一二三。", 3, 2),  # a full stop takes the last character along to the next line
        ("一二2022年", 4, 2),  # digits are not torn apart
    ],
)
def test_lines_are_counted_as_chinese_is_set(text: str, width_em: float, lines: int) -> None:
    assert line_count(text, width_em) == lines


def test_a_text_is_cut_after_stops_and_nothing_is_lost() -> None:
    text = "甲银行投放；乙银行投放；丙银行投放。" * 20 + "没有标点的尾巴" * 20
    parts = split_at_stops(text, 20, 3)
    assert "".join(parts) == text
    assert all(line_count(part, 20) <= 3 for part in parts)
    assert all(part[-1] in "；。" for part in parts if "没有" not in part)


def test_invisible_characters_take_no_room() -> None:
    assert ems("喀\u200b什") == 2
