"""Registers the room with Django."""

from django.apps import AppConfig


class InstitutionsConfig(AppConfig):
    """Banks and cooperatives."""

    name = "institutions"
    verbose_name = "金融机构"
