"""Pages of matching."""

from collections.abc import Iterator, Mapping

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header, urlencode
from django.views.decorators.http import require_GET, require_POST, require_safe

from accounts.choices import Role
from accounts.permissions import PersonRequest, only
from common import audit
from common.errors import InvalidInput
from common.months import local_today
from common.views import page_of
from institutions.models import Institution
from matching.exporting import render_matrix
from matching.filtersets import MatrixFilter
from matching.matrix import MATRIX_READERS, changes, lines, totals
from matching.services import (
    ANSWERERS,
    MATCHERS,
    GivenAnswer,
    answer_questions,
    latest_run,
    start_run,
)
from projects.models import Project

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# What narrows the matrix; paging does not.
NARROWING = frozenset(MatrixFilter.base_filters)
# No list asks as many questions of one project.
MOST_QUESTIONS = 100


@require_POST
@only(Role.BUREAU)
def match_start(request: PersonRequest) -> HttpResponse:
    """Match all projects again in the background."""
    run = start_run(by=request.user, reason="财政局在页面上要求重新匹配")
    messages.success(request, f"已开始匹配 {run.project_count} 个项目，进度见任务。")
    return redirect("jobs")


@require_safe
@only(*MATRIX_READERS)
def match_matrix(request: PersonRequest) -> HttpResponse:
    """Show what each institution's lists say of each project, and what the last run changed."""
    found = _filter(request)
    page = page_of(request, found.qs)
    institutions = found.institutions
    run = latest_run()
    context = {
        "filter": found,
        "page_obj": page,
        "institutions": institutions,
        "lines": lines(request.user, page.object_list, institutions),
        "totals": totals(request.user, found.qs, institutions),
        "has_rows_of_totals": found.has_rows_of_totals,
        "run": run,
        "changes": changes(request.user, run),
        "is_narrowed": any(value for name, value in request.GET.items() if name in NARROWING),
        "may_match": request.user.role in MATCHERS,
    }
    return render(request, "matching/matches.html", context)


@require_GET
@only(*MATRIX_READERS)
def matches_xlsx(request: PersonRequest) -> HttpResponse:
    """Download what the page shows under the same filter; who took it is recorded."""
    found = _filter(request)
    if (run := latest_run()) is None:
        raise InvalidInput("还没有匹配，没有可以导出的结果。请先在匹配页面重新匹配。")
    projects = list(found.qs)
    content = render_matrix(
        projects=projects, institutions=found.institutions, run=run, by=request.user
    )
    asked = {name: value for name, value in request.GET.items() if value and name in NARROWING}
    audit.record(
        "matching.download_matches",
        by=request.user,
        after=asked | {"projects": len(projects), "format": "xlsx"},
    )
    response = HttpResponse(content, content_type=XLSX_TYPE)
    name = f"项目匹配_{local_today():%Y-%m-%d}.xlsx"
    response["Content-Disposition"] = content_disposition_header(True, name)
    return response


@require_POST
@only(*ANSWERERS)
def match_answer(request: PersonRequest, code: str, institution: str) -> HttpResponse:
    """Record what somebody found out about the questions of one institution's lists."""
    project = get_object_or_404(Project.objects.visible_to(request.user), code=code)
    visible = Institution.objects.visible_to(request.user)
    bank = get_object_or_404(visible, code=institution)
    count = answer_questions(
        project=project, institution=bank, answers=_given(request.POST), by=request.user
    )
    if count:
        messages.success(request, f"已记录 {count} 项核实结果。")
    else:
        messages.info(request, "没有新的回答，什么都没有改动。")
    opened = urlencode({"match": bank.code})
    return redirect(f"{reverse('project', args=[project.code])}?{opened}#match-{bank.code}")


def _filter(request: PersonRequest) -> MatrixFilter:
    visible = Project.objects.visible_to(request.user)
    rows = visible.select_related("region", "sector").order_by("code")
    return MatrixFilter(request.GET, queryset=rows, request=request)


def _given(posted: Mapping[str, str]) -> Iterator[GivenAnswer]:
    for number in range(MOST_QUESTIONS):
        if posted.get(f"answer-{number}"):
            yield GivenAnswer(
                clause=posted.get(f"clause-{number}", ""),
                question=posted.get(f"question-{number}", ""),
                answer=posted[f"answer-{number}"],
                note=posted.get(f"note-{number}", "").strip(),
            )
