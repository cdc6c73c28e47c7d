"""What this room does in the background."""

from typing import Any

from celery import shared_task

from accounts.models import User
from common.jobs import Claim, job_task
from common.months import local_today, month_key, parse_month
from reports.services import freeze_bulletin, request_due_bulletin


@job_task("reports.make_bulletin")
def make_bulletin(held: Claim) -> dict[str, Any]:
    """Freeze the bulletin of the month the job names; twice gives the same one."""
    arguments = held.job.arguments
    bulletin = freeze_bulletin(
        month=parse_month(arguments["month"]),
        by=held.job.requested_by,
        reason=arguments["reason"],
        progress=held.progress,
    )
    return {
        "url": f"/bulletins/{month_key(bulletin.month)}/",
        "text": f"{bulletin}（第 {bulletin.revision} 版）",
    }


@shared_task(name="reports.enqueue_due_bulletins")
def enqueue_due_bulletins() -> None:
    """Ask for last month's bulletin when its day has come; on the schedule of celery.py."""
    request_due_bulletin(today=local_today(), by=User.objects.system())
