"""What a person fills in to have a bulletin made or revised."""

from datetime import date

from django import forms

from common.errors import InvalidInput
from common.months import parse_month


class MonthField(forms.CharField):
    """A month typed or picked as YYYY-MM; cleaned to its first day."""

    widget = forms.TextInput(attrs={"type": "month", "placeholder": "2022-02"})

    def clean(self, value: str) -> date | None:
        """Return the first day of the month. Raises ValidationError with the sentence."""
        text = super().clean(value)
        try:
            return parse_month(text) if text else None
        except InvalidInput as error:
            raise forms.ValidationError(error.message) from error


class MakeBulletinForm(forms.Form):
    """Which month."""

    month = MonthField(label="月份")


class ReviseBulletinForm(forms.Form):
    """Why a further revision is needed."""

    reason = forms.CharField(
        label="修订原因",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="写明哪家机构、哪一笔、为什么改；原版本保留不变。",
    )
