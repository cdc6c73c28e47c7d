"""The Django project: settings, addresses, the queue. No business rules."""

from kashgar_finance.celery import app as celery_app

__all__ = ["celery_app"]
