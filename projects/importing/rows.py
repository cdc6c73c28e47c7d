"""One row of the ledger: every cell read, every error noted, nothing decided about neighbours."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from common.cells import (
    Cell,
    CellError,
    clean_text,
    name_key,
    to_choice,
    to_choices,
    to_date,
    to_months,
    to_text,
    to_wan,
)
from common.excel import Row
from common.imports import RowMessage
from projects.choices import Permit
from projects.importing.columns import (
    ALL_PERMITS,
    CATEGORY_WORDS,
    COLUMNS,
    GUARANTEE_WORDS,
    NATURE_WORDS,
    NO_PERMITS,
    OWNERSHIP_WORDS,
    PERMIT_WORDS,
    REQUIRED,
)
from projects.importing.registers import County, Registers

NAME_LENGTH = 200
TEXT_LENGTH = 4000
CODE_LENGTH = 18
# More digits than that Excel cannot hold in a number.
EXACT_DIGITS = 15

_CREDIT_CODE = re.compile(r"[0-9A-Z]{18}")
_GOVERNMENT = re.compile(r"(?:人民)?政府$")


@dataclass(frozen=True)
class LedgerRow:
    """What one row says; what it does not say is None, "" or ()."""

    number: int
    county: County
    recommender: str
    department_code: str | None
    name: str
    name_key: str
    borrower: str
    borrower_key: str
    sector_code: str
    demand_wan: Decimal
    purpose: str
    credit_code: str = ""
    ownership: str = ""
    categories: tuple[str, ...] = ()
    content: str = ""
    nature: str = ""
    total_investment_wan: Decimal | None = None
    secured_wan: Decimal | None = None
    term_months: int | None = None
    guarantees: tuple[str, ...] = ()
    planned_use_on: date | None = None
    wished_institutions: str = ""
    contact_person: str = ""
    contact_phone: str = ""
    permits: tuple[str, ...] = ()
    note: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes two rows the same project."""
        return self.name_key, self.borrower_key, self.county.code


@dataclass
class ReadRow:
    """A row as far as it could be read, with what is wrong in it."""

    row: Row
    values: dict[str, Any] = field(default_factory=dict)
    errors: list[RowMessage] = field(default_factory=list)
    warnings: list[RowMessage] = field(default_factory=list)

    def error(self, key: str, message: str) -> None:
        """Note what keeps the row from being taken."""
        self.errors.append(self.message(key, message))

    def warn(self, key: str, message: str) -> None:
        """Note what a person should look at."""
        self.warnings.append(self.message(key, message))

    def message(self, key: str, message: str) -> RowMessage:
        """A remark on a cell of this row."""
        return RowMessage(self.row.number, COLUMNS[key].heading, self.row.cell(key).text, message)


def read_row(row: Row, present: Mapping[str, str], registers: Registers) -> ReadRow:
    """Read every cell the file has; a column the file has not is nobody's error here."""
    read = ReadRow(row)
    if _has_only_amounts(row):
        read.error("name", "只有金额，没有项目：如是合计，请写明“合计”；如是项目，请补全这一行。")
        return read
    for key in COLUMNS:
        if key in present and key in _READERS:
            _read_cell(read, key, registers)
    _add_keys(read)
    _look_at_recommender(read, registers)
    return read


def as_ledger_row(read: ReadRow) -> LedgerRow:
    """Return the typed row; only for a row without errors."""
    return LedgerRow(number=read.row.number, **read.values)


def _has_only_amounts(row: Row) -> bool:
    filled = [key for key, cell in row.cells.items() if not cell.is_blank]
    return all(COLUMNS[key].is_amount for key in filled)


def _read_cell(read: ReadRow, key: str, registers: Registers) -> None:
    cell = read.row.cell(key)
    if cell.is_blank and key in REQUIRED:
        read.error(key, f"必填，请补上{COLUMNS[key].heading}。")
        return
    try:
        read.values[key] = _READERS[key](_Reading(read, key, cell, registers))
    except CellError as error:
        read.error(key, error.message)


@dataclass(frozen=True)
class _Reading:
    """A cell on its way to a value."""

    read: ReadRow
    key: str
    cell: Cell
    registers: Registers

    def warn(self, message: str) -> None:
        self.read.warn(self.key, message)


def _text(limit: int) -> Callable[[_Reading], str]:
    return lambda reading: to_text(reading.cell, limit=limit)


def _said_text(limit: int) -> Callable[[_Reading], str]:
    """Text in which 无 or a dash says nothing."""
    return lambda reading: "" if reading.cell.is_blank else to_text(reading.cell, limit=limit)


def _county(reading: _Reading) -> County:
    found = reading.registers.county(to_text(reading.cell, limit=NAME_LENGTH))
    if found is None:
        raise CellError("不是喀什地区的县市，请填县市全称或简称，如 疏勒县、塔县。")
    return found


def _sector(reading: _Reading) -> str:
    text = to_text(reading.cell, limit=NAME_LENGTH)
    if (code := reading.registers.sector(text)) is None:
        raise CellError(
            "国民经济行业分类里没有，请填 GB/T 4754-2017 的代码或名称，如 C1711 或 棉纺纱加工。"
        )
    if reading.cell.number is not None and (padded := reading.registers.sector(f"0{text}")):
        reading.warn(
            f"数字格式会丢掉开头的 0，现按 {code} 导入；如本是 {padded}，请写成带字母的代码。"
        )
    return code


def _demand(reading: _Reading) -> Decimal | None:
    amount = to_wan(reading.cell)
    if amount is not None and amount <= 0:
        raise CellError("融资需求应大于 0，请核对。")
    return amount


def _amount(reading: _Reading) -> Decimal | None:
    amount = to_wan(reading.cell)
    if amount is not None and amount < 0:
        raise CellError("金额不能是负数，请核对。")
    return amount


def _credit_code(reading: _Reading) -> str:
    cell = reading.cell.checked()
    if cell.is_blank:
        return ""
    if cell.number is not None and len(cell.text) > EXACT_DIGITS:
        reading.warn("单元格是数字格式，末几位已丢失，没有保存；请设成文本格式后重填。")
        return ""
    code = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", cell.text)).upper()
    if _CREDIT_CODE.fullmatch(code):
        return code
    kept = "" if len(code) > CODE_LENGTH else code
    reading.warn(
        f"应是 {CODE_LENGTH} 位数字和字母，现为 {len(code)} 位，"
        + ("已照原样保存，请核对。" if kept else "没有保存，请核对后重填。")
    )
    return kept


def _permits(reading: _Reading) -> tuple[str, ...]:
    text = clean_text(reading.cell.checked().text)
    if text in ALL_PERMITS:
        return tuple(Permit.values)
    if text in NO_PERMITS:
        return ()
    return tuple(to_choices(reading.cell, PERMIT_WORDS))


_READERS: dict[str, Callable[[_Reading], Any]] = {
    "county": _county,
    "recommender": _text(100),
    "name": _text(NAME_LENGTH),
    "borrower": _text(NAME_LENGTH),
    "credit_code": _credit_code,
    "ownership": lambda reading: to_choice(reading.cell, OWNERSHIP_WORDS),
    "sector_code": _sector,
    "categories": lambda reading: tuple(to_choices(reading.cell, CATEGORY_WORDS)),
    "content": _said_text(TEXT_LENGTH),
    "nature": lambda reading: to_choice(reading.cell, NATURE_WORDS),
    "total_investment_wan": _amount,
    "secured_wan": _amount,
    "demand_wan": _demand,
    "purpose": _text(NAME_LENGTH),
    "term_months": lambda reading: to_months(reading.cell),
    "guarantees": lambda reading: tuple(to_choices(reading.cell, GUARANTEE_WORDS)),
    "planned_use_on": lambda reading: to_date(reading.cell),
    "wished_institutions": _said_text(NAME_LENGTH),
    "contact_person": _said_text(60),
    "contact_phone": _said_text(60),
    "permits": _permits,
    "note": _said_text(TEXT_LENGTH),
}


def _add_keys(read: ReadRow) -> None:
    for key in ("name", "borrower"):
        if key not in read.values:
            continue
        read.values[f"{key}_key"] = name_key(read.values[key])
        if len(read.values[f"{key}_key"]) > NAME_LENGTH:
            read.error(key, f"最多 {NAME_LENGTH} 个字，请缩短。")


def _look_at_recommender(read: ReadRow, registers: Registers) -> None:
    """A government is the county's own; a department is looked up; anything else stays as it is."""
    if not (text := read.values.get("recommender")):
        return
    read.values["department_code"] = None
    place = registers.county(text) or registers.county(_GOVERNMENT.sub("", text))
    county = read.values.get("county")
    if place:
        if county and place != county:
            read.warn("recommender", f"与县市“{county.name}”不一致，请核对；已照原样保存。")
        return
    read.values["department_code"] = registers.department(text)
    if read.values["department_code"] is None:
        read.warn("recommender", "不在部门名录里，已照原样保存；如是地区部门，请写名录里的名称。")
