"""Pages of the bulletins: list, one bulletin, make, revise, download."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_POST

from accounts.choices import Role
from accounts.permissions import BUSINESS, PersonRequest, only
from common import audit
from common.errors import InvalidInput
from common.months import local_today, month_key, month_of, next_month, previous_month
from reports.forms import MakeBulletinForm, ReviseBulletinForm
from reports.models import Bulletin
from reports.page import bulletin_page
from reports.renderers.wording import TITLE_LINES
from reports.renderers.xlsx import render_xlsx
from reports.services import MAKERS, find_document, recompute, request_bulletin

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PAGE_SIZE = 50


def proposed_month(user: Any) -> date:
    """The month a new bulletin would be for: after the last one, else the last that ended."""
    latest = Bulletin.objects.visible_to(user).newest_first().values_list("month", flat=True)
    ended = previous_month(month_of(local_today()))
    return min(next_month(latest[0]), ended) if latest else ended


@require_GET
@only(*BUSINESS)
def bulletins(request: PersonRequest) -> HttpResponse:
    """List the bulletins, the latest first."""
    found = Bulletin.objects.visible_to(request.user).newest_first().defer("detail")
    context = {
        "page_obj": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")),
        "may_make": request.user.role in MAKERS,
        "form": MakeBulletinForm(initial={"month": proposed_month(request.user)}),
    }
    return render(request, "reports/bulletins.html", context)


@require_GET
@only(*BUSINESS)
def bulletin(request: PersonRequest, month: date) -> HttpResponse:
    """Show one bulletin: narrative on the left, tables and charts on the right."""
    document = find_document(month=month, by=request.user, revision=_revision(request))
    revisions = Bulletin.objects.visible_to(request.user).of_month(month)
    shown = revisions.select_related("rules", "frozen_by").get(revision=document.revision)
    context = {
        "bulletin": shown,
        "title_lines": TITLE_LINES,
        "revisions": revisions.defer("snapshot", "detail"),
        "page": bulletin_page(document),
        "may_make": request.user.role in MAKERS,
        "form": ReviseBulletinForm(),
        "is_same": not recompute(shown) if "verify" in request.GET else None,
    }
    return render(request, "reports/bulletin.html", context)


@require_POST
@only(Role.BUREAU)
def bulletin_make(request: PersonRequest) -> HttpResponse:
    """Ask for a month's bulletin and go where its progress is shown."""
    form = MakeBulletinForm(request.POST)
    if not form.is_valid():
        raise InvalidInput("".join(str(error) for error in form.errors["month"]))
    month = form.cleaned_data["month"]
    if Bulletin.objects.visible_to(request.user).of_month(month).exists():
        messages.info(request, "这个月的通报已经冻结，下面就是；要改请出修订版。")
        return redirect("bulletin", month)
    job = request_bulletin(month=month, by=request.user)
    return redirect("job", job.pk)


@require_POST
@only(Role.BUREAU)
def bulletin_revise(request: PersonRequest, month: date) -> HttpResponse:
    """Ask for a further revision of a frozen bulletin."""
    find_document(month=month, by=request.user)
    form = ReviseBulletinForm(request.POST)
    if not form.is_valid():
        raise InvalidInput("出修订版要写明原因。")
    job = request_bulletin(month=month, by=request.user, reason=form.cleaned_data["reason"])
    return redirect("job", job.pk)


@require_GET
@only(*BUSINESS)
def bulletin_xlsx(request: PersonRequest, month: date) -> HttpResponse:
    """Download a bulletin as a workbook; who took it is recorded."""
    document = find_document(month=month, by=request.user, revision=_revision(request))
    audit.record(
        "reports.download_bulletin",
        by=request.user,
        after={"month": month_key(month), "revision": document.revision, "format": "xlsx"},
    )
    name = f"融资对接通报_{month_key(month)}_第{document.revision}版.xlsx"
    response = HttpResponse(render_xlsx(document), content_type=XLSX_TYPE)
    response["Content-Disposition"] = content_disposition_header(True, name)
    return response


def _revision(request: PersonRequest) -> int | None:
    text = request.GET.get("revision", "")
    return int(text) if text.isdecimal() and len(text) < 5 else None
