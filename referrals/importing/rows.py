"""The rows of a progress return: every cell read, and what is wrong within one row."""

import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from common.cells import (
    Cell,
    CellError,
    to_choice,
    to_date,
    to_flag,
    to_months,
    to_percent,
    to_text,
    to_wan,
)
from common.excel import Row, Table
from common.imports import RowMessage
from common.money import WAN_STEP, ZERO, plain, round_half_up
from common.months import month_end, month_label
from referrals.importing.columns import COLUMNS, REASON_WORDS, STAGE_WORDS
from referrals.lifecycle import AGREED, EARLY, Stage

HIGHEST_RATE = Decimal(100)
UNLIKELY_RATE = Decimal(24)
# A rate below it was probably typed as a fraction: 0.0372 for 3.72 %.
FRACTION_RATE = Decimal("0.5")


@dataclass
class Remarks:
    """Errors and warnings, each at its cell; `headings` are those of the file."""

    headings: Mapping[str, str] = field(default_factory=dict)
    errors: list[RowMessage] = field(default_factory=list)
    warnings: list[RowMessage] = field(default_factory=list)
    _places: set[tuple[int, str] | None] = field(default_factory=set)

    def error(self, row: Row | None, key: str, message: str) -> None:
        """Refuse the file because of a cell; what is said of the same cell first is enough."""
        place = (row.number, key) if row else None
        if place not in self._places:
            self.errors.append(self._message(row, key, message))
        if place:
            self._places.add(place)

    def warn(self, row: Row | None, key: str, message: str) -> None:
        """Point out a cell that does not refuse the file."""
        self.warnings.append(self._message(row, key, message))

    def _message(self, row: Row | None, key: str, message: str) -> RowMessage:
        name = self.headings.get(key) or (COLUMNS[key].heading if key in COLUMNS else key)
        value = row.cell(key).text if row else ""
        return RowMessage(row.number if row else None, name, value, message)


@dataclass
class ProgressRow:
    """What one row says; None and "" where it says nothing."""

    row: Row
    project_code: str = ""
    project: str = ""
    institution: str = ""
    stage: Stage | None = None
    intended_wan: Decimal | None = None
    approved_wan: Decimal | None = None
    paid_wan: Decimal | None = None
    total_wan: Decimal | None = None
    paid_on: date | None = None
    rate_pct: Decimal | None = None
    term_months: int | None = None
    voucher_no: str = ""
    decline_reason: str = ""
    unchanged: bool = False
    note: str = ""


def read_rows(table: Table, remarks: Remarks, *, month: date) -> list[ProgressRow]:
    """Read every row and check it by itself; all that is wrong goes to the remarks."""
    for key in table.missing:
        remarks.error(None, key, f"表里没有“{COLUMNS[key].heading}”这一列，请补上。")
    rows = [_read_row(row, remarks) for row in table.rows]
    for row in rows:
        _check_row(row, remarks, month, table.missing)
    return rows


def _code(cell: Cell) -> str:
    return "".join(unicodedata.normalize("NFKC", to_text(cell, limit=60)).split())


def _text(limit: int) -> Callable[[Cell], str]:
    def read(cell: Cell) -> str:
        return "" if cell.is_blank else to_text(cell, limit=limit)

    return read


def _rate(cell: Cell) -> Decimal | None:
    rate = to_percent(cell)
    if rate is not None and not 0 <= rate < HIGHEST_RATE:
        raise CellError("利率应在 0 到 100 之间，请按百分数填写，如 3.72。")
    return None if rate is None else round_half_up(rate, WAN_STEP)


def _stage(cell: Cell) -> Stage | None:
    word = to_choice(cell, STAGE_WORDS)
    return Stage(word) if word else None


PARSERS: dict[str, Callable[[Cell], Any]] = {
    "project_code": _code,
    "project": _text(200),
    "institution": _text(100),
    "stage": _stage,
    "intended_wan": to_wan,
    "approved_wan": to_wan,
    "paid_wan": to_wan,
    "total_wan": to_wan,
    "paid_on": to_date,
    "rate_pct": _rate,
    "term_months": to_months,
    "voucher_no": _code,
    "decline_reason": lambda cell: to_choice(cell, REASON_WORDS),
    "unchanged": to_flag,
    "note": _text(2000),
}


def _read_row(row: Row, remarks: Remarks) -> ProgressRow:
    read = ProgressRow(row)
    for key, parse in PARSERS.items():
        try:
            setattr(read, key, parse(row.cell(key)))
        except CellError as error:
            remarks.error(row, key, error.message)
    return read


def _check_row(row: ProgressRow, remarks: Remarks, month: date, missing: Collection[str]) -> None:
    if row.row.cell("project").is_blank and "project" not in missing:
        remarks.error(row.row, "project", "请填项目名称。")
    is_silent = row.row.cell("stage").is_blank and "stage" not in missing
    if is_silent and not row.unchanged:
        remarks.error(row.row, "stage", f"请填进展阶段。{STAGE_WORDS.mend}")
    _check_amounts(row, remarks)
    if row.stage in EARLY:
        _check_early(row, remarks)
    if row.stage == Stage.DECLINED and row.row.cell("decline_reason").is_blank:
        remarks.error(row.row, "decline_reason", f"请填不予支持原因。{REASON_WORDS.mend}")
    if row.decline_reason and row.stage != Stage.DECLINED:
        remarks.warn(row.row, "decline_reason", "阶段不是“不予支持”，原因没有采用。")
    if row.paid_on and row.paid_on > month_end(month):
        remarks.error(
            row.row,
            "paid_on",
            f"投放日期晚于{month_label(month)}末，请核对日期，或放到以后月份的报送里。",
        )
    _check_rate(row, remarks)


def _check_amounts(row: ProgressRow, remarks: Remarks) -> None:
    for key in ("intended_wan", "approved_wan", "total_wan"):
        if (getattr(row, key) or ZERO) < 0:
            remarks.error(row.row, key, "金额不能为负，请核对。")
    for key in ("intended_wan", "approved_wan"):
        if getattr(row, key) == 0:
            setattr(row, key, None)
            remarks.warn(row.row, key, "金额为 0，按没有填写处理。")
    if row.stage == Stage.DISBURSED and row.total_wan == 0:
        remarks.error(row.row, "total_wan", "阶段是“已投放”，累计投放金额应大于 0。")
    if (row.paid_wan or ZERO) < 0 and not row.note:
        remarks.error(row.row, "paid_wan", "本次投放金额为负是冲正，请在备注写明原因。")


def _check_early(row: ProgressRow, remarks: Remarks) -> None:
    assert row.stage is not None  # asked by the caller
    for key in ("paid_wan", "total_wan"):
        if getattr(row, key):
            remarks.error(
                row.row,
                key,
                f"阶段是“{row.stage.label}”，却填了投放金额；已有投放的请把阶段改为“已投放”。",
            )
    for key in ("intended_wan", "approved_wan"):
        if getattr(row, key):
            remarks.warn(
                row.row, key, f"阶段是“{row.stage.label}”，金额不计入；已达成意向的请改阶段。"
            )


def _check_rate(row: ProgressRow, remarks: Remarks) -> None:
    if row.rate_pct is None or row.stage not in AGREED:
        return
    if row.rate_pct > UNLIKELY_RATE or 0 < row.rate_pct < FRACTION_RATE:
        remarks.warn(
            row.row, "rate_pct", f"利率 {plain(row.rate_pct)}% 不常见，请核对，按百分数填写。"
        )
