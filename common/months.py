"""Months as their first day, "as of" as their last (interfaces.md 1; Asia/Shanghai)."""

import re
from datetime import date, datetime, timedelta

from django.utils import timezone

from common.errors import InvalidInput

MONTH_PATTERN = re.compile(r"([12]\d{3})-(0[1-9]|1[0-2])")


def parse_month(text: str) -> date:
    """Return the first day of `YYYY-MM`. Raises InvalidInput for anything else."""
    if not (match := MONTH_PATTERN.fullmatch(text.strip())):
        raise InvalidInput(f"月份“{text}”不对，请写成 2022-02 这样的年月。")
    return date(int(match[1]), int(match[2]), 1)


def month_key(month: date) -> str:
    """Return `YYYY-MM`."""
    return f"{month:%Y-%m}"


def month_of(day: date) -> date:
    """Return the first day of the month a day lies in."""
    return day.replace(day=1)


def next_month(month: date) -> date:
    """Return the first day of the month after."""
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def previous_month(month: date) -> date:
    """Return the first day of the month before."""
    return (month.replace(day=1) - timedelta(days=1)).replace(day=1)


def month_end(month: date) -> date:
    """Return the as-of day of a month: its last day, inclusive."""
    return next_month(month) - timedelta(days=1)


def month_label(month: date) -> str:
    """Return 2022年2月."""
    return f"{month.year}年{month.month}月"


def local_today(now: datetime | None = None) -> date:
    """Return the calendar day in Asia/Shanghai; only the edges (views, tasks, commands) ask."""
    return timezone.localdate(now)
