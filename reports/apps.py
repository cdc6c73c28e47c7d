"""Registers the room with Django."""

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    """Figures, snapshots, bulletins."""

    name = "reports"
    verbose_name = "通报"
