"""What does not fit together on a referral: pointed out to a person, never refused."""

from collections.abc import Iterator
from datetime import date

from common.money import ZERO, plain
from projects.models import FinancingDemand
from referrals.importing.demand import landed_on, slipped_unit
from referrals.models import Referral
from referrals.standing import ReferralStanding, load_standings


def doubts(standing: ReferralStanding, day: date) -> list[str]:
    """Say what to check on a day: paid beyond agreed, beyond the demand (R09), a unit slip."""
    referral = standing.referral
    demand = FinancingDemand.objects.as_of(day).filter(project=referral.project_id).first()
    said = list(_doubts_of_deals(standing, demand))
    everyone = load_standings(Referral.objects.filter(project=referral.project_id))
    whole = sum((landed_on(deal, day) for one in everyone.values() for deal in one.deals), ZERO)
    if demand and whole > demand.demand_wan:
        said.append(
            f"各机构在这个项目上的金额合计已超过融资需求 {plain(demand.demand_wan)} 万元，请核对。"
        )
    return said


def _doubts_of_deals(standing: ReferralStanding, demand: FinancingDemand | None) -> Iterator[str]:
    for deal in standing.live:
        name = deal.deal.voucher_no or "这一笔"
        agreed = deal.agreed_wan
        if agreed is not None and deal.paid_wan > agreed:
            yield f"{name}累计投放 {plain(deal.paid_wan)} 万元，超过约定的 {plain(agreed)} 万元。"
        for amount in (agreed, deal.paid_wan):
            if amount and demand and (unit := slipped_unit(amount, demand.demand_wan)):
                yield f"{name}的 {plain(amount)} 万元像是按{unit}填写的，请核对单位。"
                break
