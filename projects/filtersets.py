"""What the list of projects can be narrowed by and sorted by: one set for page and API."""

from typing import Any

import django_filters
from django import forms
from django.db.models import F, OrderBy, Q

from accounts.choices import RegionLevel
from accounts.models import Department, Region
from common.names import name_key
from common.sectors import descendants
from projects.choices import Category
from projects.models import Project, ProjectCategory
from projects.querysets import ProjectQuerySet

# Heads that sort; what has no amount comes last either way.
SORTS: dict[str, OrderBy] = {
    "code": F("code").asc(),
    "region": F("region_id").asc(),
    "recommender": F("recommender").asc(),
    "sector": F("sector_id").asc(),
    "demand": F("demand_wan").asc(nulls_last=True),
    "-code": F("code").desc(),
    "-region": F("region_id").desc(),
    "-recommender": F("recommender").desc(),
    "-sector": F("sector_id").desc(),
    "-demand": F("demand_wan").desc(nulls_last=True),
}


def _amount(label: str, lookup: str) -> django_filters.NumberFilter:
    widget = forms.NumberInput(attrs={"min": 0, "step": "any", "placeholder": "万元"})
    return django_filters.NumberFilter("demand_wan", lookup, label=label, widget=widget)


class ProjectFilter(django_filters.FilterSet):
    """Projects by name, place, department, category, industry and size of demand.

    The rows need `with_demand`. The ends of a band are `demand_min` (in) and `demand_below` (out).
    """

    q = django_filters.CharFilter(
        method="filter_by_name",
        label="项目",
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "名称、单位、编号"}),
    )
    region = django_filters.ModelChoiceFilter(
        queryset=Region.objects.filter(level=RegionLevel.COUNTY).order_by("code"),
        label="县市",
        empty_label="全部",
    )
    department = django_filters.ModelChoiceFilter(
        queryset=Department.objects.order_by("display_order"), label="推荐部门", empty_label="全部"
    )
    category = django_filters.ChoiceFilter(
        choices=Category.choices, method="filter_by_category", label="类别", empty_label="全部"
    )
    sector = django_filters.CharFilter(
        method="filter_by_sector",
        label="行业",
        widget=forms.TextInput(attrs={"placeholder": "代码或名称，如 C17"}),
    )
    demand_min = _amount("需求不低于", "gte")
    demand_below = _amount("需求低于", "lt")
    sort = django_filters.ChoiceFilter(
        choices=[(name, name) for name in SORTS], method="sort_by", widget=forms.HiddenInput
    )

    class Meta:
        model = Project
        fields: list[str] = []

    def filter_by_name(self, projects: ProjectQuerySet, _name: str, text: str) -> ProjectQuerySet:
        """Keep what bears the text in its name, its owner's name or as its code."""
        key = name_key(text)
        named = Q(name_key__contains=key) | Q(borrower_key__contains=key)
        return projects.filter(named | Q(code__iexact=text.strip()))

    def filter_by_category(
        self, projects: ProjectQuerySet, _name: str, category: str
    ) -> ProjectQuerySet:
        """Keep projects of a category, whatever other categories they are in."""
        within = ProjectCategory.objects.filter(category=category)
        return projects.filter(pk__in=within.values("project"))

    def filter_by_sector(self, projects: ProjectQuerySet, _name: str, text: str) -> ProjectQuerySet:
        """Keep projects of a sector and of everything below it; none for what is no sector."""
        return projects.filter(sector__in=descendants(text))

    def sort_by(self, projects: ProjectQuerySet, _name: str, name: str) -> Any:
        """Order by one head; rows that are alike there keep the order of their codes."""
        return projects.order_by(SORTS[name], "code")
