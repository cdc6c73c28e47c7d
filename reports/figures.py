"""Every figure of a bulletin, each computed in one place, by the database, from dated records.

All functions take the as-of day (inclusive) and the moment up to which records were known, so the
figures of any past month can be computed again exactly as they were frozen. Amounts are exact
Decimals in 万元.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Case, Count, F, Max, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.fields import CharField
from django.db.models.functions import Coalesce

from common.money import ZERO, WanField, exact_wan, plain
from institutions.models import Institution
from projects.models import FinancingDemand
from referrals.lifecycle import CLOSED, COUNTED, WAY, Stage
from referrals.models import DealTerms, Disbursement, MonthlyReturn, ReferralMove
from reports.rules import Band

# Agreed = 授信金额, or 意向金额 where that is empty; before 达成意向 nothing is agreed.
AGREED_WAN = Case(
    When(stage__in=COUNTED, then=Coalesce("approved_wan", "intended_wan")),
    output_field=WanField(),
)


@dataclass(frozen=True)
class AsOf:
    """The day a figure speaks of and the moment whose knowledge it uses (None: now)."""

    day: date
    known_at: datetime | None = None


@dataclass(frozen=True)
class BandFigures:
    """Projects and demand (万元) of one size band."""

    key: str
    projects: int
    amount_wan: Decimal


@dataclass(frozen=True)
class Landing:
    """What has landed, for one institution or for all: paid (投放) and still agreed (意向).

    A deal with some money paid has two parts and counts once in each stage in which it has an
    amount, and once in the landed total (interfaces.md 1). `*_both` stand in both stages.
    """

    disbursed_projects: int = 0
    disbursed_deals: int = 0
    disbursed_wan: Decimal = ZERO
    intended_projects: int = 0
    intended_deals: int = 0
    intended_wan: Decimal = ZERO
    landed_projects: int = 0
    landed_deals: int = 0
    both_projects: int = 0
    both_deals: int = 0

    @property
    def landed_wan(self) -> Decimal:
        """Paid and still agreed together, in 万元."""
        return self.disbursed_wan + self.intended_wan


@dataclass(frozen=True)
class InstitutionLanding:
    """One institution beside what landed with it."""

    institution: Institution
    landing: Landing

    def amount_wan(self, stage: str) -> Decimal:
        """Amount in a stage, 万元."""
        amount: Decimal = getattr(self.landing, f"{stage}_wan")
        return amount

    def deals(self, stage: str) -> int:
        """Deals in a stage."""
        count: int = getattr(self.landing, f"{stage}_deals")
        return count


def demand_rows(as_of: AsOf) -> QuerySet[FinancingDemand]:
    """The demand of every project that counts on the day, one row a project."""
    rows: QuerySet[FinancingDemand] = FinancingDemand.objects.as_of(
        as_of.day, known_at=as_of.known_at
    )
    return rows


def demand_by_band(as_of: AsOf, bands: tuple[Band, ...]) -> tuple[BandFigures, ...]:
    """Projects and demand per size band, in the order of the rules (R01).

    The band goes by the demand itself, lower end in, upper end out.
    """
    inside = [When(_within(band), then=Value(band.key)) for band in bands]
    found: dict[str, Any] = {
        row["band"]: row
        for row in demand_rows(as_of)
        .values(band=Case(*inside, output_field=CharField()))
        .annotate(projects=Count("pk"), amount=Sum("demand_wan"))
    }
    none: dict[str, Any] = {"projects": 0, "amount": None}
    return tuple(
        BandFigures(band.key, row["projects"], exact_wan(row["amount"]))
        for band, row in ((band, found.get(band.key, none)) for band in bands)
    )


def _within(band: Band) -> Q:
    above = Q(demand_wan__gte=band.from_wan)
    return above if band.below_wan is None else above & Q(demand_wan__lt=band.below_wan)


def deal_terms(as_of: AsOf) -> QuerySet[DealTerms]:
    """What holds of each deal on the day.

    Deals of projects that do not count yet are left out, and so are declined and cancelled ones:
    those leave the figures from their day on.
    """
    terms = DealTerms.objects.as_of(as_of.day, known_at=as_of.known_at)
    return terms.filter(deal__referral__project__in=demand_rows(as_of).values("project")).exclude(
        stage__in=CLOSED
    )


def deal_parts(as_of: AsOf) -> QuerySet[Any, Any]:
    """One row a deal: its project, the institution named in print (a branch's parent), agreed."""
    return deal_terms(as_of).values(
        "deal_id",
        project_id=F("deal__referral__project"),
        institution_id=Coalesce(
            "deal__referral__institution__parent", "deal__referral__institution"
        ),
        agreed_wan=AGREED_WAN,
    )


def payments(as_of: AsOf) -> QuerySet[Any, Any]:
    """One row a deal that was paid on: the sum of its payments."""
    paid = Disbursement.objects.paid_by(as_of.day, known_at=as_of.known_at)
    sums: QuerySet[Any, Any] = (
        paid.order_by().values("deal_id").annotate(paid_wan=Sum("amount_wan"))
    )
    return sums


# What is paid and what is still agreed, deal by deal; then the same sums for each institution and,
# in one more row, for all. Two levels of grouping are more than the ORM can say in one statement.
LANDING_SQL = """
WITH facts AS ({deal_parts}),
payments AS ({payments}),
parts AS (
    SELECT project_id, institution_id, COALESCE(paid_wan, 0) AS paid,
           CASE WHEN agreed_wan > COALESCE(paid_wan, 0)
                THEN agreed_wan - COALESCE(paid_wan, 0) ELSE 0 END AS rest
    FROM facts LEFT JOIN payments ON payments.deal_id = facts.deal_id
)
SELECT institution_id, {sums} FROM parts GROUP BY institution_id
UNION ALL
SELECT NULL, {sums} FROM parts
"""
# A column of the statement for each field of `Landing` that is counted; the rest follows.
LANDING_SUMS = {
    "disbursed_projects": "COUNT(DISTINCT CASE WHEN paid > 0 THEN project_id END)",
    "disbursed_deals": "COUNT(CASE WHEN paid > 0 THEN 1 END)",
    "disbursed_wan": "SUM(CASE WHEN paid > 0 THEN paid ELSE 0 END)",
    "intended_projects": "COUNT(DISTINCT CASE WHEN rest > 0 THEN project_id END)",
    "intended_deals": "COUNT(CASE WHEN rest > 0 THEN 1 END)",
    "intended_wan": "SUM(rest)",
    "landed_projects": "COUNT(DISTINCT CASE WHEN paid > 0 OR rest > 0 THEN project_id END)",
    "landed_deals": "COUNT(CASE WHEN paid > 0 OR rest > 0 THEN 1 END)",
}


def landing(as_of: AsOf) -> tuple[Landing, dict[int, Landing]]:
    """What has landed in all, and by the id of the institution that is named in print."""
    facts, facts_params = _compiled(deal_parts(as_of))
    paid, paid_params = _compiled(payments(as_of))
    sums = ", ".join(LANDING_SUMS.values())
    statement = LANDING_SQL.format(deal_parts=facts, payments=paid, sums=sums)
    with connection.cursor() as cursor:
        cursor.execute(statement, [*facts_params, *paid_params])
        rows = {institution_id: _landing(values) for institution_id, *values in cursor.fetchall()}
    total = rows.pop(None)
    return total, {key: row for key, row in rows.items() if row.landed_deals}


def _compiled(query: QuerySet[Any, Any]) -> tuple[str, list[Any]]:
    statement, params = query.query.get_compiler(connection.alias).as_sql()
    return statement, list(params)


def _landing(values: list[Any]) -> Landing:
    found = dict(zip(LANDING_SUMS, values, strict=True))
    counts = {name: value for name, value in found.items() if not name.endswith("_wan")}
    return Landing(
        **counts,
        disbursed_wan=exact_wan(found["disbursed_wan"]),
        intended_wan=exact_wan(found["intended_wan"]),
        # In both = in one + in the other - in either.
        both_projects=found["disbursed_projects"]
        + found["intended_projects"]
        - found["landed_projects"],
        both_deals=found["disbursed_deals"] + found["intended_deals"] - found["landed_deals"],
    )


def landed_deals(as_of: AsOf) -> list[dict[str, Any]]:
    """The deals behind the figures, one entry each, in the order of the detail table.

    Amounts are exact text in 万元 and dates ISO text, ready to be frozen; None where there is none.
    """
    paid = payments(as_of).filter(deal=OuterRef("deal"))
    demand = demand_rows(as_of).filter(project=OuterRef("deal__referral__project"))
    rows = deal_terms(as_of).values(
        "stage",
        agreed_wan=AGREED_WAN,
        paid_wan=Subquery(paid.values("paid_wan")),
        last_paid_on=Subquery(paid.annotate(last=Max("paid_on")).values("last")),
        project_code=F("deal__referral__project__code"),
        project=F("deal__referral__project__name"),
        region=F("deal__referral__project__region__short_name"),
        borrower=F("deal__referral__project__borrower"),
        institution=Coalesce(
            "deal__referral__institution__parent__short_name",
            "deal__referral__institution__short_name",
        ),
        reported_by=F("deal__referral__institution__short_name"),
        voucher_no=F("deal__voucher_no"),
        demand_wan=Subquery(demand.values("demand_wan")),
        order=Coalesce(
            "deal__referral__institution__parent__display_order",
            "deal__referral__institution__display_order",
        ),
    )
    entries = [
        _deal_entry(dict(row)) for row in rows.order_by("order", "project_code", "voucher_no")
    ]
    return [entry for entry in entries if entry["paid_wan"] != "0" or entry["rest_wan"] != "0"]


def _deal_entry(row: dict[str, Any]) -> dict[str, Any]:
    paid, agreed = exact_wan(row["paid_wan"]), row["agreed_wan"]
    rest = max(exact_wan(agreed) - paid, ZERO) if agreed is not None else ZERO
    texts = {name: value for name, value in row.items() if name != "order"}
    return {
        **texts,
        "stage": Stage(row["stage"]).label,
        "agreed_wan": None if agreed is None else plain(exact_wan(agreed)),
        "paid_wan": plain(max(paid, ZERO)),
        "rest_wan": plain(rest),
        "demand_wan": plain(exact_wan(row["demand_wan"])),
        "last_paid_on": row["last_paid_on"].isoformat() if row["last_paid_on"] else None,
    }


def has_synthetic(as_of: AsOf) -> bool:
    """Whether a project that counts on the day is part of a synthetic data set."""
    return demand_rows(as_of).filter(project__is_synthetic=True).exists()


def reported_institutions(as_of: AsOf) -> dict[int, bool]:
    """Institutions that reported for the month of the day → whether by nil returns only."""
    known = Q() if as_of.known_at is None else Q(received_at__lte=as_of.known_at)
    returns = MonthlyReturn.objects.filter(known, month=as_of.day.replace(day=1))
    nil: dict[int, bool] = {}
    pairs = returns.values_list(Coalesce("institution__parent", "institution"), "is_nil")
    for head_id, is_nil in pairs:
        nil[head_id] = nil.get(head_id, True) and is_nil
    return nil


@dataclass(frozen=True)
class FunnelStep:
    """Projects that reached a stage or went beyond it, with their demand in 万元."""

    stage: str
    projects: int
    demand_wan: Decimal


def funnel(as_of: AsOf) -> tuple[FunnelStep, ...]:
    """How many projects reached each stage up to the day; a refusal does not undo a step."""
    known = Q() if as_of.known_at is None else Q(recorded_at__lte=as_of.known_at)
    moves = ReferralMove.objects.filter(known, occurred_on__lte=as_of.day)
    demands = demand_rows(as_of)
    steps = []
    for place, stage in enumerate(WAY):
        reached = moves.filter(target__in=WAY[place:]).values("referral__project")
        sums = demands.filter(project__in=reached).aggregate(
            projects=Count("pk"), demand=Sum("demand_wan")
        )
        steps.append(FunnelStep(stage, sums["projects"], exact_wan(sums["demand"])))
    return tuple(steps)


def active_heads(day: date) -> QuerySet[Institution]:
    """The institutions a bulletin speaks of, in the display order of the report."""
    return Institution.objects.heads().active_on(day).in_report_order()
