"""Pages on which the bureau changes clauses: the list, the editor, the subjects to look up."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.choices import Role
from accounts.permissions import PersonRequest, only
from common.errors import IllegalMove, InvalidInput
from common.months import local_today
from institutions.editions import waiting
from institutions.models import Clause, ListEdition
from matching.amendments import (
    Enforced,
    clause_of,
    enforce_amendment,
    needs_new_run,
    projects_to_try,
    subjects_of,
    try_amendment,
)
from matching.conditions import ConditionError
from matching.editor_page import SUBJECTS_SHOWN, language_of, place_of, shown_trial
from matching.filtersets import ClauseFilter
from matching.forms import ClauseForm
from matching.versions import latest_vocabulary

PAGE_SIZE = 50
REFUSALS = (InvalidInput, IllegalMove, ConditionError)


@require_safe
@only(Role.BUREAU)
def clauses(request: PersonRequest) -> HttpResponse:
    """List the clauses in force, each with the way to its editor."""
    editions = ListEdition.objects.visible_to(request.user).in_force()
    rows = Clause.objects.filter(edition__in=editions).exclude(number="")
    rows = rows.select_related("edition__institution")
    rows = rows.order_by("edition__institution__display_order", "position")
    found = ClauseFilter(request.GET, queryset=rows)
    page = Paginator(found.qs, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "matching/clauses.html", {"filter": found, "page_obj": page})


@require_safe
@only(Role.BUREAU)
@vary_on_headers("HX-Request")
def clause_subjects(request: PersonRequest) -> HttpResponse:
    """Look up the subjects that conditions may name."""
    vocabulary = latest_vocabulary()
    text = request.GET.get("subject", "")
    found = subjects_of(vocabulary, text)
    is_fragment = request.headers.get("HX-Request") == "true"
    template = "matching/_subjects.html" if is_fragment else "matching/subjects.html"
    shown = found[:SUBJECTS_SHOWN] if is_fragment else found
    context = {"subjects": shown, "count": len(found), "vocabulary": vocabulary, "sought": text}
    return render(request, template, context)


@require_http_methods(["GET", "HEAD", "POST"])
@only(Role.BUREAU)
def clause_edit(request: PersonRequest, edition: int, polarity: str, place: str) -> HttpResponse:
    """Change a clause: `do=trial` says what would come of it, `do=enforce` puts it in force."""
    clause = clause_of(edition, polarity, place, request.user)
    if request.method != "POST":
        return _editor(request, ClauseForm(clause=clause))
    is_final = request.POST.get("do") == "enforce"
    form = ClauseForm(request.POST, clause=clause, is_final=is_final)
    if not form.is_valid():
        return _editor(request, form, status=422)
    if form.amendment().is_empty:
        form.add_error(None, "没有任何改动：先改标题、内容、力度、条件、说明，或补充词。")
        return _editor(request, form, status=422)
    return _enforce(request, form) if is_final else _try(request, form)


def _try(request: PersonRequest, form: ClauseForm) -> HttpResponse:
    said = form.cleaned_data
    projects = projects_to_try(
        by=request.user, text=said["q"], region=said["region"], on=local_today()
    )
    trial, asked = try_amendment(amendment=form.amendment(), projects=projects)
    shown = shown_trial(trial, {place_of(form.clause)})
    return _editor(request, form, {"trial": shown, "asked": asked})


def _enforce(request: PersonRequest, form: ClauseForm) -> HttpResponse:
    said = form.cleaned_data
    clause = form.clause
    try:
        done = enforce_amendment(
            amendment=form.amendment(),
            name=said["name"],
            effective_from=said["effective_from"],
            reason=said["reason"],
            by=request.user,
        )
    except REFUSALS as refusal:
        form.add_error(None, str(refusal))
        return _editor(request, form, status=getattr(refusal, "status", 422))
    messages.success(request, _sentence(done))
    # An edition that waits cannot be changed: the one in force stays the one to edit.
    edition = done.edition if done.edition and not done.is_waiting else clause.edition
    return redirect(_address(edition.pk, clause))


def _sentence(done: Enforced) -> str:
    if done.edition and done.is_waiting:
        day = done.edition.effective_from
        return f"{done.edition}已采纳，将于 {day} 生效，之后自动重新匹配。"
    made = [str(each) for each in (done.edition, done.vocabulary) if each]
    return f"{'、'.join(made)}已生效。已存的匹配结论还没有变，可以重新匹配。"


def _address(edition_id: int, clause: Clause) -> str:
    return reverse("clause_edit", args=[edition_id, clause.polarity, clause.position])


def _editor(
    request: PersonRequest,
    form: ClauseForm,
    more: dict[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "form": form,
        "clause": form.clause,
        "edition": form.clause.edition,
        "waiting": waiting(form.clause.edition.institution_id),
        "needs_run": needs_new_run(form.clause.edition),
        **language_of(latest_vocabulary()),
        **(more or {}),
    }
    return render(request, "matching/clause_edit.html", context, status=status)
