"""Which projects a person may see."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q

from accounts.choices import OVERSEERS, Role

if TYPE_CHECKING:
    from projects.models import Project

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
