"""Forms of the lists."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.forms import BoundField

from common.months import local_today
from institutions.choices import Polarity, Strength
from institutions.editions import Key
from institutions.models import Clause, ListEdition

LONGEST = 4000


class ProposalForm(forms.Form):
    """All numbered clauses of an edition to be changed: what stays as it was is no change."""

    based_on = forms.IntegerField(widget=forms.HiddenInput)
    effective_from = forms.DateField(
        label="希望生效的日期",
        initial=local_today,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    reason = forms.CharField(
        label="修改原因", max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, edition: ListEdition, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["based_on"].initial = edition.pk
        self.clauses = [c for c in edition.clauses.order_by("position") if c.number]
        for clause in self.clauses:
            self.fields[f"text_{clause.pk}"] = forms.CharField(
                label="内容",
                initial=clause.text,
                max_length=LONGEST,
                widget=forms.Textarea(attrs={"rows": 4}),
            )
            if clause.polarity == Polarity.NEGATIVE:
                self.fields[f"strength_{clause.pk}"] = forms.ChoiceField(
                    label="力度", initial=clause.strength, choices=Strength.choices
                )

    def rows(self) -> Iterator[tuple[Clause, list[BoundField], bool]]:
        """Yield each clause with its fields and whether they should stand open."""
        for clause in self.clauses:
            names = [f"text_{clause.pk}", f"strength_{clause.pk}"]
            fields = [self[name] for name in names if name in self.fields]
            is_open = self.is_bound and any(f.errors or f.name in self.changed_data for f in fields)
            yield clause, fields, is_open

    def changes(self) -> dict[Key, dict[str, Any]]:
        """Return what differs from the edition, for the service."""
        said = {clause: dict(self._said(clause)) for clause in self.clauses}
        return {
            (clause.polarity, clause.number): values for clause, values in said.items() if values
        }

    def _said(self, clause: Clause) -> Iterator[tuple[str, str]]:
        for name in ("text", "strength"):
            value = self.cleaned_data.get(f"{name}_{clause.pk}")
            if value is None:
                continue
            value = value.replace("\r\n", "\n")  # as browsers send what has lines
            if value != getattr(clause, name).strip():
                yield name, value
