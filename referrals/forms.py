"""Forms of moves and returns; amounts may be typed as people write them."""

import unicodedata
import uuid
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms

from common.cells import Cell, CellError, to_months, to_percent, to_wan
from common.errors import InvalidInput
from common.money import WAN_STEP, plain, round_half_up
from common.months import local_today, month_key, month_label, month_of, parse_month
from institutions.models import Institution
from referrals.lifecycle import DeclineReason
from referrals.offers import Offer
from referrals.services.moves import EARLIEST, NEW, MoveDetails
from referrals.standing import DealStanding, ReferralStanding

LONGEST = 40
LARGEST_UPLOAD = 20 * 1024 * 1024


class CellField(forms.Field):
    """A field that reads what is typed as a cell of a workbook is read: 1,200 / 1.2亿元 / 5年."""

    def __init__(self, *, parse: Callable[[Cell], Any], unit: str, **kwargs: Any) -> None:
        attrs = {
            "inputmode": "decimal",
            "autocomplete": "off",
            "maxlength": LONGEST,
            "data-unit": unit,
        }
        super().__init__(widget=forms.TextInput(attrs=attrs), **kwargs)
        self._parse = parse

    def to_python(self, value: Any) -> Any:
        """Return the amount, rate or term; None for an empty field."""
        text = str(value or "").strip()
        if len(text) > LONGEST:
            raise forms.ValidationError("太长，请只写一个数。")
        try:
            return self._parse(Cell(text)) if text else None
        except CellError as error:
            raise forms.ValidationError(error.message) from error

    def prepare_value(self, value: Any) -> Any:
        """Show a number without trailing zeros; what was typed stays as it was typed."""
        return plain(value) if isinstance(value, Decimal) else value


def _rate(cell: Cell) -> Decimal | None:
    rate = to_percent(cell)
    if rate is not None and not 0 <= rate < 100:
        raise CellError("利率应在 0 到 100 之间，请按百分数填写，如 3.72。")
    return None if rate is None else round_half_up(rate, WAN_STEP)


def _amount(label: str) -> Callable[[], forms.Field]:
    return lambda: CellField(label=label, parse=to_wan, unit="万元")


def _voucher(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


# How each input of a move is asked for.
FIELDS: dict[str, Callable[[], forms.Field]] = {
    "intended_wan": _amount("意向金额"),
    "approved_wan": _amount("授信金额"),
    "paid_wan": _amount("本次投放金额"),
    "rate_pct": lambda: CellField(label="执行利率", parse=_rate, unit="%"),
    "term_months": lambda: CellField(label="期限", parse=to_months, unit="月"),
    "voucher_no": lambda: forms.CharField(label="凭证号", max_length=60),
    "decline_reason": lambda: forms.ChoiceField(
        label="原因", choices=[("", "请选择"), *DeclineReason.choices]
    ),
    "note": lambda: forms.CharField(
        label="说明", max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    ),
}
DAY_LABELS = {"disburse": "投放日期"}
HELP = {
    "paid_wan": "冲正填负数，并在说明中写明原因。",
    "approved_wan": "与意向金额相同时可以不填。",
}


class MoveForm(forms.Form):
    """One move on one referral: which deal, when, and what the move needs and takes."""

    def __init__(self, *args: Any, offer: Offer, standing: ReferralStanding, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", f"id_{offer.action}_%s")
        super().__init__(*args, **kwargs)
        self.offer = offer
        self._standing = standing
        self.fields["action"] = forms.CharField(initial=offer.action, widget=forms.HiddenInput)
        self.fields["key"] = forms.CharField(
            initial=lambda: str(uuid.uuid4()),
            max_length=36,
            required=False,
            widget=forms.HiddenInput,
        )
        self.fields["deal"] = self._deal_field()
        for name in offer.move.needs:
            self._add_input(name)
        self.fields["occurred_on"] = forms.DateField(
            label=DAY_LABELS.get(offer.action, "日期"),
            initial=local_today,
            widget=forms.DateInput(
                format="%Y-%m-%d",  # what a date field of a browser wants, in every language
                attrs={"type": "date", "max": local_today().isoformat()},
            ),
        )
        for name in offer.move.takes:
            self._add_input(name)

    def details(self) -> MoveDetails:
        """Return what was said, for the service."""
        said = {
            name: value
            for name, value in self.cleaned_data.items()
            if name != "action" and value not in (None, "")
        }
        return MoveDetails(**said)

    def clean_deal(self) -> int | str | None:
        """Return the id of the deal, "new", or None where there is nothing to choose."""
        chosen: str = self.cleaned_data["deal"]
        return int(chosen) if chosen.isdecimal() else chosen or None

    def clean_voucher_no(self) -> str:
        """Return the voucher in half-width signs, without blanks."""
        return _voucher(self.cleaned_data["voucher_no"])

    def _add_input(self, name: str) -> None:
        if name not in FIELDS or name in self.fields:
            return
        field = FIELDS[name]()
        field.required = name in self.offer.move.needs
        if name == "paid_wan" or not field.required:
            field.help_text = HELP.get(name, "")
        if name in ("intended_wan", "approved_wan") and self._only_deal:
            latest = self._only_deal.latest
            field.initial = getattr(latest, name) if latest else None
        self.fields[name] = field

    @property
    def _only_deal(self) -> DealStanding | None:
        return self.offer.deals[0] if len(self.offer.deals) == 1 else None

    def _deal_field(self) -> forms.ChoiceField:
        choices = [(str(deal.deal.pk), _deal_label(deal)) for deal in self.offer.deals]
        if self.offer.without_deal:
            choices.append((NEW if self.offer.deals else "", "新的一笔"))
        if self.offer.must_choose:
            return forms.ChoiceField(
                label="哪一笔",
                choices=choices,
                # Of several deals none is more likely than the others.
                initial=choices[0][0] if self._only_deal else None,
                widget=forms.RadioSelect,
            )
        return forms.ChoiceField(
            choices=choices, initial=choices[0][0], required=False, widget=forms.HiddenInput
        )


def _deal_label(deal: DealStanding) -> str:
    agreed = "" if deal.agreed_wan is None else f"，约定 {plain(deal.agreed_wan)} 万元"
    paid = f"，已投放 {plain(deal.paid_wan)} 万元" if deal.paid_wan else ""
    return f"{deal.deal.voucher_no or '无凭证号'}（{deal.stage.label}{agreed}{paid}）"


class MonthField(forms.Field):
    """A month, typed or picked as 2022-02; its first day inside."""

    widget = forms.TextInput(attrs={"type": "month", "placeholder": "2022-02"})

    def to_python(self, value: Any) -> date | None:
        """Return the first day of the month."""
        try:
            month = parse_month(str(value)) if value else None
        except InvalidInput as error:
            raise forms.ValidationError(error.message) from error
        if month and not EARLIEST <= month <= month_of(local_today()):
            raise forms.ValidationError(f"{month_label(month)}不能报送，请填本月或以前的月份。")
        return month

    def prepare_value(self, value: Any) -> Any:
        """Show 2022-02."""
        return month_key(value) if isinstance(value, date) else value


class MonthForm(forms.Form):
    """The month a page is asked for."""

    month = MonthField(label="月份")


class InstitutionForm(forms.Form):
    """Whose return it is: asked only where there is a choice."""

    institution = forms.ModelChoiceField(
        queryset=Institution.objects.none(),
        to_field_name="code",
        label="机构",
        empty_label="请选择",
    )

    def __init__(self, *args: Any, institutions: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["institution"]
        field.queryset = institutions  # type: ignore[attr-defined]
        codes = list(institutions.values_list("code", flat=True)[:2])
        if len(codes) == 1:
            field.initial = codes[0]
            field.widget = forms.HiddenInput()


class ReturnForm(InstitutionForm):
    """A month's return without a file: what the pages hold, or nil."""

    month = MonthField(label="月份")
    kind = forms.ChoiceField(
        label="报送内容",
        choices=[
            ("moved", "本月进展已在网页登记，现在报送"),
            ("nil", "本月没有任何进展，报零报告"),
        ],
        widget=forms.RadioSelect,
    )


class UploadForm(forms.Form):
    """A month's return as a workbook."""

    month = MonthField(label="月份")
    file = forms.FileField(
        label="进展表",
        widget=forms.FileInput(attrs={"accept": ".xlsx"}),
        help_text="只收 .xlsx；先预览，确认后才保存。",
        error_messages={"required": "请选择进展表文件。", "empty": "文件是空的，请重新选择。"},
    )

    def clean_file(self) -> Any:
        """Refuse what is too large before it is read."""
        file = self.cleaned_data["file"]
        if file.size > LARGEST_UPLOAD:
            raise forms.ValidationError("文件超过 20 MB，请只留进展表这一张工作表。")
        return file


class TemplateForm(InstitutionForm):
    """Which month's table to download, for whom."""

    month = MonthField(label="月份")
