"""Pages that belong to no business: jobs, the audit record, the probe, what went wrong."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from common import audit, faults, health, jobs
from common.audit_words import changes_of
from common.errors import NotAllowed
from common.filtersets import AuditFilter, JobFilter
from common.models import AuditRecord, Job

PAGE_SIZE = 50


def page_of(request: HttpRequest, rows: QuerySet[Any]) -> Page[Any]:
    """Return the page of rows that was asked for; a page that is not there is the last one."""
    return Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))


@require_safe
def job_list(request: HttpRequest) -> HttpResponse:
    """Show the user's own jobs; who runs the system sees all."""
    visible = Job.objects.visible_to(request.user).select_related("requested_by")
    filters = JobFilter(request.GET, queryset=visible.order_by("-pk"))
    context = {"filter": filters, "page_obj": page_of(request, filters.qs)}
    return render(request, "common/jobs.html", context)


@require_safe
@vary_on_headers("HX-Request")
def job_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show how far a job is; the page asks for its own fragment while the job is active."""
    visible = Job.objects.visible_to(request.user).select_related("requested_by")
    is_fragment = request.headers.get("HX-Request") == "true"
    template = "common/_job.html" if is_fragment else "common/job.html"
    return render(request, template, {"job": get_object_or_404(visible, pk=pk)})


@require_POST
def job_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel a job that waits, or ask a running one to stop."""
    job = jobs.cancel(job_id=pk, by=request.user)
    messages.success(request, f"已请求取消“{job.title}”。" if job.is_active else "任务已取消。")
    return redirect("job", pk=pk)


@require_safe
def audit_list(request: HttpRequest) -> HttpResponse:
    """Show the record to the auditor; that it was read is itself recorded."""
    reader: Any = request.user
    if not reader.reads_audit:
        raise NotAllowed("审计记录只对审计员开放。")
    visible = AuditRecord.objects.visible_to(reader)
    filters = AuditFilter(request.GET, queryset=visible.order_by("-pk"))
    page = page_of(request, filters.qs)
    rows = [{"record": record, "changes": list(changes_of(record))} for record in page.object_list]
    asked = {name: value for name, value in request.GET.items() if value}
    audit.record("audit.read", by=reader, after=asked)
    return render(request, "common/audit.html", {"filter": filters, "page_obj": page, "rows": rows})


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Tell a probe whether database and queue work, and nothing else."""
    report = health.check()
    return JsonResponse(report, status=200 if report["database"] else 503)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400."""
    return faults.as_bare_page(request, faults.BAD_REQUEST, "400.html")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403."""
    return faults.as_page(request, faults.FORBIDDEN, "403.html")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form without a valid token."""
    return faults.as_page(request, faults.CSRF, "403.html")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404."""
    return faults.as_page(request, faults.NOT_FOUND, "404.html")


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500; the database may be what failed."""
    return faults.as_bare_page(request, faults.SERVER_ERROR, "500.html")
