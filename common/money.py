"""Amounts in 万元 inside, 亿元 and percent when shown (interfaces.md 1).

Rounding is half up, once, from the exact value, at the moment of showing.
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db import models

WAN_PER_YI = Decimal(10_000)
WAN_STEP = Decimal("0.0001")
CENT = Decimal("0.01")
ZERO = Decimal(0)


class WanField(models.DecimalField):  # type: ignore[type-arg]  # not generic at run time
    """An amount in 万元, exact to one yuan (4 decimals)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 16)
        kwargs.setdefault("decimal_places", 4)
        super().__init__(*args, **kwargs)


def round_half_up(value: Decimal, step: Decimal = CENT) -> Decimal:
    """Round half away from zero to a multiple of `step` (四舍五入)."""
    return value.quantize(step, rounding=ROUND_HALF_UP)


def exact_wan(value: Any) -> Decimal:
    """Return a database sum in 万元 as an exact Decimal; NULL (no rows) sums to zero.

    SQLite adds in binary floating point; the error is far below the stored 4 decimals, so
    rounding to them gives back the exact sum.
    """
    return ZERO if value is None else round_half_up(Decimal(str(value)), WAN_STEP)


def plain(value: Decimal) -> str:
    """Write a number without exponent and without trailing zeros: 1800.5000 → 1800.5."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def show_yi(amount_wan: Decimal) -> str:
    """Show 万元 as 亿元 with two decimals, or, if that hid a real amount, as 万元 with its unit."""
    amount_yi = round_half_up(amount_wan / WAN_PER_YI)
    if amount_yi == 0 and amount_wan != 0:
        return f"{plain(amount_wan)}万元"
    return f"{amount_yi:.2f}"


def show_pct(part: Decimal, whole: Decimal) -> str | None:
    """Show part ÷ whole in percent with two decimals; None where the whole is zero."""
    if whole == 0:
        return None
    return f"{round_half_up(part * 100 / whole):.2f}"


def in_prose(shown: str) -> str:
    """Write a shown amount as the report prints it, with its unit: 4.20 → 4.2亿元."""
    return shown if shown.endswith("万元") else f"{plain(Decimal(shown))}亿元"
