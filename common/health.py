"""What a probe may know: is the database there, does the queue move."""

from typing import Any

from django.db import Error, connection
from django.db.models import Count, Max, Min
from django.utils import timezone

from common.choices import JobState
from common.jobs import LEASE
from common.models import Job

LATEST_JOBS = 100


def check() -> dict[str, Any]:
    """Report on database and queue. `worker_seen` is when a worker last held a job."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return {"status": "ok", "database": True, **_queue()}
    except Error:
        return {"status": "unavailable", "database": False, "queue": None, "worker_seen": None}


def _queue() -> dict[str, Any]:
    waiting = Job.objects.filter(state=JobState.QUEUED).aggregate(
        number=Count("pk"), since=Min("created_at")
    )
    latest = Job.objects.order_by("-pk")[:LATEST_JOBS]
    lease = Job.objects.filter(pk__in=[job.pk for job in latest]).aggregate(at=Max("lease_until"))
    waited = int((timezone.now() - waiting["since"]).total_seconds()) if waiting["since"] else 0
    return {
        "queue": {"waiting": waiting["number"], "oldest_seconds": waited},
        "worker_seen": (lease["at"] - LEASE).isoformat() if lease["at"] else None,
    }
