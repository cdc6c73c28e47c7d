"""What this room does in the background."""

from celery import shared_task

from accounts.models import User
from common.months import local_today
from institutions.starting import start_due_editions


@shared_task(name="institutions.start_due_editions")
def start_due() -> None:
    """Let accepted editions start on their day in Asia/Shanghai; on the schedule of celery.py."""
    start_due_editions(on=local_today(), by=User.objects.system())
