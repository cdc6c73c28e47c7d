"""The block on a project's page that says which institutions have it and how far they are."""

from typing import Any

from accounts.models import User
from common.months import local_today
from projects.models import Project
from projects.panels import Panel
from referrals.models import Referral


def referrals_panel(user: User, project: Project) -> Panel:
    """Return the project's referrals that the user may see, the furthest first."""
    visible = Referral.objects.visible_to(user).filter(project=project)
    rows: Any = visible.with_amounts(local_today()).select_related("institution")
    return Panel("referrals/_panel.html", {"rows": rows.order_by("-step", "stage_on", "pk")})
