"""Registers the room with Django."""

from django.apps import AppConfig


class CommonConfig(AppConfig):
    """Money, months, workbooks, errors, sectors, the audit record, the job ledger."""

    name = "common"
    verbose_name = "公共"
