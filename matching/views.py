"""Pages of matching."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.choices import Role
from accounts.permissions import PersonRequest, only
from matching.services import start_run


@require_POST
@only(Role.BUREAU)
def match_start(request: PersonRequest) -> HttpResponse:
    """Match all projects again in the background."""
    run = start_run(by=request.user, reason="财政局在页面上要求重新匹配")
    messages.success(request, f"已开始匹配 {run.project_count} 个项目，进度见任务。")
    return redirect("jobs")
