"""What lists of this room can be narrowed by, the same for page and API."""

from datetime import date, datetime, time, timedelta
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils import timezone

from common.audit_words import ACTION_WORDS
from common.choices import JobState
from common.models import AuditRecord, Job


def _day_filter(label: str, method: str) -> django_filters.DateFilter:
    widget = forms.DateInput(attrs={"type": "date"})
    return django_filters.DateFilter(label=label, method=method, widget=widget)


class AuditFilter(django_filters.FilterSet):
    """The audit record by day, person, action and object."""

    since = _day_filter("自", "from_day")
    until = _day_filter("至", "to_day")
    actor = django_filters.CharFilter("actor_name", lookup_expr="icontains", label="操作人")
    object = django_filters.CharFilter("object_label", lookup_expr="icontains", label="对象")
    action = django_filters.ChoiceFilter(
        label="动作",
        choices=sorted(ACTION_WORDS.items(), key=lambda item: item[1]),
        empty_label="全部",
    )

    class Meta:
        model = AuditRecord
        fields: list[str] = []

    def from_day(self, records: QuerySet[Any], name: str, day: date) -> QuerySet[Any]:
        """Keep what happened on the day or later."""
        return records.filter(at__gte=_start_of(day))

    def to_day(self, records: QuerySet[Any], name: str, day: date) -> QuerySet[Any]:
        """Keep what happened on the day or earlier."""
        return records.filter(at__lt=_start_of(day + timedelta(days=1)))


def _start_of(day: date) -> datetime:
    """Return the first moment of a day in Asia/Shanghai; a comparison that an index can serve."""
    return timezone.make_aware(datetime.combine(day, time.min))


class JobFilter(django_filters.FilterSet):
    """Jobs by state."""

    state = django_filters.ChoiceFilter(label="状态", choices=JobState.choices, empty_label="全部")

    class Meta:
        model = Job
        fields: list[str] = []
