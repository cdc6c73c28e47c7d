"""The pages of this room: the projects, and one of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.permissions import BUSINESS, only
from common.money import ZERO, exact_wan
from common.months import local_today
from common.views import page_of
from projects.filtersets import ProjectFilter
from projects.models import FinancingDemand, Project
from projects.panels import panels_for

# What narrows the list; sorting and paging do not.
NARROWING = frozenset(ProjectFilter.base_filters) - {"sort"}


@require_safe
@only(*BUSINESS)
def project_list(request: HttpRequest) -> HttpResponse:
    """List the projects the user may see, with the sum of the page and of all that were found."""
    visible = Project.objects.visible_to(request.user).in_full(local_today())
    found = ProjectFilter(request.GET, queryset=visible)
    page = page_of(request, found.qs)
    totals = found.qs.aggregate(projects=Count("pk"), demand=Sum("demand_wan"))
    context = {
        "filter": found,
        "page_obj": page,
        "is_narrowed": any(value for name, value in request.GET.items() if name in NARROWING),
        "total_projects": totals["projects"],
        "total_demand": exact_wan(totals["demand"]),
        "page_demand": _sum_of(project.demand_wan for project in page.object_list),
    }
    return render(request, "projects/projects.html", context)


@require_safe
@only(*BUSINESS)
def project_detail(request: HttpRequest, code: str) -> HttpResponse:
    """Show one project: facts, what it needed when, and what higher rooms know of it."""
    user: Any = request.user
    visible = Project.objects.visible_to(user).in_full(local_today())
    project = get_object_or_404(visible, code=code)
    context = {
        "project": project,
        "demands": list(_demands_of(project)),
        "panels": panels_for(user, project),
    }
    return render(request, "projects/project.html", context)


@dataclass(frozen=True)
class DemandSpan:
    """What a project needed over a span of days; without a first day: from the beginning."""

    row: FinancingDemand
    first_day: date | None
    last_day: date | None


def _demands_of(project: Project) -> Iterator[DemandSpan]:
    """What is known now, the latest first; the last day is inside the span."""
    demands = FinancingDemand.objects.known().filter(project=project).select_related("round")
    for row in demands.order_by("-valid_from"):
        first_day = None if row.valid_from == date.min else row.valid_from
        is_open = row.valid_until == date.max
        yield DemandSpan(row, first_day, None if is_open else row.valid_until - timedelta(days=1))


def _sum_of(amounts: Any) -> Decimal:
    return sum((amount for amount in amounts if amount is not None), ZERO)
