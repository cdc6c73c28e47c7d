"""The cell itself, and its text."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal

from common.money import plain
from common.names import clean_text

# Beyond 15 digits Excel keeps zeros in place of what was typed.
EXACT_DIGITS = 15
# No number, date or yes is longer; what is longer would only keep the patterns busy.
LONGEST_FIGURE = 100
# What people put where they have nothing to say.
BLANK_WORDS = frozenset(
    ("-", "--", "---", "—", "——", "－", "–", "/", "\\", "无", "暂无", "待定", "未定", "n/a", "空")
)
# A line break in a text Excel wrote itself.
_ESCAPED_BREAK = re.compile(r"_x000[9AaDd]_")


class CellError(ValueError):
    """The cell cannot be read; the message says how to mend it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True)
class Cell:
    """One cell as the workbook holds it, with the unit its header states.

    `fault` is the sentence of what is wrong with the cell itself (a formula without result, an
    error value, an amount merged over several rows); every parser raises it.
    """

    value: object = None
    unit: str | None = None
    is_percent: bool = False
    fault: str = ""

    @property
    def text(self) -> str:
        """The cell as a person reads it, cleaned; numbers without exponent, dates as ISO."""
        return _as_text(self.value)

    @property
    def is_blank(self) -> bool:
        """Whether nothing is said: no value, or a dash or 无 in its place."""
        return not self.fault and (not self.text or self.text.lower() in BLANK_WORDS)

    @property
    def number(self) -> Decimal | None:
        """The number of a numeric cell, to the 15 digits Excel keeps; None for any other cell."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float | Decimal):
            return None
        return _exact(self.value)

    def checked(self) -> "Cell":
        """Return the cell itself; raise CellError where it has a fault."""
        if self.fault:
            raise CellError(self.fault)
        return self


EMPTY = Cell()


def to_text(cell: Cell, *, limit: int) -> str:
    """Return the text of a cell, at most `limit` characters; "" for a blank one."""
    if len(text := cell.checked().text) > limit:
        raise CellError(f"有 {len(text)} 个字，最多 {limit} 个字，请缩短。")
    return text


def compact(text: str) -> str:
    """Make full-width forms half-width and drop blanks, for reading numbers and dates."""
    if len(text) > LONGEST_FIGURE:
        raise CellError(f"“{brief(text)}”太长，不像一个数或日期。")
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))


def brief(text: str) -> str:
    """Cut a text to what a sentence can quote."""
    return text if len(text) <= 20 else text[:19] + "…"


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, int | float | Decimal):
        return plain(_exact(value))
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return clean_text(_ESCAPED_BREAK.sub(" ", str(value))) if value is not None else ""


def _exact(value: float | Decimal) -> Decimal:
    return Decimal(value) if isinstance(value, int) else Decimal(f"{value:.{EXACT_DIGITS}g}")
