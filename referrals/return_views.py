"""Pages of monthly returns: who has reported, reporting without and with a workbook."""

from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_POST, require_safe

from accounts.choices import Role
from accounts.models import User
from accounts.permissions import PersonRequest, only
from common import audit
from common.errors import InvalidInput
from common.months import (
    local_today,
    month_key,
    month_label,
    month_of,
    next_month,
    previous_month,
)
from institutions.models import Institution
from referrals.exporting import render_template, template_lines
from referrals.forms import MonthForm, ReturnForm, TemplateForm, UploadForm
from referrals.overview import (
    count_states,
    month_to_report,
    month_to_show,
    months_of,
    side_by_side,
)
from referrals.services import (
    confirm_upload,
    discard_upload,
    stage_upload,
    submit_return,
)
from referrals.services.uploads import preview_upload

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ENTRIES_SHOWN = 200


@require_safe
@only(Role.BANK, Role.BUREAU)
def returns(request: PersonRequest) -> HttpResponse:
    """Show who has reported for which month, and the ways to report."""
    return _returns_page(request)


@require_POST
@only(Role.BANK, Role.BUREAU)
def return_submit(request: PersonRequest) -> HttpResponse:
    """Report for a month what the pages hold, or nil."""
    form = ReturnForm(request.POST, institutions=_reportable(request.user))
    if form.is_valid():
        said = form.cleaned_data
        is_nil = said["kind"] == "nil"
        try:
            made = submit_return(
                institution=said["institution"],
                month=said["month"],
                is_nil=is_nil,
                by=request.user,
            )
        except InvalidInput as refusal:
            form.add_error("kind", refusal.message)
        else:
            word = "零报告" if is_nil else f"本月报送（{made.row_count} 项进展）"
            messages.success(request, f"{made.institution}{month_label(made.month)}{word}已收到。")
            return redirect("returns")
    return _returns_page(request, submit_form=form, status=422)


@require_POST
@only(Role.BANK, Role.BUREAU)
def return_upload(request: PersonRequest) -> HttpResponse:
    """Keep a workbook and show what it would change; nothing is saved yet."""
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return _returns_page(request, upload_form=form, status=422)
    file = form.cleaned_data["file"]
    token = stage_upload(
        content=file.read(),
        file_name=file.name,
        month=form.cleaned_data["month"],
        by=request.user,
    )
    return _to_preview(token)


@require_safe
@only(Role.BANK, Role.BUREAU)
def return_preview(request: PersonRequest) -> HttpResponse:
    """Show what an uploaded workbook would change, or what has to be mended first."""
    staged, plan = preview_upload(token=_token(request), by=request.user)
    changes = [entry for entry in plan.entries if entry.outcome != "unchanged"]
    context = {
        "staged": staged,
        "plan": plan,
        "report": plan.report,
        "changes": changes[:ENTRIES_SHOWN],
        "change_count": len(changes),
        "errors": [(one, plan.names.get(one.row or 0)) for one in plan.report.errors],
        "warnings": [(one, plan.names.get(one.row or 0)) for one in plan.report.warnings],
    }
    return render(request, "referrals/return_preview.html", context)


@require_POST
@only(Role.BANK, Role.BUREAU)
def return_confirm(request: PersonRequest) -> HttpResponse:
    """Take the workbook in; if the records moved on meanwhile and it no longer fits, say so."""
    token = _token(request)
    report = confirm_upload(token=token, by=request.user)
    if report.refused:
        messages.error(request, "没有保存：预览之后数据有变化，请看下面的错误。")
        return _to_preview(token)
    messages.success(
        request,
        f"报送已保存：新增 {report.new}，变更 {report.changed}，无变化 {report.unchanged}。",
    )
    return redirect("returns")


@require_POST
@only(Role.BANK, Role.BUREAU)
def return_discard(request: PersonRequest) -> HttpResponse:
    """Throw an uploaded workbook away."""
    discard_upload(token=_token(request), by=request.user)
    messages.info(request, "没有保存，上传的文件已丢弃。")
    return redirect("returns")


@require_safe
@only(Role.BANK, Role.BUREAU)
def return_template(request: PersonRequest) -> HttpResponse:
    """Download the progress table of a month with the last state filled in."""
    form = TemplateForm(request.GET, institutions=_reportable(request.user))
    if not form.is_valid():
        raise InvalidInput("请选择机构和月份（如 2022-02）再下载进展表。")
    institution, month = form.cleaned_data["institution"], form.cleaned_data["month"]
    lines = template_lines(institution, month, request.user)
    content = render_template(institution=institution, month=month, lines=lines)
    audit.record(
        "referrals.download_template",
        by=request.user,
        on=institution,
        after={"month": month_key(month), "row_count": len(lines)},
    )
    name = f"融资对接进展表_{institution}_{month_key(month)}.xlsx"
    response = HttpResponse(content, content_type=XLSX_TYPE)
    response["Content-Disposition"] = content_disposition_header(True, name)
    return response


def _token(request: PersonRequest) -> str:
    token = request.POST.get("token") or request.GET.get("token")
    if not token:
        raise InvalidInput("没有要预览的文件，请先在“月度报送”上传进展表。")
    return token


def _to_preview(token: str) -> HttpResponse:
    return redirect(f"{reverse('return_preview')}?{urlencode({'token': token})}")


def _returns_page(
    request: PersonRequest,
    *,
    submit_form: ReturnForm | None = None,
    upload_form: UploadForm | None = None,
    status: int = 200,
) -> HttpResponse:
    mine = _reportable(request.user)
    asked = _asked_month(request)
    own = mine.first() if request.user.role == Role.BANK else None
    until = asked or month_to_show(request.user, own)
    cells = months_of(own, until, request.user) if own else []
    initial = {"month": asked or month_to_report(cells, until)}
    context: dict[str, Any] = {
        "until": until,
        "is_running": until >= month_of(local_today()),
        "earlier": previous_month(until),
        "later": next_month(until) if until < month_of(local_today()) else None,
        "submit_form": submit_form or ReturnForm(initial=initial, institutions=mine),
        "upload_form": upload_form or UploadForm(initial=initial),
        "template_form": TemplateForm(initial=initial, institutions=mine),
    }
    if request.user.role == Role.BANK:
        context |= {"institution": own, "cells": cells}
        return render(request, "referrals/returns_bank.html", context, status=status)
    heads = mine.heads().active_on(until)
    context["months"], context["rows"] = side_by_side(heads, until, request.user)
    context["counts"] = count_states(cells[-1] for _, cells in context["rows"])
    return render(request, "referrals/returns_bureau.html", context, status=status)


def _asked_month(request: PersonRequest) -> date | None:
    asked = MonthForm(request.POST or request.GET)
    return asked.cleaned_data["month"] if asked.is_valid() else None


def _reportable(user: User) -> Any:
    """The institutions a person may report for, in the order of the report."""
    visible = Institution.objects.visible_to(user).in_report_order()
    return visible.of_user(user) if user.role == Role.BANK else visible
