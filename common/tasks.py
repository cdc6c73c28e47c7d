"""Celery finds its tasks here."""

from common.jobs import sweep_jobs

__all__ = ["sweep_jobs"]
