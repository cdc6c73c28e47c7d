"""Registers the room with Django and shows its blocks on the pages of lower rooms."""

from django.apps import AppConfig


class MatchingConfig(AppConfig):
    """Which institutions suit which project, and why."""

    name = "matching"
    verbose_name = "匹配"

    def ready(self) -> None:
        """Pages of lower rooms cannot know what suits a project or an institution."""
        from institutions import panels as of_institutions
        from matching.panel import matches_panel  # models exist only now
        from matching.suiting import suiting_panel
        from projects import panels as of_projects

        of_projects.hand_in_panel(matches_panel)
        of_institutions.hand_in_panel(suiting_panel)
