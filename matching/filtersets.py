"""What the matrix (on page and in workbook) and the list of clauses can be narrowed by."""

from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet, TextChoices

from institutions.choices import EditionStatus, Polarity
from institutions.models import Clause, Institution
from matching.models import ProjectMatch, VerdictChoice
from projects.filtersets import ProjectFilter
from projects.querysets import ProjectQuerySet


class Check(TextChoices):
    """Whether a person still has to find something out."""

    OPEN = "open", "有待核实"
    NONE = "none", "没有待核实"


class MatrixFilter(ProjectFilter):
    """Projects by what lists of projects are narrowed by, and by what the lists say of them.

    A verdict with an institution is that institution's, without one it is anybody's; so are open
    questions.
    """

    institution = django_filters.ModelChoiceFilter(
        queryset=Institution.objects.exclude(list_name="").order_by("display_order"),
        to_field_name="code",
        method="keep_all",
        label="机构",
        empty_label="全部",
    )
    verdict = django_filters.ChoiceFilter(
        choices=VerdictChoice.choices,
        method="filter_by_verdict",
        label="结论",
        empty_label="全部",
    )
    check = django_filters.ChoiceFilter(
        choices=Check.choices, method="filter_by_check", label="待核实", empty_label="不限"
    )
    department = None
    category = None
    demand_min = None
    demand_below = None
    sort = None

    class Meta(ProjectFilter.Meta):
        pass

    @property
    def institutions(self) -> list[Institution]:
        """The columns: the chosen institution, else all that have lists."""
        chosen = self._chosen()
        return [chosen] if chosen else list(self.filters["institution"].queryset)

    @property
    def has_rows_of_totals(self) -> bool:
        """Whether what an institution's total counts can be asked for by adding the institution.

        Not where a verdict or a question of any institution has narrowed the projects.
        """
        said = self.form.cleaned_data if self.is_valid() else {}
        return bool(said.get("institution") or not (said.get("verdict") or said.get("check")))

    def _chosen(self) -> Institution | None:
        return self.form.cleaned_data.get("institution") if self.is_valid() else None

    def keep_all(self, projects: ProjectQuerySet, _name: str, _value: Any) -> ProjectQuerySet:
        """An institution narrows the columns, and the rows only together with a verdict."""
        return projects

    def filter_by_verdict(
        self, projects: ProjectQuerySet, _name: str, verdict: str
    ) -> ProjectQuerySet:
        """Keep projects of which the chosen institution, or any, says this."""
        saying = self._shown().filter(verdict=verdict)
        return projects.filter(pk__in=saying.values("project"))

    def filter_by_check(self, projects: ProjectQuerySet, _name: str, check: str) -> ProjectQuerySet:
        """Keep projects with an open question, or those that were matched and have none."""
        shown = self._shown()
        asked = shown.filter(open_count__gt=0).values("project")
        if check == Check.OPEN:
            return projects.filter(pk__in=asked)
        return projects.filter(pk__in=shown.values("project")).exclude(pk__in=asked)

    def _shown(self) -> QuerySet[ProjectMatch]:
        """What the institutions say that are shown: the chosen one, else all that have lists."""
        chosen = self.form.cleaned_data.get("institution")
        if chosen:
            return ProjectMatch.objects.filter(institution=chosen)
        return ProjectMatch.objects.exclude(institution__list_name="")


class ClauseFilter(django_filters.FilterSet):
    """Clauses in force by institution, list and a part of what they say."""

    institution = django_filters.ModelChoiceFilter(
        field_name="edition__institution",
        queryset=Institution.objects.filter(editions__status=EditionStatus.IN_FORCE).order_by(
            "display_order"
        ),
        to_field_name="code",
        label="机构",
        empty_label="全部",
    )
    polarity = django_filters.ChoiceFilter(
        choices=Polarity.choices, label="清单", empty_label="全部"
    )
    q = django_filters.CharFilter(
        method="filter_by_text",
        label="条款",
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "标题或内容"}),
    )

    class Meta:
        model = Clause
        fields: list[str] = []

    def filter_by_text(self, clauses: QuerySet[Clause], _name: str, text: str) -> QuerySet[Clause]:
        """Keep clauses that say it in title or text."""
        return clauses.filter(Q(title__icontains=text) | Q(text__icontains=text))
