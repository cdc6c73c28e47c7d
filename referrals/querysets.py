"""Which referrals, deals and returns a person may see."""

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q

from accounts.choices import OVERSEERS, Role
from institutions.models import Institution

if TYPE_CHECKING:
    from referrals.models import Deal, MonthlyReturn, Referral


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


