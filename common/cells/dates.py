"""Days and terms."""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal

from common.cells.amounts import to_decimal
from common.cells.cell import Cell, CellError, brief, compact

TERM_UNITS: dict[str, int] = {"个月": 1, "月": 1, "年": 12}
LONGEST_MONTHS = 600
YEARS = range(1990, 2101)

_NUMERALS = {
    **{"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9},
    **{"十": 10, "十一": 11, "十二": 12},
}
_NUMERAL = r"\d+(?:\.\d+)?|十[一二]?|[一二两三四五六七八九]"
_TERM = re.compile(
    rf"(?:(?P<years>{_NUMERAL})年(?P<half>半)?)?(?:(?P<months>{_NUMERAL})(?:个月|月))?"
)
_SERIAL_START = date(1899, 12, 30)
_SERIALS = range(20_000, 80_000)
_DAY = re.compile(
    r"(?P<year>(?:19|20)\d\d)[年./\-](?P<month>\d{1,2}|十[一二]?|[一二三四五六七八九])"
    r"(?:月份?)?(?:[./\-]?(?P<day>\d{1,2})[日号]?)?(?:[上中下]旬|初|中|底|末|前)?"
)
_PACKED = re.compile(r"(?P<year>(?:19|20)\d\d)(?P<month>\d\d)(?P<day>\d\d)?")
_TIME = re.compile(r"(?<=\d)[T ]\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?$")
_SEASON = re.compile(r"(?P<year>(?:19|20)\d\d)年?[年第]?(?P<season>.+)")
# The first month of what is written instead of a month.
_SEASONS = {
    "一季度": 1,
    "1季度": 1,
    "二季度": 4,
    "2季度": 4,
    "三季度": 7,
    "3季度": 7,
    "四季度": 10,
    "4季度": 10,
    "上半年": 1,
    "下半年": 7,
    "初": 1,
    "底": 12,
    "末": 12,
}
_MEND = "请写成 2022-06-01 或 2022年6月 这样的日期。"


def to_months(cell: Cell, default_unit: str = "月") -> int | None:
    """Return a term in months: 60, "60个月", "5年", "1年6个月"; None for a blank cell."""
    if cell.checked().is_blank:
        return None
    unit = cell.unit if cell.unit in TERM_UNITS else default_unit
    months = _months_of(cell, TERM_UNITS[unit])
    if months != months.to_integral_value() or not 1 <= months <= LONGEST_MONTHS:
        raise CellError(f"期限应是 1 至 {LONGEST_MONTHS} 的整数个月，请核对数字和单位。")
    return int(months)


def to_date(cell: Cell) -> date | None:
    """Return a day; where only a month, a quarter or a half-year is written, its first day."""
    if cell.checked().is_blank:
        return None
    day = _date_of(cell)
    if day.year not in YEARS:
        raise CellError(f"年份 {day.year} 不对，请核对。")
    return day


def _months_of(cell: Cell, factor: int) -> Decimal:
    text = compact(cell.text)
    if match := _TERM.fullmatch(text):
        half = 6 if match["half"] else 0
        return _counted(match["years"]) * 12 + half + _counted(match["months"])
    try:
        number = to_decimal(cell)
    except CellError:
        raise CellError(f"“{brief(text)}”读不出期限，请写月数，如 60，或写成 5年。") from None
    return (number or Decimal(0)) * factor


def _counted(text: str | None) -> Decimal:
    return Decimal(_NUMERALS.get(text, text)) if text else Decimal(0)


def _date_of(cell: Cell) -> date:
    if isinstance(cell.value, datetime):
        return cell.value.date()
    if isinstance(cell.value, date):
        return cell.value
    if cell.number is not None:
        return _date_of_number(cell.number)
    text = compact(_TIME.sub("", cell.text)).rstrip("。.")
    if match := _DAY.fullmatch(text) or _PACKED.fullmatch(text):
        return _day_of(match)
    if (match := _SEASON.fullmatch(text)) and (first := _SEASONS.get(match["season"])):
        return date(int(match["year"]), first, 1)
    if text.isdecimal() and len(text) == 5:
        return _date_of_number(Decimal(text))
    raise CellError(f"“{brief(text)}”读不出日期，{_MEND}")


def _date_of_number(number: Decimal) -> date:
    """Read 44713 (Excel's count of days), 20220601, 202206 and 2022.6 typed as a number."""
    if int(number) in _SERIALS:
        return _SERIAL_START + timedelta(days=int(number))
    text = f"{number.normalize():f}"
    if re.fullmatch(r"(19|20)\d\d\.1", text):
        raise CellError(f"“{text}”分不清是 1 月还是 10 月，{_MEND}")
    if match := _PACKED.fullmatch(text) or _DAY.fullmatch(text):
        return _day_of(match)
    raise CellError(f"“{brief(text)}”读不出日期，{_MEND}")


def _day_of(match: re.Match[str]) -> date:
    month = _NUMERALS.get(match["month"]) or int(match["month"])
    try:
        return date(int(match["year"]), month, int(match["day"] or 1))
    except ValueError:
        raise CellError(f"日历上没有“{brief(match[0])}”这一天，{_MEND}") from None
