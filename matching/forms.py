"""The form in which the bureau changes a clause, tries the change and puts it in force."""

import json
from datetime import date
from typing import Any

from django import forms

from accounts.choices import RegionLevel
from accounts.models import Region
from common.months import local_today
from institutions.choices import Polarity, Strength
from institutions.editions import must_not_wait_beside, waiting
from institutions.models import Clause, ListEdition
from matching.additions import Words, read_additions, with_additions
from matching.amendments import Amendment, checker_of
from matching.checking import parse_condition
from matching.conditions import ConditionError, Raw
from matching.shared_conditions import SharedChange, SharedUse
from matching.versions import latest_vocabulary
from matching.vocabulary import Vocabulary

CLAUSE_FIELDS = ("title", "text", "strength", "condition", "note", "words")
SCOPE_FIELDS = ("q", "region")
SHARED_FIELDS = ("condition", "note")
FORCE_FIELDS = ("name", "effective_from", "reason")
LONGEST_CONDITION = 20_000


def _code_area(rows: int) -> forms.Textarea:
    attrs = {"rows": rows, "class": "code", "spellcheck": "false", "autocomplete": "off"}
    return forms.Textarea(attrs=attrs)


class ChangeForm(forms.Form):
    """What every change has: what to try it on, and why it is made.

    `is_final`: whether it is to be put in force, which needs the reason.
    """

    is_final = False

    q = forms.CharField(
        label="项目",
        required=False,
        max_length=100,
        help_text="名称、单位、内容或用途里的字；留空为全部。",
    )
    region = forms.ModelChoiceField(
        queryset=Region.objects.filter(level=RegionLevel.COUNTY).order_by("code"),
        label="县市",
        required=False,
        empty_label="全部",
    )
    reason = forms.CharField(
        label="修改原因",
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def clean_reason(self) -> str:
        """A change has a reason."""
        reason: str = self.cleaned_data["reason"]
        if self.is_final and not reason:
            raise forms.ValidationError("请写明修改的原因。")
        return reason

    @property
    def scope_fields(self) -> list[Any]:
        """What to try the change on."""
        return [self[name] for name in SCOPE_FIELDS]


class ClauseForm(ChangeForm):
    """A clause as it shall read, what to try it on, and what to put it in force with.

    `is_final`: whether it is to be put in force, which needs a name, a day and a reason.
    """

    title = forms.CharField(label="标题", max_length=200)
    text = forms.CharField(
        label="内容（本平台的转述）", max_length=4000, widget=forms.Textarea(attrs={"rows": 4})
    )
    strength = forms.ChoiceField(label="力度", choices=Strength.choices)
    condition = forms.CharField(
        label="条件",
        required=False,
        strip=False,  # line numbers in sentences are those of the field
        max_length=LONGEST_CONDITION,
        widget=_code_area(18),
        help_text="JSON，写法见旁边的说明；留空表示这一条不判断任何项目。",
    )
    note = forms.CharField(
        label="说明",
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="条件按怎样的理解写成；只有财政局看得到。",
    )
    words = forms.CharField(
        label="补充的词",
        required=False,
        strip=False,  # line numbers in sentences are those of the field
        max_length=LONGEST_CONDITION,
        widget=_code_area(3),
        help_text="每行一个主题：subject:cotton → 籽棉、皮棉。对所有机构的清单都起作用。",
    )
    name = forms.CharField(label="新版本名称", max_length=60, required=False)
    effective_from = forms.DateField(
        label="生效日期",
        required=False,
        help_text="以后的日期到那天自动生效；补充的词不等，只能填今天或更早。",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )

    def __init__(self, data: Any = None, *, clause: Clause, is_final: bool = False) -> None:
        super().__init__(data, initial=_initial(clause))
        self.clause = clause
        self.is_final = is_final
        if clause.polarity == Polarity.POSITIVE:
            del self.fields["strength"]

    def amendment(self) -> Amendment:
        """Return what differs from the clause as it stands."""
        said = self.cleaned_data
        values: dict[str, Any] = {
            name: said[name]
            for name in ("title", "text", "strength", "condition", "note")
            if name in said and said[name] != getattr(self.clause, name)
        }
        return Amendment(self.clause, values, said["words"])

    def clean_text(self) -> str:
        """Return the text with plain line ends."""
        return _plain_lines(self.cleaned_data["text"])

    def clean_note(self) -> str:
        """Return the note with plain line ends."""
        return _plain_lines(self.cleaned_data["note"])

    def clean_condition(self) -> Raw | None:
        """Return the condition as data, once it can be read."""
        try:
            raw = parse_condition(self.cleaned_data["condition"])
            if raw is not None and raw != self.clause.condition:
                checker_of(latest_vocabulary()).check(raw)
        except ConditionError as error:
            raise forms.ValidationError(str(error)) from error
        return raw

    def clean_words(self) -> Words:
        """Return the added words by subject, once the vocabulary takes them."""
        try:
            words = read_additions(self.cleaned_data["words"])
            if words:
                held = latest_vocabulary()
                Vocabulary("", with_additions(held.data, words, held.version + 1)["words"])
        except ConditionError as error:
            raise forms.ValidationError(str(error)) from error
        return words

    def clean_name(self) -> str:
        """Refuse a name that another edition of the institution has."""
        name: str = self.cleaned_data["name"]
        if self.is_final and not name:
            raise forms.ValidationError("请给新版本起一个名称。")
        editions = ListEdition.objects.filter(institution=self.clause.edition.institution_id)
        if self.is_final and editions.filter(name=name).exists():
            raise forms.ValidationError(f"已有名为“{name}”的版本，请换一个名称。")
        return name

    def clean_effective_from(self) -> date | None:
        """A day from that of the edition in force on; with one after today it has to wait."""
        day: date | None = self.cleaned_data["effective_from"]
        if not self.is_final:
            return day
        if day is None:
            raise forms.ValidationError("请填写生效日期。")
        held = self.clause.edition
        if day < held.effective_from:
            raise forms.ValidationError(f"生效日期不能早于现行版本的 {held.effective_from}。")
        other = waiting(held.institution_id) if day > local_today() else None
        if other is not None:
            raise forms.ValidationError(must_not_wait_beside(other))
        return day

    @property
    def clause_fields(self) -> list[Any]:
        """The fields of the clause itself."""
        return [self[name] for name in CLAUSE_FIELDS if name in self.fields]

    @property
    def force_fields(self) -> list[Any]:
        """What to put the change in force with."""
        return [self[name] for name in FORCE_FIELDS]


class SharedForm(ChangeForm):
    """A shared condition as it shall read, what to try it on, and why it is changed.

    `version` is that of the words when the page was opened. What the condition says is checked by
    the services, which know what refers to it.
    """

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    condition = forms.CharField(
        label="条件",
        strip=False,  # line numbers in sentences are those of the field
        max_length=LONGEST_CONDITION,
        widget=_code_area(18),
        help_text="JSON，写法见旁边的说明。",
    )
    note = forms.CharField(
        label="说明",
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="它指什么、不包括什么，一两句话。",
    )

    def __init__(
        self, data: Any = None, *, use: SharedUse, version: int, is_final: bool = False
    ) -> None:
        condition = {key: value for key, value in use.condition.items() if key != "note"}
        initial = {"version": version, "condition": as_json(condition), "note": use.note}
        super().__init__(data, initial=initial)
        self.use = use
        self.is_final = is_final

    def change(self) -> SharedChange:
        """Return what was asked for."""
        said = self.cleaned_data
        note = {"note": said["note"]} if said["note"] else {}
        return SharedChange(self.use.name, {**note, **said["condition"]}, said["version"])

    def clean_condition(self) -> Raw:
        """Return the condition as data, once it can be read."""
        try:
            raw = parse_condition(self.cleaned_data["condition"])
        except ConditionError as error:
            raise forms.ValidationError(str(error)) from error
        if raw is None:
            raise forms.ValidationError("公用条件不能留空：条款还要按它判断。")
        if "note" in raw:
            raise forms.ValidationError("最外层的 note 请写在“说明”一栏，不要写进条件。")
        return raw

    def clean_note(self) -> str:
        """Return the note in one line."""
        return " ".join(self.cleaned_data["note"].split())

    @property
    def shared_fields(self) -> list[Any]:
        """The condition itself."""
        return [self[name] for name in SHARED_FIELDS]


def as_json(condition: Raw | None) -> str:
    """Return a condition as a person edits it; nothing for none."""
    return "" if condition is None else json.dumps(condition, ensure_ascii=False, indent=2)


def _plain_lines(text: str) -> str:
    return text.replace("\r\n", "\n")


def _initial(clause: Clause) -> dict[str, Any]:
    return {
        "title": clause.title,
        "text": clause.text,
        "strength": clause.strength,
        "condition": as_json(clause.condition),
        "note": clause.note,
        "name": _free_name(clause.edition),
        "effective_from": local_today(),
    }


def _free_name(edition: ListEdition) -> str:
    editions = ListEdition.objects.filter(institution=edition.institution_id)
    taken = set(editions.values_list("name", flat=True))
    plain = f"{local_today()} 修订"
    numbered = (f"{plain}（{number}）" for number in range(2, len(taken) + 3))
    return next(name for name in (plain, *numbered) if name not in taken)
