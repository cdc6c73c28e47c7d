"""Forms of the lists."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.forms import BoundField

from common.months import local_today
from institutions.choices import Polarity, Strength
from institutions.editions import Key, differences
from institutions.models import Clause, ListEdition

LONGEST = 4000
# What an institution may change of a clause.
SAID = ("text", "strength")


class RebaseForm(forms.Form):
    """The edition in force that somebody looked at who accepts an overtaken proposal."""

    onto = forms.IntegerField()


class ProposalForm(forms.Form):
    """All numbered clauses of an edition to be changed: what stays as it was is no change.

    `again`: an earlier proposal, whose changes are filled in to begin with.
    """

    based_on = forms.IntegerField(widget=forms.HiddenInput)
    effective_from = forms.DateField(
        label="希望生效的日期",
        initial=local_today,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    reason = forms.CharField(
        label="修改原因", max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(
        self, *args: Any, edition: ListEdition, again: ListEdition | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["based_on"].initial = edition.pk
        self.fields["reason"].initial = again.reason if again else ""
        wanted = _wanted(again)
        self.clauses = [c for c in edition.clauses.order_by("position") if c.number]
        for clause in self.clauses:
            self._add_fields(clause, wanted.get((clause.polarity, clause.number), {}))

    def _add_fields(self, clause: Clause, wanted: dict[str, str]) -> None:
        self.fields[f"text_{clause.pk}"] = forms.CharField(
            label="内容",
            initial=wanted.get("text", clause.text),
            max_length=LONGEST,
            widget=forms.Textarea(attrs={"rows": 4}),
        )
        if clause.polarity == Polarity.NEGATIVE:
            self.fields[f"strength_{clause.pk}"] = forms.ChoiceField(
                label="力度",
                initial=wanted.get("strength", clause.strength),
                choices=Strength.choices,
            )

    def rows(self) -> Iterator[tuple[Clause, list[BoundField], bool]]:
        """Yield each clause with its fields and whether they should stand open."""
        for clause in self.clauses:
            names = [name for name in SAID if f"{name}_{clause.pk}" in self.fields]
            fields = {name: self[f"{name}_{clause.pk}"] for name in names}
            is_open = any(
                field.errors or _plain(field.value()) != getattr(clause, name).strip()
                for name, field in fields.items()
            )
            yield clause, list(fields.values()), is_open

    def changes(self) -> dict[Key, dict[str, Any]]:
        """Return what differs from the edition, for the service."""
        said = {clause: dict(self._said(clause)) for clause in self.clauses}
        return {
            (clause.polarity, clause.number): values for clause, values in said.items() if values
        }

    def _said(self, clause: Clause) -> Iterator[tuple[str, str]]:
        for name in SAID:
            value = self.cleaned_data.get(f"{name}_{clause.pk}")
            if value is None:
                continue
            value = _plain(value)
            if value != getattr(clause, name).strip():
                yield name, value


def _plain(value: Any) -> str:
    """Return what a browser sent for a text, with the line ends of the clauses."""
    return str(value or "").replace("\r\n", "\n").strip()


def _wanted(again: ListEdition | None) -> dict[Key, dict[str, str]]:
    """Return what a proposal changed of which clauses; the rest is as the form's edition has it."""
    if again is None or again.based_on is None:
        return {}
    return {
        row["key"]: {name: getattr(row["after"], name) for name in SAID if name in row["fields"]}
        for row in differences(again.based_on, again)
        if row["after"]
    }
