"""Login, logout, password, the list of accounts."""

from django.contrib import auth, messages
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import services
from accounts.choices import Role
from accounts.filtersets import AccountFilter
from accounts.forms import AccountActiveForm, LoginForm, PasswordForm
from accounts.models import User
from accounts.permissions import PersonRequest, only
from common.errors import InvalidInput

PAGE_SIZE = 50


@login_not_required
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def login(request: HttpRequest) -> HttpResponse:
    """Ask for name and password; lead on to where the person wanted to go."""
    if request.user.is_authenticated:
        return redirect(_next_address(request))
    form = LoginForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _login_page(request, form, status=422 if form.is_bound else 200)
    try:
        user = services.log_in(**form.cleaned_data)
    except (InvalidInput, services.LoginLocked) as refusal:
        form.add_error(None, refusal.message)
        return _login_page(request, form, status=refusal.status)
    auth.login(request, user)
    return redirect(_next_address(request))


def _login_page(request: HttpRequest, form: LoginForm, *, status: int) -> HttpResponse:
    context = {"form": form, "next": request.GET.get("next", "")}
    return render(request, "accounts/login.html", context, status=status)


def _next_address(request: HttpRequest) -> str:
    """Return the address in `next` if it is one of ours, else the start page."""
    address = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return address if is_ours else reverse("start")


@require_POST
def logout(request: PersonRequest) -> HttpResponse:
    """End the session."""
    services.record_log_out(by=request.user)
    auth.logout(request)
    messages.success(request, "已退出登录。")
    return redirect("login")


@sensitive_post_parameters("old_password", "new_password", "repeated")
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: PersonRequest) -> HttpResponse:
    """Let a person choose a new password; other sessions of the account end."""
    typed = request.POST if request.method == "POST" else None
    form = PasswordForm(typed, user=request.user)
    if not form.is_valid():
        return _password_page(request, form, status=422 if form.is_bound else 200)
    old, new = form.cleaned_data["old_password"], form.cleaned_data["new_password"]
    try:
        user = services.change_password(by=request.user, old_password=old, new_password=new)
    except (InvalidInput, services.LoginLocked) as refusal:
        form.add_error("old_password", refusal.message)
        return _password_page(request, form, status=refusal.status)
    auth.update_session_auth_hash(request, user)
    messages.success(request, "密码已修改；其他地方的登录已经失效。")
    return redirect("start")


def _password_page(request: PersonRequest, form: PasswordForm, *, status: int) -> HttpResponse:
    return render(request, "accounts/password.html", {"form": form}, status=status)


@require_safe
@only(Role.SYSADMIN, Role.SECADMIN)
def account_list(request: PersonRequest) -> HttpResponse:
    """List the accounts; the security administrator may switch them off and on."""
    visible = User.objects.visible_to(request.user).order_by("role", "username")
    # The institution of a bank's clerk is known to a higher room; only its name is shown here.
    rows = visible.select_related("region", "department", "membership__institution")
    filters = AccountFilter(request.GET, queryset=rows)
    context = {
        "filter": filters,
        "page_obj": Paginator(filters.qs, PAGE_SIZE).get_page(request.GET.get("page")),
        "may_switch": request.user.role == Role.SECADMIN,
    }
    return render(request, "accounts/accounts.html", context)


@require_POST
@only(Role.SECADMIN)
def account_active(request: PersonRequest, pk: int) -> HttpResponse:
    """Switch an account off or on, with the reason."""
    form = AccountActiveForm(request.POST)
    if not form.is_valid():
        raise InvalidInput("请写明启用或停用的原因（不超过 200 字）。")
    account = services.set_account_active(account_id=pk, by=request.user, **form.cleaned_data)
    messages.success(request, f"账号“{account}”已{'启用' if account.is_active else '停用'}。")
    return redirect("accounts")
