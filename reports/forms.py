"""What a person fills in to have a bulletin made or revised."""

from django import forms

from referrals.forms import MonthField


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
