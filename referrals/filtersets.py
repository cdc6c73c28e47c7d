"""What lists of referrals can be narrowed and sorted by: one set for page and API."""

from typing import Any

import django_filters
from django import forms
from django.db.models import F, Q
from django.db.models.expressions import OrderBy

from accounts.choices import RegionLevel, Role
from accounts.models import Region
from common.names import name_key
from institutions.models import Institution
from referrals.lifecycle import Stage
from referrals.models import Referral
from referrals.querysets import ReferralQuerySet

# Name in the address → column; each order ends in the id, so that pages do not overlap.
SORTS = (
    ("project__name", "project"),
    ("project__region", "region"),
    ("institution__display_order", "institution"),
    ("demand_wan", "demand"),
    ("step", "stage"),
    ("stage_on", "since"),
    ("agreed_wan", "agreed"),
    ("paid_wan", "paid"),
)


def _institutions(request: Any) -> Any:
    return Institution.objects.visible_to(request.user).in_report_order()


def _counties(request: Any) -> Any:
    regions = Region.objects.visible_to(request.user)
    return regions.filter(level=RegionLevel.COUNTY).order_by("code")


class StableOrdering(django_filters.OrderingFilter):
    """Sort by what is asked for, then by id; rows without a value stand last either way."""

    def filter(self, qs: Any, value: Any) -> Any:
        """Sort; the newest step first where nothing is asked for."""
        if not value:
            return qs.order_by("-stage_on", "-pk")
        return qs.order_by(*(self._order(param) for param in value), "pk")

    def _order(self, param: str) -> OrderBy:
        column = self.get_ordering_value(param)
        name = F(column.lstrip("-"))
        is_falling = column.startswith("-")
        return name.desc(nulls_last=True) if is_falling else name.asc(nulls_last=True)


class ReferralFilter(django_filters.FilterSet):
    """Referrals by stage, institution, county and words; the queryset has its amounts."""

    q = django_filters.CharFilter(
        method="filter_by_words",
        label="项目",
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "名称、单位、编号"}),
    )
    stage = django_filters.ChoiceFilter(choices=Stage.choices, label="阶段", empty_label="全部")
    region = django_filters.ModelChoiceFilter(
        queryset=_counties, field_name="project__region", label="县市", empty_label="全部"
    )
    institution = django_filters.ModelChoiceFilter(
        queryset=_institutions, to_field_name="code", label="机构", empty_label="全部"
    )
    sort = StableOrdering(fields=SORTS, widget=forms.HiddenInput)

    class Meta:
        model = Referral
        fields = ("q", "stage", "region", "institution", "sort")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.request.user.role == Role.BANK:
            del self.filters["institution"]

    def filter_by_words(
        self, queryset: ReferralQuerySet, _name: str, value: str
    ) -> ReferralQuerySet:
        """Keep those whose project, borrower or code contains the text, however it is spaced."""
        key = name_key(value)
        return queryset.filter(
            Q(project__name_key__contains=key)
            | Q(project__borrower_key__contains=key)
            | Q(project__code__icontains=value.strip())
        )
