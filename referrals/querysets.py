"""Which referrals, deals and returns a person may see."""

from datetime import date
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Q,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from accounts.choices import OVERSEERS, Role
from common.money import WanField
from institutions.models import Institution
from projects.models import FinancingDemand
from referrals.lifecycle import CLOSED, COUNTED, WAY, Stage

if TYPE_CHECKING:
    from referrals.models import Deal, MonthlyReturn, Referral  # noqa: F401 - named in strings


class ReferralQuerySet(models.QuerySet["Referral"]):
    """Referrals by scope and state."""

    def visible_to(self, user: Any) -> "ReferralQuerySet":
        """A bank its own, a county and a department those of their projects, overseers all."""
        if not user.is_authenticated:
            return self.none()
        if user.role in OVERSEERS:
            return self.all()
        if user.role == Role.BANK:
            mine = Institution.objects.of_user(user)
            return self.filter(institution__in=mine.values("pk"))
        if user.role == Role.COUNTY:
            return self.filter(project__region=user.region_id)
        if user.role == Role.DEPARTMENT:
            return self.filter(project__department=user.department_id)
        return self.none()

    def count_by_state(self) -> dict[str, int]:
        """Count all, those nobody has signed for yet, and those on their way or paid."""
        return self.aggregate(
            whole=Count("pk"),
            waiting=Count("pk", filter=Q(stage=Stage.PUSHED)),
            agreed=Count("pk", filter=Q(stage__in=COUNTED)),
        )

    def with_amounts(self, day: date) -> "ReferralQuerySet":
        """Add what a list shows: demand on a day, agreed and paid in 万元, place along the way.

        Declined and cancelled deals count in neither amount; None where there is nothing.
        """
        from referrals.models import DealTerms, Disbursement  # models.py imports this file

        terms = DealTerms.objects.filter(superseded_at=None, valid_until=date.max)
        agreed = terms.filter(deal__referral=OuterRef("pk"), stage__in=COUNTED)
        dead = terms.filter(deal=OuterRef("deal"), stage__in=CLOSED)
        paid = Disbursement.objects.filter(~Exists(dead), deal__referral=OuterRef("pk"))
        demand = FinancingDemand.objects.as_of(day).filter(project=OuterRef("project"))
        steps = [When(stage=stage, then=Value(stage.step)) for stage in WAY]
        return self.annotate(
            demand_wan=Subquery(demand.values("demand_wan")[:1]),
            agreed_wan=_sum(agreed, Coalesce("approved_wan", "intended_wan")),
            paid_wan=_sum(paid, F("amount_wan")),
            step=Case(*steps, default=Value(0), output_field=IntegerField()),
        )


def _sum(rows: models.QuerySet[Any], amount: Any) -> Subquery:
    """The sum of an amount over the rows of one referral, as a column of the referral."""
    sums = rows.order_by().values("deal__referral").annotate(total=Sum(amount)).values("total")
    return Subquery(sums, output_field=WanField())


class DealQuerySet(models.QuerySet["Deal"]):
    """Deals by scope."""

    def visible_to(self, user: Any) -> "DealQuerySet":
        """Whoever sees the referral sees its deals."""
        from referrals.models import Referral  # models.py imports this file

        return self.filter(referral__in=Referral.objects.visible_to(user).values("pk"))


class ReturnQuerySet(models.QuerySet["MonthlyReturn"]):
    """Monthly returns by scope."""

    def visible_to(self, user: Any) -> "ReturnQuerySet":
        """A bank its own, overseers all."""
        if user.is_authenticated and user.role in OVERSEERS:
            return self.all()
        if user.is_authenticated and user.role == Role.BANK:
            return self.filter(institution__in=Institution.objects.of_user(user).values("pk"))
        return self.none()


class DisbursementQuerySet(models.QuerySet[Any]):
    """Payments by day and by what was known."""

    def paid_by(self, day: Any, *, known_at: Any = None) -> "DisbursementQuerySet":
        """Payments made up to a day, inclusive, that were known at a moment (default: now)."""
        known = Q() if known_at is None else Q(recorded_at__lte=known_at)
        return self.filter(known, paid_on__lte=day)
