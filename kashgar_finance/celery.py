"""The Celery application and everything it does on a schedule."""

import os

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kashgar_finance.settings")

app = Celery("kashgar_finance")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

app.conf.beat_schedule = {
    # Jobs whose message was lost or whose worker died are sent again.
    "sweep-jobs": {"task": "common.sweep_jobs", "schedule": 15.0},
    # Not once at midnight: a machine that was off on the day catches up when it is switched on.
    "editions-due": {"task": "institutions.start_due_editions", "schedule": 120.0},
    # A new ledger, list or vocabulary is matched within minutes, without anybody asking.
    "matches-stale": {"task": "matching.rematch_if_stale", "schedule": 120.0},
    # Hourly, not once: a machine that was off on the day catches up when it is switched on.
    "bulletins-due": {"task": "reports.enqueue_due_bulletins", "schedule": crontab(minute=7)},
}
