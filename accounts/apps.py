"""Registers the room with Django."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Users, roles, regions, departments."""

    name = "accounts"
    verbose_name = "账号"
