"""The page of the register."""

from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.permissions import BUSINESS, only
from institutions.choices import COOPERATIVES
from institutions.filtersets import InstitutionFilter
from institutions.models import Institution
from institutions.services import register_of

PAGE_SIZE = 50


@require_GET
@only(*BUSINESS)
def institutions(request: HttpRequest) -> HttpResponse:
    """List banks and cooperatives in the order of the report, with all their names."""
    everybody = Institution.objects.visible_to(request.user)
    found = InstitutionFilter(request.GET, queryset=register_of(request.user))
    is_head = Q(parent=None)
    context = {
        "filter": found,
        "page_obj": Paginator(found.qs, PAGE_SIZE).get_page(request.GET.get("page")),
        "counts": everybody.aggregate(
            heads=Count("pk", filter=is_head),
            cooperatives=Count("pk", filter=is_head & Q(kind__in=COOPERATIVES)),
            banks=Count("pk", filter=is_head & ~Q(kind__in=COOPERATIVES)),
            branches=Count("pk", filter=~is_head),
        ),
    }
    return render(request, "institutions/institutions.html", context)
