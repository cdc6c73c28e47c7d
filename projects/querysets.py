"""Which projects a person may see."""

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import F, FilteredRelation, Q

from accounts.choices import OVERSEERS, Role

if TYPE_CHECKING:
    from projects.models import Project  # noqa: F401 - named in quoted bases below

Scope = Callable[[Any], Q]

# What each role sees of the projects. Banks see what was referred to them, which a higher room
# knows: `referrals` hands its scope in when the program starts.
SCOPES: dict[str, Scope] = {
    Role.COUNTY: lambda user: Q(region=user.region_id),
    Role.DEPARTMENT: lambda user: Q(department=user.department_id),
}


def hand_in_scope(role: Role, scope: Scope) -> None:
    """Let a higher room say what a role sees of the projects."""
    SCOPES[role] = scope


class ProjectQuerySet(models.QuerySet["Project"]):
    """Projects by scope."""

    def visible_to(self, user: Any) -> "ProjectQuerySet":
        """Overseers see all, a county, a department and a bank their own, others nothing."""
        if not user.is_authenticated:
            return self.none()
        if user.role in OVERSEERS:
            return self.all()
        scope = SCOPES.get(user.role)
        return self.filter(scope(user)) if scope else self.none()

    def with_demand(self, on: date) -> "ProjectQuerySet":
        """Add `demand_wan`, what a project needs to borrow on a day; None where that is unknown."""
        holding = Q(
            demands__superseded_at=None,
            demands__valid_from__lte=on,
            demands__valid_until__gt=on,
        )
        return self.annotate(
            holding_demand=FilteredRelation("demands", condition=holding),
            demand_wan=F("holding_demand__demand_wan"),
        )

    def in_full(self, on: date) -> "ProjectQuerySet":
        """With demand on a day and everything else a row or a page shows, in order of code."""
        from projects.models import ProjectCategory  # models.py imports this file

        categories = models.Prefetch("categories", ProjectCategory.objects.order_by("pk"))
        rows = self.with_demand(on).select_related("region", "department", "sector")
        return rows.prefetch_related(categories).order_by("code")
