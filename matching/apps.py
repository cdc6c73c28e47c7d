"""Registers the room with Django and shows its block on a project's page."""

from django.apps import AppConfig


class MatchingConfig(AppConfig):
    """Which institutions suit which project, and why."""

    name = "matching"
    verbose_name = "匹配"

    def ready(self) -> None:
        """A project's page cannot know what suits the project."""
        from matching.panel import matches_panel  # models exist only now
        from projects.panels import hand_in_panel

        hand_in_panel(matches_panel)
