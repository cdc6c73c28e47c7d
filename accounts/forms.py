"""Forms of login, password and accounts."""

from typing import Any

from django import forms

from accounts.models import User
from accounts.services import password_faults

PASSWORD_HELP = "至少 12 个字符；不能全是数字，不能是常见密码，也不要与用户名相近。"


def _password_field(label: str, autocomplete: str, help_text: str = "") -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(
        label=label, strip=False, max_length=128, widget=widget, help_text=help_text
    )


class LoginForm(forms.Form):
    """Name and password."""

    username = forms.CharField(
        label="用户名",
        max_length=60,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autofocus": True, "autocapitalize": "none"}
        ),
    )
    password = _password_field("密码", "current-password")


class PasswordForm(forms.Form):
    """The old password and the new one, twice."""

    old_password = _password_field("现在的密码", "current-password")
    new_password = _password_field("新密码", "new-password", PASSWORD_HELP)
    repeated = _password_field("再输一次新密码", "new-password")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_new_password(self) -> str:
        """Hold the new password against the rules of the house."""
        new_password: str = self.cleaned_data["new_password"]
        if faults := password_faults(new_password, self.user):
            raise forms.ValidationError(faults)
        return new_password

    def clean_repeated(self) -> str:
        """Catch a slip of the finger."""
        repeated: str = self.cleaned_data["repeated"]
        if self.cleaned_data.get("new_password", repeated) != repeated:
            raise forms.ValidationError("两次输入的新密码不一样，请重新输入。")
        return repeated


class AccountActiveForm(forms.Form):
    """Why an account is switched off or on."""

    is_active = forms.BooleanField(required=False)
    reason = forms.CharField(
        label="原因", max_length=200, widget=forms.TextInput(attrs={"placeholder": "原因"})
    )
