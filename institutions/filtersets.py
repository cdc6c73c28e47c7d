"""What the register can be asked for: one set for page and API."""

import django_filters
from django import forms

from institutions.choices import Kind
from institutions.models import Institution, InstitutionName
from institutions.querysets import InstitutionQuerySet
from institutions.services import institution_key


class InstitutionFilter(django_filters.FilterSet):
    """Institutions by a part of any of their names, and by kind."""

    q = django_filters.CharFilter(
        method="filter_by_name",
        label="名称",
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "简称、全称、曾用名"}),
    )
    kind = django_filters.ChoiceFilter(choices=Kind.choices, label="类型", empty_label="全部")

    class Meta:
        model = Institution
        fields = ("q", "kind")

    def filter_by_name(
        self, queryset: InstitutionQuerySet, _field: str, value: str
    ) -> InstitutionQuerySet:
        """Keep those of which some name contains the text, however it is spaced or bracketed."""
        named = InstitutionName.objects.filter(key__contains=institution_key(value))
        return queryset.filter(pk__in=named.values("institution"))
