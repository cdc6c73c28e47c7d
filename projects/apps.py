"""Registers the room with Django."""

from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    """Projects and their demand."""

    name = "projects"
    verbose_name = "项目"
