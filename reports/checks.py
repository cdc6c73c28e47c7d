"""Do the printed parts add up to the printed totals, and if not, why (R02, R05).

Sums are made from exact amounts; printed parts are rounded one by one and may differ from the
printed total by rounding. Such a difference is shown with its arithmetic, never hidden.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from common.money import CENT, WAN_PER_YI, round_half_up

EQUAL, ROUNDING, WRONG = "equal", "rounding", "wrong"
HALF_CENT = CENT / 2


def check_snapshot(snapshot: dict[str, Any]) -> list[dict[str, str]]:
    """Return a line for every sum a reader could try on the printed figures."""
    demand, landed = snapshot["demand"], snapshot["landed"]
    stages = [snapshot["disbursed"], snapshot["intended"]]
    checks = [
        _counts("各档项目数相加 = 项目总数", [b["projects"] for b in demand["bands"]], demand),
        _amounts("各档需求相加 = 融资需求总额", demand["bands"], demand),
        _amounts("各机构投放相加 = 投放总额", stages[0]["institutions"], stages[0]),
        _amounts("各机构意向相加 = 意向总额", stages[1]["institutions"], stages[1]),
        _amounts("投放加意向 = 落地总额", stages, landed),
    ]
    shares = [stage["share_pct"] for stage in stages]
    if landed["share_pct"] is not None:
        checks.append(_shares("投放占比加意向占比 = 落地占比", shares, landed["share_pct"]))
    return checks


def _counts(name: str, parts: Sequence[int], whole: dict[str, Any]) -> dict[str, str]:
    verdict = EQUAL if sum(parts) == whole["projects"] else WRONG
    return _line(name, Decimal(sum(parts)), Decimal(whole["projects"]), verdict)


def _amounts(name: str, parts: Sequence[dict[str, Any]], whole: dict[str, Any]) -> dict[str, str]:
    printed = sum((_printed(part) for part in parts), start=Decimal(0))
    exact = sum((Decimal(part["amount_wan"]) for part in parts), start=Decimal(0))
    if exact != Decimal(whole["amount_wan"]):
        return _line(name, printed, _printed(whole), WRONG)
    return _line(name, printed, _printed(whole), _verdict(printed, _printed(whole), len(parts)))


def _shares(name: str, parts: Sequence[str], whole: str) -> dict[str, str]:
    printed = sum((Decimal(part) for part in parts), start=Decimal(0))
    return _line(name, printed, Decimal(whole), _verdict(printed, Decimal(whole), len(parts)))


def _printed(row: dict[str, Any]) -> Decimal:
    """The amount as printed, in 亿元; an amount printed in 万元 is exact."""
    if row["amount_yi"].endswith("万元"):
        return Decimal(row["amount_wan"]) / WAN_PER_YI
    return Decimal(row["amount_yi"])


def _verdict(printed: Decimal, whole: Decimal, parts: int) -> str:
    if printed == whole:
        return EQUAL
    return ROUNDING if abs(printed - whole) <= (parts + 1) * HALF_CENT else WRONG


def _line(name: str, parts: Decimal, whole: Decimal, verdict: str) -> dict[str, str]:
    return {
        "name": name,
        "parts": f"{parts.normalize():f}",
        "whole": f"{whole.normalize():f}",
        "difference": f"{round_half_up(parts - whole, Decimal('0.0001')).normalize():f}",
        "verdict": verdict,
    }
