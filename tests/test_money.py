"""Amounts: 万元 inside, 亿元 and percent when shown (rules T20, interfaces 1)."""

from decimal import Decimal

import pytest

from common.money import exact_wan, in_prose, plain, round_half_up, show_pct, show_yi


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("2.675", "2.68"),  # a binary float would give 2.67
        ("45.874999", "45.87"),
        ("0.005", "0.01"),
        ("0.0049999", "0.00"),
        ("1.115", "1.12"),
        ("2.665", "2.67"),  # half to even would give 2.66
        ("-2.675", "-2.68"),
    ],
)
def test_rounds_half_up_from_the_exact_value(value: str, shown: str) -> None:
    assert f"{round_half_up(Decimal(value))}" == shown


@pytest.mark.parametrize(
    ("wan", "shown"),
    [
        ("4050100", "405.01"),
        ("42000", "4.20"),
        ("26750", "2.68"),
        ("458749.99", "45.87"),
        ("458750", "45.88"),
        ("0", "0.00"),
        ("50", "0.01"),
        ("49.9999", "49.9999万元"),
        ("30", "30万元"),
        ("0.0001", "0.0001万元"),
        ("30.5000", "30.5万元"),
        ("-30", "-30万元"),
    ],
)
def test_shows_yi_and_never_hides_a_real_amount(wan: str, shown: str) -> None:
    assert show_yi(Decimal(wan)) == shown


def test_a_sum_is_rounded_once_and_not_from_rounded_parts() -> None:
    parts = [Decimal("45"), Decimal("45"), Decimal("45")]
    assert [show_yi(part) for part in parts] == ["45万元"] * 3
    assert show_yi(sum(parts, Decimal(0))) == "0.01"  # 0.0135, not 3 x nothing


def test_shares_are_rounded_each_by_itself() -> None:
    whole = Decimal("4050100")
    disbursed, intended = Decimal("458700"), Decimal("597600")
    assert show_pct(disbursed, whole) == "11.33"
    assert show_pct(intended, whole) == "14.76"
    assert show_pct(disbursed + intended, whole) == "26.08"


def test_a_share_of_nothing_is_missing_not_zero() -> None:
    assert show_pct(Decimal(5), Decimal(0)) is None
    assert show_pct(Decimal(0), Decimal(5)) == "0.00"


@pytest.mark.parametrize(
    ("number", "text"),
    [("1800.5000", "1800.5"), ("1800", "1800"), ("1000000.0000", "1000000"), ("1E+3", "1000")],
)
def test_writes_a_number_without_exponent_or_trailing_zeros(number: str, text: str) -> None:
    assert plain(Decimal(number)) == text


@pytest.mark.parametrize(
    ("shown", "prose"), [("4.20", "4.2亿元"), ("405.01", "405.01亿元"), ("30万元", "30万元")]
)
def test_prose_prints_as_the_report_does(shown: str, prose: str) -> None:
    assert in_prose(shown) == prose


def test_a_database_sum_comes_back_exact() -> None:
    assert exact_wan(None) == Decimal(0)
    assert exact_wan(0.1 + 0.2) == Decimal("0.3000")  # as SQLite adds
    assert exact_wan(Decimal("12.3400")) == Decimal("12.34")
