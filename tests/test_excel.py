"""Cells as people write them, tables in untidy sheets, and files that must not be opened."""

import io
import time
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from xlsxwriter import Workbook

from common.cells import (
    Cell,
    CellError,
    Words,
    to_choice,
    to_choices,
    to_date,
    to_flag,
    to_months,
    to_percent,
    to_text,
    to_wan,
)
from common.errors import InvalidInput
from common.excel import (
    WRITER_OPTIONS,
    Column,
    Table,
    find_table,
    open_workbook,
    safe_text,
    write_text,
)
from common.excel.writing import csv_text
from tests.ledgers import repacked, workbook

COLUMNS = {
    "serial": Column("序号", is_serial=True),
    "county": Column("县市", ("县（市）",)),
    "name": Column("项目名称", ("项目",), is_name=True),
    "owner": Column("项目单位", ("业主",)),
    "demand": Column("融资需求（万元）", ("融资需求金额", "贷款需求"), is_amount=True),
    "total": Column("总投资（万元）", is_amount=True),
    "term": Column("期限（月）", is_term=True),
    "note": Column("备注"),
}
REQUIRED = ("county", "name", "demand")
HEADS = ["序号", "县市", "项目名称", "项目单位", "融资需求（万元）", "期限（月）", "备注"]
FIRST = [1, "疏勒县", "甲项目", "甲公司", 100, 12, None]
SECOND = [2, "塔县", "乙项目", "乙公司", 200, 24, None]


def read(
    *rows: Any, touch: Callable[[Worksheet], None] | None = None, **sheets: list[list[Any]]
) -> Table:
    content = workbook({"表": rows, **sheets}, touch=touch)
    return find_table(content, COLUMNS, required=REQUIRED)


def names(table: Table) -> list[str]:
    return [row.cell("name").text for row in table.rows]


def merging(*ranges: str) -> Callable[[Worksheet], None]:
    def touch(sheet: Worksheet) -> None:
        for each in ranges:
            sheet.merge_cells(each)

    return touch


class TestAmounts:
    @pytest.mark.parametrize(
        ("value", "unit", "expected"),
        [
            (1200, None, "1200"),
            (1200, "万元", "1200"),
            (1.2, "亿元", "12000"),
            (12_000_000, "元", "1200"),
            ("1200", "亿元", "12000000"),
            ("1.2亿元", "万元", "12000"),  # the cell beats the header
            ("1200万元", "亿元", "1200"),
            ("1200万", "亿元", "1200"),
            ("１，２００．５", "万元", "1200.5"),
            ("1,234,567", "万元", "1234567"),
            ("约1200", "万元", "1200"),
            ("约１２００万元左右", "亿元", "1200"),
            ("￥1,200", "万元", "1200"),
            ("1亿2000万元", "万元", "12000"),
            ("5千万", "万元", "5000"),
            ("1200（万元）", "亿元", "1200"),
            (" 1 200 ", "万元", "1200"),
            ("12345678元", "万元", "1234.5678"),
            (0.1 + 0.2, "万元", "0.3"),  # Excel shows 15 digits
            (10_000 / 3, "万元", "3333.3333"),  # exact to one yuan
            ("-500", "万元", "-500"),
            ("（500）", "万元", "-500"),
            ("0", "万元", "0"),
        ],
    )
    def test_reads(self, value: object, unit: str | None, expected: str) -> None:
        assert to_wan(Cell(value, unit)) == Decimal(expected)

    @pytest.mark.parametrize("value", [None, "", "  ", "—", "-", "/", "无", "待定", "\u200b"])
    def test_blank_is_not_zero(self, value: object) -> None:
        assert to_wan(Cell(value)) is None

    @pytest.mark.parametrize(
        ("value", "says"),
        [
            ("abc", "读不出金额"),
            ("500-800", "范围"),
            ("500至800万元", "范围"),
            ("12,00", "读不出金额"),
            ("1,2000", "读不出金额"),
            ("三千万", "读不出金额"),
            ("1200美元", "读不出金额"),
            ("2000万1亿", "读不出金额"),
            ("30%", "百分数"),
            (1e17, "太大"),
            ("9" * 40, "太大"),
            ("1" * 200, "太长"),
            ("1" + "-" * 100_000, "太长"),
            (datetime(2022, 5, 1), "日期"),
        ],
    )
    def test_refuses_with_a_way_to_mend_it(self, value: object, says: str) -> None:
        with pytest.raises(CellError, match=says):
            to_wan(Cell(value, "万元"))

    def test_refuses_a_number_shown_in_percent(self) -> None:
        with pytest.raises(CellError, match="百分数"):
            to_wan(Cell(0.3, "万元", is_percent=True))

    def test_refuses_what_is_wrong_with_the_cell_itself(self) -> None:
        with pytest.raises(CellError, match="公式"):
            to_wan(Cell(None, fault="公式出错"))

    @pytest.mark.parametrize(
        ("cell", "expected"),
        [
            (Cell(3.72), "3.72"),
            (Cell("3.72%"), "3.72"),
            (Cell(0.0372, is_percent=True), "3.72"),
            (Cell("３．７２％"), "3.72"),
        ],
    )
    def test_percent(self, cell: Cell, expected: str) -> None:
        assert to_percent(cell) == Decimal(expected)


class TestDatesAndTerms:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("2022年6月", "2022-06-01"),
            ("2022年06月份", "2022-06-01"),
            ("2022年六月", "2022-06-01"),
            ("2022年十二月", "2022-12-01"),
            ("2022.6", "2022-06-01"),
            ("2022.1", "2022-01-01"),  # text: January
            ("2022.10", "2022-10-01"),
            ("2022/6/1", "2022-06-01"),
            ("2022-06-15", "2022-06-15"),
            ("2022.6.15", "2022-06-15"),
            ("２０２２年６月１５日", "2022-06-15"),
            ("2022-06-15 00:00:00", "2022-06-15"),
            ("20220615", "2022-06-15"),
            (202206, "2022-06-01"),
            (2022.6, "2022-06-01"),
            (44727, "2022-06-15"),
            ("44727", "2022-06-15"),
            (datetime(2022, 6, 15, 8), "2022-06-15"),
            (date(2022, 6, 15), "2022-06-15"),
            ("2022年第三季度", "2022-07-01"),
            ("2022年下半年", "2022-07-01"),
            ("2022年底", "2022-12-01"),
            ("2022年6月底", "2022-06-01"),
        ],
    )
    def test_reads_a_day(self, value: object, expected: str) -> None:
        assert to_date(Cell(value)) == date.fromisoformat(expected)

    @pytest.mark.parametrize(
        ("value", "says"),
        [
            (2022.1, "1 月还是 10 月"),  # typed as 2022.10 Excel keeps 2022.1
            ("2022年", "读不出日期"),
            ("明年", "读不出日期"),
            ("22.6", "读不出日期"),
            ("2022-02-30", "没有“2022-02-30”这一天"),
            ("2022-13-01", "没有"),
            ("1900-01-01", "年份"),
            (12, "读不出日期"),
        ],
    )
    def test_refuses_what_is_no_day(self, value: object, says: str) -> None:
        with pytest.raises(CellError, match=says):
            to_date(Cell(value))

    @pytest.mark.parametrize(
        ("value", "unit", "months"),
        [
            (60, None, 60),
            ("60", "月", 60),
            ("60个月", "年", 60),
            (5, "年", 60),
            ("5年", "月", 60),
            ("三年", None, 36),
            ("1年6个月", None, 18),
            ("1年半", None, 18),
            (1.5, "年", 18),
            (None, None, None),
        ],
    )
    def test_reads_a_term(self, value: object, unit: str | None, months: int | None) -> None:
        assert to_months(Cell(value, unit)) == months

    @pytest.mark.parametrize("value", ["3-5年", "长期", 0, -12, 1.5, 601, "60天"])
    def test_refuses_what_is_no_term(self, value: object) -> None:
        with pytest.raises(CellError, match="期限"):
            to_months(Cell(value))


class TestWords:
    WORDS = Words.of({"a": ("抵押", "抵押担保"), "b": ("质押",), "c": ("保证", "担保")})

    @pytest.mark.parametrize(
        "text", ["抵押、质押", "质押,抵押", "抵押；质押", "质押 抵押", "抵押+质押", "抵押\n质押、"]
    )
    def test_several_words_in_one_cell(self, text: str) -> None:
        assert to_choices(Cell(text), self.WORDS) == ["a", "b"]

    def test_one_thing_said_twice_counts_once(self) -> None:
        assert to_choices(Cell("抵押、抵押担保"), self.WORDS) == ["a"]

    def test_an_unknown_word_is_refused_with_the_choices(self) -> None:
        with pytest.raises(CellError, match="“人情”.*抵押 / 质押 / 保证"):
            to_choices(Cell("抵押、人情"), self.WORDS)
        with pytest.raises(CellError, match="“人情”.*抵押 / 质押 / 保证"):
            to_choice(Cell("人情"), self.WORDS)

    def test_yes_and_no(self) -> None:
        assert [to_flag(Cell(text)) for text in ("是", "√", 1, True)] == [True] * 4
        assert [to_flag(Cell(text)) for text in ("否", "", None, 0)] == [False] * 4
        with pytest.raises(CellError, match="请填“是”"):
            to_flag(Cell("大概"))

    def test_text_is_cleaned_and_measured(self) -> None:
        assert to_text(Cell("  甲\u3000乙\n丙\u200b_x000D_ "), limit=5) == "甲 乙 丙"
        with pytest.raises(CellError, match="有 6 个字，最多 5 个字"):
            to_text(Cell("一二三四五六"), limit=5)

    def test_long_numbers_keep_their_digits(self) -> None:
        assert Cell(916599001234567).text == "916599001234567"
        assert Cell(9.16599e14).text == "916599000000000"
        assert Cell(1711.0).text == "1711"


class TestFindingTheTable:
    def test_columns_by_name_wherever_they_stand(self) -> None:
        table = read(
            [None, "备注", "融资需求（万元）", None, "项目名称", "县市"],
            [None, "x", 5, None, "甲", "塔县"],
        )
        assert [{key: cell.text for key, cell in row.cells.items()} for row in table.rows] == [
            {"note": "x", "demand": "5", "name": "甲", "county": "塔县"}
        ]
        assert table.rows[0].number == 2

    def test_title_blank_rows_and_a_unit_line_above(self) -> None:
        heads = ["序号", "县市", "项目名称", "项目单位", "融资需求", "期限（年）"]
        table = read(
            ["2022年项目台账"],
            [],
            ["填报单位：疏勒县财政局", None, None, "单位：亿元"],
            heads,
            [1, "疏勒县", "甲", "甲公司", 1.5, 5],
            [],
            [2, "疏勒县", "乙", "乙公司", "300万元", 3],
            touch=merging("A1:F1"),
        )
        amounts = [to_wan(row.cell("demand")) for row in table.rows]
        assert amounts == [Decimal(15000), Decimal(300)]
        assert [to_months(row.cell("term")) for row in table.rows] == [60, 36]
        assert [row.number for row in table.rows] == [5, 7]
        assert "填报单位：疏勒县财政局" in table.preamble

    @pytest.mark.parametrize(
        ("heading", "unit"),
        [
            ("融资需求（万元）", "万元"),
            ("融资需求\n（亿元）", "亿元"),
            ("融资需求(单位：亿元)", "亿元"),
            ("融资需求：元", "元"),
            ("融资需求亿元", "亿元"),
            ("*融资需求（亿元，人民币）", "亿元"),
            ("贷款需求（人民币万元）", "万元"),
            ("融资需求", None),
        ],
    )
    def test_unit_of_the_heading(self, heading: str, unit: str | None) -> None:
        table = read(["县市", "项目名称", heading], ["塔县", "甲", 1])
        assert table.units["demand"] == unit

    def test_heading_beats_the_line_and_the_nearer_line_beats_the_farther(self) -> None:
        heads = ["县市", "项目名称", "融资需求（万元）", "总投资"]
        table = read(["单位：元"], ["单位：亿元"], heads, ["塔县", "甲", 1, 1])
        assert table.units == {"demand": "万元", "total": "亿元"}

    def test_two_units_in_a_heading_are_refused(self) -> None:
        with pytest.raises(InvalidInput, match="几个单位"):
            read(["县市", "项目名称", "融资需求（万元/亿元）"], ["塔县", "甲", 1])

    def test_two_header_rows_with_a_group_over_the_amount(self) -> None:
        table = read(
            ["序号", "县市", "项目名称", "融资需求", None, "备注"],
            [None, None, None, "金额（亿元）", "期限（月）", None],
            [1, "塔县", "甲", 2, 60, None],
            touch=merging("A1:A2", "B1:B2", "C1:C2", "D1:E1", "F1:F2"),
        )
        assert to_wan(table.rows[0].cell("demand")) == 20000
        assert names(table) == ["甲"]
        assert table.rows[0].number == 3

    def test_a_group_gives_its_unit_to_what_stands_below(self) -> None:
        table = read(
            ["基本情况", None, None, "金额（亿元）", None, None],
            ["序号", "县市", "项目名称", "总投资", "融资需求", "备注"],
            [1, "塔县", "甲", 3, 2, None],
            touch=merging("A1:C1", "D1:E1"),
        )
        assert table.units == {"total": "亿元", "demand": "亿元"}

    def test_totals_notes_and_repeated_heads_are_no_rows(self) -> None:
        table = read(
            HEADS,
            [1, 2, 3, 4, 5, 6, 7],
            FIRST,
            [None, "疏勒县小计", "1个", None, 100],
            HEADS,
            SECOND,
            ["合 计", None, None, None, 300],
            [None, None, "总计（2个）", None, 300],
            ["备注：以上为不完全统计"],
            [None, None, "注：名称以批复为准"],
            ["填表人：张三", None, "联系电话：0998-0000000", None, "填表日期：2022年3月1日"],
            [3],
            [4],
        )
        assert names(table) == ["甲项目", "乙项目"]

    def test_incomplete_rows_are_rows(self) -> None:
        table = read(
            HEADS,
            [1, None, "甲项目"],
            [2, "疏勒县", None, "乙公司", 200],
            [None, None, None, None, 300],
            [None, "备注县", "合计算力中心项目", "丁公司", 5],
        )
        assert [row.number for row in table.rows] == [2, 3, 4, 5]

    def test_section_titles_are_no_rows(self) -> None:
        table = read(
            HEADS, ["一、工业"], FIRST, [None, None, "二、农业"], SECOND, ["（三）其他"],
            touch=merging("A2:G2"),
        )  # fmt: skip
        assert names(table) == ["甲项目", "乙项目"]

    def test_a_merged_county_holds_for_all_its_rows(self) -> None:
        rows = [FIRST, [2, None, "乙项目", "乙公司", 200], [3, "塔县", "丙项目", "丙公司", 300]]
        table = read(HEADS, *rows, touch=merging("B2:B3"))
        assert [row.cell("county").text for row in table.rows] == ["疏勒县", "疏勒县", "塔县"]

    def test_a_merged_amount_is_not_given_to_each_row(self) -> None:
        table = read(HEADS, FIRST, [2, "塔县", "乙项目", "乙公司"], touch=merging("E2:E3"))
        assert to_wan(table.rows[0].cell("demand")) == 100
        with pytest.raises(CellError, match=r"E2:E3 合并成了一格.*取消合并"):
            to_wan(table.rows[1].cell("demand"))

    def test_a_project_over_two_merged_rows_is_one_row(self) -> None:
        ranges = [f"{letter}2:{letter}3" for letter in "ABCDEFG"]
        assert names(read(HEADS, FIRST, [], SECOND, touch=merging(*ranges))) == ["甲项目", "乙项目"]

    def test_a_formula_without_result_and_error_values(self) -> None:
        rows = [[1, "塔县", "甲", "甲公司", "=1+1"], [2, "塔县", "乙", "乙公司", "#REF!"]]
        table = read(HEADS, *rows)
        with pytest.raises(CellError, match="没有存它的计算结果"):
            to_wan(table.rows[0].cell("demand"))
        with pytest.raises(CellError, match=r"公式出错（#REF!）"):
            to_wan(table.rows[1].cell("demand"))

    def test_a_formula_counts_by_its_stored_result(self) -> None:
        content = repacked(
            workbook({"表": [HEADS, [1, "塔县", "甲", "甲公司", "=1+1"]]}),
            {"xl/worksheets/sheet1.xml": lambda xml: xml.replace(
                b"<f>1+1</f><v></v>", b"<f>1+1</f><v>2</v>").replace(
                b"<f>1+1</f><v />", b"<f>1+1</f><v>2</v>")},
        )  # fmt: skip
        table = find_table(content, COLUMNS, required=REQUIRED)
        assert to_wan(table.rows[0].cell("demand")) == 2

    def test_dates_by_their_format(self) -> None:
        def touch(sheet: Worksheet) -> None:
            sheet["G2"].number_format = "yyyy-mm-dd"
            sheet["E2"].number_format = "0.00%"

        table = read(HEADS, [1, "塔县", "甲", "甲公司", 0.5, 12, 44727], touch=touch)
        assert table.rows[0].cell("note").value == datetime(2022, 6, 15)
        assert table.rows[0].cell("demand").is_percent

    def test_the_sheet_is_found_among_others(self) -> None:
        table = read(
            ["填表说明"], ["请填县市、项目名称"],
            台账=[HEADS, FIRST],
            汇总=[["县市", "项目数"], ["疏勒县", 1]],
        )  # fmt: skip
        assert (table.sheet, names(table)) == ("台账", ["甲项目"])

    def test_hidden_sheets_are_never_read(self) -> None:
        content = workbook({"旧": [HEADS, FIRST], "新": [HEADS, SECOND]}, hidden=["旧"])
        assert names(find_table(content, COLUMNS, required=REQUIRED)) == ["乙项目"]
        content = workbook({"说明": [["x"]], "旧": [HEADS, FIRST]}, hidden=["旧"])
        with pytest.raises(InvalidInput, match="没有找到表头.*县市、项目名称、融资需求"):
            find_table(content, COLUMNS, required=REQUIRED)

    def test_two_equal_sheets_are_refused_by_name(self) -> None:
        with pytest.raises(InvalidInput, match="“表”、“二月”"):
            read(HEADS, FIRST, 二月=[HEADS, SECOND])

    def test_an_empty_copy_of_the_table_is_not_in_the_way(self) -> None:
        table = read(HEADS, FIRST, 模板=[HEADS])
        assert (names(table), table.other_sheets) == (["甲项目"], [])

    def test_missing_and_unknown_columns_are_named(self) -> None:
        table = read(["项目名称", "融资需求（万元）", "领导批示"], ["甲", 1, "x"])
        assert (table.missing, table.unknown_headings) == (["county"], ["领导批示"])

    def test_two_columns_for_one_amount_are_refused(self) -> None:
        with pytest.raises(InvalidInput, match="C 列和 D 列都是“融资需求（万元）”"):
            read(["县市", "项目名称", "融资需求（万元）", "融资需求（亿元）"], ["塔县", "甲", 1, 2])

    def test_a_printed_heading_beats_another_name_for_it(self) -> None:
        table = read(
            ["县市", "项目名称", "贷款需求（万元）", "融资需求（万元）"], ["塔县", "甲", 1, 2]
        )
        assert to_wan(table.rows[0].cell("demand")) == 2


BASE = workbook({"表": [HEADS, FIRST]})


def with_shared_texts() -> bytes:
    content = io.BytesIO()
    with Workbook(content) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate([HEADS, FIRST, SECOND]):
            sheet.write_row(number, 0, row)
    return content.getvalue()


SHARED = with_shared_texts()
SHEET = "xl/worksheets/sheet1.xml"
DOCTYPE = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'


def zipped(entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, part in entries.items():
            archive.writestr(name, part)
    return content.getvalue()


def with_doctype(xml: bytes) -> bytes:
    head, found, rest = xml.partition(b"?>")
    return head + found + DOCTYPE + rest if found else DOCTYPE + xml


def far_cell(sheet: Worksheet) -> None:
    sheet["XFD1048576"] = 1


def many_merges(sheet_xml: bytes) -> bytes:
    merges = b"<mergeCells>" + b'<mergeCell ref="A1:GR50000"/>' * 2000 + b"</mergeCells>"
    return sheet_xml.replace(b"</sheetData>", b"</sheetData>" + merges)


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "空的"),
    "plain text": (lambda: "县市,项目名称".encode(), r"不是 \.xlsx"),
    "web page": (lambda: b"<html><table></table></html>", r"不是 \.xlsx"),
    "old workbook": (lambda: bytes.fromhex("D0CF11E0A1B11AE1") + bytes(512), r"旧版 \.xls"),
    "password": (
        lambda: bytes.fromhex("D0CF11E0A1B11AE1") + "EncryptedPackage".encode("utf-16-le"),
        "取消密码",
    ),
    "some zip": (lambda: zipped({"a.txt": b"x"}), r"不是 \.xlsx"),
    "word file": (
        lambda: zipped({"[Content_Types].xml": b"<a/>", "_rels/.rels": b"<a/>"}),
        "损坏",
    ),
    "macros": (lambda: repacked(BASE, add={"xl/vbaProject.bin": b"x"}), "宏"),
    "binary workbook": (lambda: repacked(BASE, add={"xl/workbook.bin": b"x"}), r"\.xlsb"),
    "encrypted parts": (lambda: encrypted(BASE), "取消密码"),
    "no parts": (lambda: repacked(BASE, {"_rels/.rels": lambda xml: b"<a/>"}), "损坏"),
    "too large": (lambda: b"PK\x03\x04" + bytes(21 * 1024 * 1024), "超过 20 MB"),
    "too many parts": (
        lambda: repacked(BASE, add={f"x{number}": b"" for number in range(250)}),
        "太多",
    ),
    "same part twice": (lambda: twice(BASE), "损坏"),
    "bomb by ratio": (lambda: repacked(BASE, add={"x.bin": bytes(30 * 1024 * 1024)}), "解压后过大"),
    "bomb by size": (
        lambda: repacked(BASE, add={f"{n}.bin": bytes(4 << 20) for n in range(30)}),
        "解压后过大",
    ),
    "lying size": (lambda: lying(BASE), "损坏"),
    "cut off": (lambda: BASE[:-40], "损坏"),
    "half": (lambda: BASE[: len(BASE) // 2], "损坏"),
    "broken XML": (lambda: repacked(BASE, {SHEET: lambda xml: xml[:-20]}), "损坏"),
    "no text of that number": (
        lambda: repacked(SHARED, {SHEET: lambda xml: xml.replace(b"<v>0</v>", b"<v>987654</v>")}),
        "损坏",
    ),
    "no such place": (
        lambda: repacked(BASE, {SHEET: lambda xml: xml.replace(b'r="B2"', b'r="2B"')}),
        "损坏",
    ),
    "not a number": (
        lambda: repacked(BASE, {SHEET: lambda xml: xml.replace(b"<v>100</v>", b"<v>nan</v>")}),
        "损坏",
    ),
    "far cell": (lambda: workbook({"表": [HEADS]}, touch=far_cell), "XFD1048576"),
    "too many rows": (lambda: long_sheet(), "最多 50000 行"),
    "too many columns": (lambda: workbook({"表": [list(range(201))]}), "200 列"),
    "too many merged cells": (
        lambda: repacked(long_enough(), {SHEET: many_merges}),
        "合并单元格太多",
    ),
    **{
        f"DOCTYPE in {part}": (
            partial(repacked, SHARED, {part: with_doctype}),
            "DOCTYPE",
        )
        for part in (
            SHEET,
            "xl/sharedStrings.xml",
            "xl/workbook.xml",
            "xl/styles.xml",
            "xl/_rels/workbook.xml.rels",
            "_rels/.rels",
            "docProps/core.xml",
            "[Content_Types].xml",
        )
    },
    "DOCTYPE in UTF-16": (
        lambda: repacked(BASE, add={"x.xml": "<!DOCTYPE x><x/>".encode("utf-16")}),
        "DOCTYPE",
    ),
}


def twice(content: bytes) -> bytes:
    buffer = io.BytesIO(content)
    with zipfile.ZipFile(buffer, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(SHEET, b"<worksheet/>")
    return buffer.getvalue()


def encrypted(content: bytes) -> bytes:
    """The first entry of the table of contents has the flag of a password."""
    entry = content.index(b"PK\x01\x02") + 8
    return content[:entry] + b"\x01" + content[entry + 1 :]


def lying(content: bytes) -> bytes:
    """The table of contents promises less than the sheet holds."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        size = archive.getinfo(SHEET).file_size
    return content.replace(size.to_bytes(4, "little"), (size - 10).to_bytes(4, "little"))


def long_sheet() -> bytes:
    rows = b"".join(b'<row r="%d"><c><v>1</v></c></row>' % number for number in range(1, 50_002))
    return repacked(BASE, {SHEET: lambda xml: sheet_of(rows)})


def long_enough() -> bytes:
    rows = b'<row r="50000"><c r="GR50000"><v>1</v></c></row>'
    return repacked(BASE, {SHEET: lambda xml: sheet_of(rows)})


def sheet_of(rows: bytes) -> bytes:
    space = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return b'<worksheet xmlns="%s"><sheetData>%s</sheetData></worksheet>' % (space, rows)


class TestHostileFiles:
    @pytest.mark.parametrize("name", HOSTILE)
    def test_is_refused_in_a_sentence_at_once(self, name: str) -> None:
        make, says = HOSTILE[name]
        content = make()
        start = time.monotonic()
        with pytest.raises(InvalidInput, match=says) as refusal:
            open_workbook(content)
        assert time.monotonic() - start < 2
        assert refusal.value.message.endswith("。")

    def test_a_file_on_disk_is_refused_by_its_size_unread(self, tmp_path: Path) -> None:
        path = tmp_path / "large.xlsx"
        with path.open("wb") as file:
            file.truncate(5 * 1024**3)
        with pytest.raises(InvalidInput, match="超过 20 MB"):
            open_workbook(path)

    def test_well_packed_small_sheets_and_styled_empty_cells_are_fine(self) -> None:
        rows: list[list[Any]] = [
            HEADS,
            *([number, "塔县", "甲", "甲公司", 1, 1] for number in range(3000)),
        ]

        def touch(sheet: Worksheet) -> None:
            for row in range(1, 100):
                sheet.cell(row, 300).number_format = "0.00"
            sheet["A60000"] = " "

        (grid,) = open_workbook(workbook({"表": rows}, touch=touch))
        assert len(grid.numbers) == 3001

    def test_the_limits_themselves_are_allowed(self) -> None:
        rows = b'<row r="50000"><c r="GR50000"><v>1</v></c></row>'
        (grid,) = open_workbook(repacked(BASE, {SHEET: lambda xml: sheet_of(rows)}))
        assert grid.numbers == [50_000]


class TestFormatsOfOthers:
    """Files of other programs: texts in a table or in the cells, no places, prefixes."""

    def test_texts_in_a_table_of_their_own(self) -> None:
        assert names(find_table(SHARED, COLUMNS, required=REQUIRED)) == ["甲项目", "乙项目"]

    def test_cells_without_places_and_with_inline_rich_text(self) -> None:
        rows = (
            b"<row>"
            b'<c t="inlineStr"><is><r><t>\xe7\x94\xb2</t></r><r><t>\xe4\xb9\x99</t></r>'
            b"<rPh><t>x</t></rPh></is></c>"
            b'<c t="str"><f>A1</f><v>\xe4\xb8\x99</v></c><c t="b"><v>1</v></c>'
            b'<c t="d"><v>2022-06-15T00:00:00</v></c></row>'
        )
        (grid,) = open_workbook(repacked(BASE, {SHEET: lambda xml: sheet_of(rows)}))
        assert list(grid.values[1].values()) == ["甲乙", "丙", True, datetime(2022, 6, 15)]

    def test_prefixed_names(self) -> None:
        def prefixed(xml: bytes) -> bytes:
            space = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
            return (
                b'<x:worksheet xmlns:x="%s"><x:sheetData><x:row r="3"><x:c r="B3">'
                b"<x:v>7</x:v></x:c></x:row></x:sheetData></x:worksheet>" % space
            )

        (grid,) = open_workbook(repacked(BASE, {SHEET: prefixed}))
        assert grid.values == {3: {2: 7}}

    def test_dates_that_count_from_1904(self) -> None:
        def touch(sheet: Worksheet) -> None:
            sheet["A1"].number_format = "yyyy/m/d"

        content = repacked(
            workbook({"表": [[43265]]}, touch=touch),
            {
                "xl/workbook.xml": lambda xml: xml.replace(
                    b"<workbookPr ", b'<workbookPr date1904="1" '
                )
            },
        )
        (grid,) = open_workbook(content)
        assert grid.values[1][1] == datetime(2022, 6, 15)

    def test_a_date_format_on_what_is_no_date_leaves_the_number(self) -> None:
        def touch(sheet: Worksheet) -> None:
            sheet["A1"].number_format = "yyyy/m/d"

        (grid,) = open_workbook(workbook({"表": [[1e12]]}, touch=touch))
        assert grid.values[1][1] == 1e12

    def test_chinese_date_formats_known_by_number_only(self) -> None:
        def numbered(styles: bytes) -> bytes:
            return styles.replace(b'<xf numFmtId="10"', b'<xf numFmtId="57"')

        def touch(sheet: Worksheet) -> None:
            sheet["A1"].number_format = "0.00%"  # number 10, replaced by 57: 2022年6月

        content = workbook({"表": [[44727]]}, touch=touch)
        (grid,) = open_workbook(repacked(content, {"xl/styles.xml": numbered}))
        assert grid.values[1][1] == datetime(2022, 6, 15)


class TestWriting:
    STARTS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0", "{=1}")

    @pytest.mark.parametrize("text", STARTS)
    def test_text_never_becomes_a_formula(self, text: str) -> None:
        content = io.BytesIO()
        with Workbook(content, WRITER_OPTIONS) as book:
            book.add_worksheet().write(0, 0, safe_text(text))
        assert load_workbook(content).worksheets[0]["A1"].data_type == "s"
        filled = load_workbook(io.BytesIO(BASE))
        write_text(filled.worksheets[0]["A1"], text)
        content = io.BytesIO()
        filled.save(content)
        assert load_workbook(content).worksheets[0]["A1"].data_type in ("s", "inlineStr")

    def test_text_stays_what_it_is_but_for_what_a_file_cannot_hold(self) -> None:
        assert safe_text("甲\n乙 =1") == "甲\n乙 =1"
        assert safe_text("甲\x00\x08\x1f\ufffe") == "甲"
        assert safe_text("\ud800") == ""
        assert len(safe_text("字" * 40_000)) == 32_767
        assert safe_text(None) == ""

    def test_csv_fields_are_quoted_where_a_spreadsheet_would_calculate(self) -> None:
        assert [csv_text(text) for text in ("=1", "@a", "甲", "1")] == ["'=1", "'@a", "甲", "1"]
