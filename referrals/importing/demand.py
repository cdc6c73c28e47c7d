"""Amounts beside the project's demand: too much in all (R09), or typed in another unit."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from common.money import ZERO, plain
from referrals.importing.entries import Entry, Facts
from referrals.importing.rows import Remarks
from referrals.lifecycle import CLOSED
from referrals.standing import DealStanding, agreed

UNIT_FACTOR = Decimal(10_000)
# More than this many times the demand was probably typed in 元.
TOO_LARGE = 100
# Below this part of the demand, and fitting when taken as 亿元, it was probably typed in 亿元.
TOO_SMALL = Decimal("0.001")
FITS = Decimal("1.2")


def check_against_demand(
    entries: list[Entry],
    others_wan: Mapping[int, Decimal],
    demands: Mapping[int, Decimal],
    remarks: Remarks,
) -> None:
    """Warn where all deals of a project together exceed its demand (R09), and of unit slips.

    `others_wan`: what the deals that this file does not mention come to, by project.
    """
    sums = dict(others_wan)
    last: dict[int, Entry] = {}
    for entry in entries:
        project = entry.standing.referral.project_id
        amount = _landed(entry.after)
        sums[project] = sums.get(project, ZERO) + amount
        if amount and not entry.row.unchanged:
            last[project] = entry
            _check_unit(entry, demands.get(project), remarks)
    for project, entry in last.items():
        demand = demands.get(project)
        if demand is not None and sums[project] > demand:
            remarks.warn(
                entry.row.row,
                "approved_wan" if entry.row.approved_wan else "intended_wan",
                f"各机构在这个项目上的金额合计已超过融资需求 {plain(demand)} 万元，请核对。",
            )


def landed_on(deal: DealStanding, day: date) -> Decimal:
    """What a deal comes to on a day: agreed or paid, whichever is more; 0 once it is closed."""
    terms = deal.terms_on(day)
    if terms is None or terms.stage in CLOSED:
        return ZERO
    return _landed(Facts(terms.stage, agreed(terms), deal.paid_by(day)))


def _landed(facts: Facts) -> Decimal:
    if facts.stage in CLOSED:
        return ZERO
    return max(facts.agreed_wan or ZERO, facts.paid_wan or ZERO)


def slipped_unit(amount: Decimal, demand: Decimal) -> str | None:
    """The unit an amount in 万元 was probably typed in instead; None where it looks right."""
    if amount > demand * TOO_LARGE:
        return "元"
    if 0 < amount < demand * TOO_SMALL and amount * UNIT_FACTOR <= demand * FITS:
        return "亿元"
    return None


def _check_unit(entry: Entry, demand: Decimal | None, remarks: Remarks) -> None:
    for key in ("intended_wan", "approved_wan", "total_wan"):
        amount: Decimal | None = getattr(entry.row, key)
        if amount and demand and (unit := slipped_unit(amount, demand)):
            remarks.warn(entry.row.row, key, _slip(amount, demand, unit))


def _slip(amount: Decimal, demand: Decimal, unit: str) -> str:
    return (
        f"{plain(amount)} 万元与融资需求 {plain(demand)} 万元相差太大，"
        f"像是按{unit}填写的，请核对单位。"
    )
