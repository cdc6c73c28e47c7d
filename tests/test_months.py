"""Months as their first day, "as of" as their last."""

from datetime import UTC, date, datetime

import pytest

from common.errors import InvalidInput
from common.months import (
    local_today,
    month_end,
    month_key,
    month_label,
    month_of,
    next_month,
    parse_month,
    previous_month,
)

FEBRUARY = date(2022, 2, 1)


@pytest.mark.parametrize("text", ["2022-02", " 2022-02 "])
def test_reads_a_month(text: str) -> None:
    assert parse_month(text) == FEBRUARY


@pytest.mark.parametrize(
    "text", ["", "2022-2", "2022-00", "2022-13", "2022-02-01", "202202", "0000-01", "二月"]
)
def test_refuses_what_is_no_month_and_says_how_to_write_one(text: str) -> None:
    with pytest.raises(InvalidInput, match="2022-02"):
        parse_month(text)


@pytest.mark.parametrize(
    ("month", "last"),
    [
        (FEBRUARY, date(2022, 2, 28)),
        (date(2024, 2, 1), date(2024, 2, 29)),
        (date(2021, 12, 1), date(2021, 12, 31)),
        (date(2022, 4, 1), date(2022, 4, 30)),
    ],
)
def test_as_of_is_the_last_day_inclusive(month: date, last: date) -> None:
    assert month_end(month) == last


def test_steps_over_the_year() -> None:
    assert next_month(date(2021, 12, 31)) == date(2022, 1, 1)
    assert previous_month(date(2022, 1, 31)) == date(2021, 12, 1)
    assert next_month(date(2022, 1, 31)) == FEBRUARY
    assert month_of(date(2022, 2, 28)) == FEBRUARY


def test_writes_a_month_for_machines_and_for_people() -> None:
    assert month_key(FEBRUARY) == "2022-02"
    assert month_label(FEBRUARY) == "2022年2月"


def test_today_is_the_day_in_shanghai() -> None:
    assert local_today(datetime(2022, 2, 28, 15, 59, tzinfo=UTC)) == date(2022, 2, 28)
    assert local_today(datetime(2022, 2, 28, 16, 0, tzinfo=UTC)) == date(2022, 3, 1)
