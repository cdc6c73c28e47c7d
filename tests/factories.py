"""The smallest valid objects, straight into the tables; figures read nothing else."""

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count

from django.db import transaction

from accounts.models import Region, User
from common.history import recording_moment, write_versions
from common.models import Sector
from common.names import name_key
from institutions.models import Institution
from projects.models import FinancingDemand, Project
from referrals.lifecycle import Stage
from referrals.models import Deal, DealTerms, Disbursement, MonthlyReturn, Referral, ReferralMove

_numbers = count(1)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def make_project(
    name: str = "",
    *,
    demand_wan: str = "1000",
    county: str = "疏勒县",
    counts_from: date = date.min,
) -> Project:
    """A project with its demand."""
    number = next(_numbers)
    name = name or f"示例项目{number}"
    project = Project.objects.create(
        code=f"T-{number:06}",
        name=name,
        name_key=name_key(name),
        borrower=f"示例公司{number}",
        borrower_key=f"示例公司{number}",
        region=Region.objects.get(short_name=county),
        recommender=f"{county}人民政府",
        sector=Sector.objects.get(code="A0131"),
        purpose="项目建设",
    )
    set_demand(project, demand_wan, counts_from)
    return project


@transaction.atomic
def set_demand(project: Project, demand_wan: str, valid_from: date) -> None:
    """Let a demand hold from a day on."""
    write_versions(
        FinancingDemand,
        "project",
        {project.pk: {"demand_wan": Decimal(demand_wan)}},
        valid_from=valid_from,
        at=recording_moment(),
        by=User.objects.system(),
    )


def make_referral(
    project: Project, institution: str, *, stage: Stage = Stage.PUSHED, on: date = date(2022, 1, 5)
) -> Referral:
    """A referral with the move that led to its stage."""
    referral = Referral.objects.create(
        project=project,
        institution=Institution.objects.get(short_name=institution),
        pushed_on=on,
        stage=stage,
        stage_on=on,
    )
    ReferralMove.objects.create(
        referral=referral,
        target=stage,
        occurred_on=on,
        recorded_at=recording_moment(),
        recorded_by=User.objects.system(),
        decline_reason="other" if stage == Stage.DECLINED else "",
    )
    return referral


def make_deal(
    project: Project,
    institution: str,
    *,
    agreed_wan: str | None = None,
    paid: dict[date, str] | None = None,
    stage: Stage = Stage.INTENDED,
    on: date = date(2022, 1, 31),
    voucher_no: str = "",
) -> Deal:
    """A deal with what was agreed from a day on and what was paid on which day (万元)."""
    bank = Institution.objects.get(short_name=institution)
    referral = Referral.objects.filter(project=project, institution=bank).first()
    referral = referral or make_referral(project, institution, stage=stage, on=on)
    deal = Deal.objects.create(referral=referral, voucher_no=voucher_no)
    set_terms(deal, stage=stage, agreed_wan=agreed_wan, on=on)
    for day, amount in (paid or {}).items():
        pay(deal, amount, day)
    return deal


@transaction.atomic
def set_terms(
    deal: Deal, *, stage: Stage, agreed_wan: str | None = None, on: date = date(2022, 1, 31)
) -> None:
    """Let a stage and an agreed amount hold from a day on."""
    amount = None if agreed_wan is None else Decimal(agreed_wan)
    write_versions(
        DealTerms,
        "deal",
        {deal.pk: {"stage": stage, "intended_wan": amount, "approved_wan": None}},
        valid_from=on,
        at=recording_moment(),
        by=User.objects.system(),
    )


def pay(deal: Deal, amount_wan: str, on: date) -> Disbursement:
    """Pay on a deal."""
    return Disbursement.objects.create(
        deal=deal,
        amount_wan=Decimal(amount_wan),
        paid_on=on,
        recorded_at=recording_moment(),
        recorded_by=User.objects.system(),
    )


def report(institution: str, month: date, *, is_nil: bool = False) -> MonthlyReturn:
    """Let an institution report for a month."""
    return MonthlyReturn.objects.create(
        institution=Institution.objects.get(short_name=institution),
        month=month,
        is_nil=is_nil,
        row_count=0 if is_nil else 1,
        received_at=recording_moment(),
        received_by=User.objects.system(),
    )
