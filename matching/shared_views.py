"""Pages on which the bureau changes the conditions that many clauses share."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.choices import Role
from accounts.permissions import PersonRequest, only
from common.errors import IllegalMove
from common.months import local_today
from matching.amendments import needs_new_run, projects_to_try
from matching.clause_views import PAGE_SIZE, REFUSALS
from matching.conditions import ConditionError
from matching.editor_page import language_of, place_of, shown_trial
from matching.forms import SharedForm, as_json
from matching.shared_conditions import enforce_shared, try_shared, use_of, uses_of
from matching.versions import latest_vocabulary


@require_safe
@only(Role.BUREAU)
def shared_conditions(request: PersonRequest) -> HttpResponse:
    """List the shared conditions with how many clauses of which institutions go by each."""
    vocabulary = latest_vocabulary()
    uses = uses_of(vocabulary, request.user)
    sought = request.GET.get("q", "").strip()
    found = [use for use in uses if sought.lower() in f"{use.name} {use.note}".lower()]
    context = {
        "page_obj": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")),
        "vocabulary": vocabulary,
        "total": len(uses),
        "sought": sought,
    }
    return render(request, "matching/shared_conditions.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@only(Role.BUREAU)
def shared_condition(request: PersonRequest, name: str) -> HttpResponse:
    """Change one: `do=trial` says what would come of it, `do=enforce` puts it in force."""
    vocabulary = latest_vocabulary()
    use = use_of(name, vocabulary, request.user)
    version = vocabulary.version
    if request.method != "POST":
        return _editor(request, SharedForm(use=use, version=version))
    is_final = request.POST.get("do") == "enforce"
    form = SharedForm(request.POST, use=use, version=version, is_final=is_final)
    if not form.is_valid():
        return _editor(request, form, status=422)
    try:
        return _enforce(request, form) if is_final else _try(request, form)
    except REFUSALS as refusal:
        form.add_error("condition" if isinstance(refusal, ConditionError) else None, str(refusal))
        return _editor(request, form, status=getattr(refusal, "status", 422))


def _try(request: PersonRequest, form: SharedForm) -> HttpResponse:
    said = form.cleaned_data
    projects = projects_to_try(
        by=request.user, text=said["q"], region=said["region"], on=local_today()
    )
    trial, asked = try_shared(change=form.change(), projects=projects, by=request.user)
    shown = shown_trial(trial, {place_of(clause) for clause in form.use.clauses})
    return _editor(request, form, {"trial": shown, "asked": asked})


def _enforce(request: PersonRequest, form: SharedForm) -> HttpResponse:
    reason = form.cleaned_data["reason"]
    made = enforce_shared(change=form.change(), reason=reason, by=request.user)
    messages.success(request, f"{made}已生效。已存的匹配结论还没有变，可以重新匹配。")
    return redirect("shared_condition", name=form.use.name)


def _editor(
    request: PersonRequest,
    form: SharedForm,
    more: dict[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "form": form,
        "use": form.use,
        # Somebody else's change came first: what holds now stands beside what was typed.
        "holding": as_json(form.use.condition) if status == IllegalMove.status else "",
        "needs_run": needs_new_run(),
        **language_of(latest_vocabulary()),
        **(more or {}),
    }
    return render(request, "matching/shared_condition.html", context, status=status)
