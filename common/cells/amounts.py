"""Numbers, percentages and amounts of money."""

import re
from datetime import date, time
from decimal import Decimal

from common.cells.cell import Cell, CellError, brief, compact
from common.money import WAN_STEP, ZERO, round_half_up

# What one of a unit is in 万元.
MONEY_UNITS: dict[str, Decimal] = {
    "亿元": Decimal(10_000),
    "亿": Decimal(10_000),
    "千万元": Decimal(1_000),
    "千万": Decimal(1_000),
    "百万元": Decimal(100),
    "百万": Decimal(100),
    "万元": Decimal(1),
    "万": Decimal(1),
    "千元": Decimal("0.1"),
    "元": Decimal("0.0001"),
}
LARGEST_WAN = Decimal(10) ** 10

_NUMBER = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?|[+-]?\.\d+")
_NEGATIVE = re.compile(r"^\((\d[\d,.]*)\)")
_UNIT = "|".join(sorted(MONEY_UNITS, key=len, reverse=True))
_PART = re.compile(rf"(?P<number>[\d,]+(?:\.\d+)?)(?P<unit>{_UNIT})")
_ABOUT = re.compile(r"^(?:人民币|rmb|¥|大约为?|约为?|近|共计?|总计)+|(?:左右|上下|整|人民币)+$")
_BRACKETED_UNIT = re.compile(rf"\(({_UNIT})\)$")
_PERCENT = "这是百分数，请写金额。"
_RANGE = re.compile(r"\d[^\d,.()]*[-~—–至到][^\d,.()]*\d")


def to_decimal(cell: Cell) -> Decimal | None:
    """Return a plain number; None for a blank cell."""
    if cell.checked().is_blank:
        return None
    return _decimal_of(compact(cell.text)) if cell.number is None else cell.number


def to_percent(cell: Cell) -> Decimal | None:
    """Return percent: 3.72, "3.72%" and a number shown as 3.72% are the same."""
    if cell.checked().is_blank:
        return None
    if cell.number is None:
        return _decimal_of(compact(cell.text).removesuffix("%"))
    return cell.number * 100 if cell.is_percent else cell.number


def to_wan(cell: Cell, default_unit: str = "万元") -> Decimal | None:
    """Return an amount in 万元, exact to one yuan: in the unit of the cell, else of its header."""
    if cell.checked().is_blank:
        return None
    if cell.is_percent:
        raise CellError(_PERCENT)
    if isinstance(cell.value, date | time):
        raise CellError("这是日期，请写金额；若本是数字，请把单元格格式改为“数值”。")
    factor = MONEY_UNITS[cell.unit if cell.unit in MONEY_UNITS else default_unit]
    amount = _amount_of(cell.text, factor) if cell.number is None else cell.number * factor
    if abs(amount) >= LARGEST_WAN:
        raise CellError("金额太大，请核对数字和单位。")
    return round_half_up(amount, WAN_STEP)


def _decimal_of(text: str) -> Decimal:
    text = _NEGATIVE.sub(r"-\1", text)
    if not _NUMBER.fullmatch(text):
        raise CellError(f"“{brief(text)}”不是一个数，请只写数字。")
    return Decimal(text.replace(",", ""))


def _amount_of(text: str, factor: Decimal) -> Decimal:
    """Read 1,200 / 约1200 / 1.2亿元 / 1亿2000万元 / 1200（万元）."""
    text = _ABOUT.sub("", compact(text).lower())
    if text.endswith("%"):
        raise CellError(_PERCENT)
    if _RANGE.search(text):
        raise CellError("写的是一个范围，请写一个确定的金额。")
    text = _BRACKETED_UNIT.sub(r"\1", text)
    parts = list(_PART.finditer(text))
    if len(parts) > 1 and "".join(part[0] for part in parts) == text:
        return _sum_of_parts(text, parts)
    unit = next((name for name in MONEY_UNITS if text.endswith(name)), "")
    number = _NEGATIVE.sub(r"-\1", text.removesuffix(unit))
    if not _NUMBER.fullmatch(number):
        raise CellError(
            f"“{brief(text)}”读不出金额，请只写数字，如 1200；要带单位就写成 1200万元 或 1.2亿元。"
        )
    return _decimal_of(number) * (MONEY_UNITS[unit] if unit else factor)


def _sum_of_parts(text: str, parts: list[re.Match[str]]) -> Decimal:
    """Add 1亿 and 2000万元; each part has a smaller unit than the one before."""
    sizes = [MONEY_UNITS[part["unit"]] for part in parts]
    if sizes != sorted(set(sizes), reverse=True):
        raise CellError(f"“{brief(text)}”读不出金额，请只写一个数，如 12000。")
    amounts = [_decimal_of(part["number"]) for part in parts]
    return sum((one * size for one, size in zip(amounts, sizes, strict=True)), ZERO)
