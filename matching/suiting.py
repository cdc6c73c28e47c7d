"""The block on an institution's page that says which projects its lists suit."""

from django.db.models import Count

from accounts.models import User
from institutions.models import Institution, ListEdition
from institutions.panels import Panel
from matching.matrix import MATRIX_READERS
from matching.models import MatchRun, ProjectMatch, VerdictChoice
from matching.panel import BADGES
from matching.services import MATCHERS, latest_run

SUITING_SHOWN = 20


def suiting_panel(user: User, institution: Institution) -> Panel | None:
    """Return the projects an institution's lists support, the best score first, and the counts.

    None for an institution whose lists were never published.
    """
    if not institution.list_name:
        return None
    found = ProjectMatch.objects.visible_to(user).filter(institution=institution)
    counts = dict(found.values_list("verdict").annotate(count=Count("pk")).order_by())
    supported = found.filter(verdict=VerdictChoice.SUPPORTED).select_related("project__region")
    run = latest_run()
    return Panel(
        "matching/_suiting.html",
        {
            "counts": [
                {"verdict": verdict, "tone": tone, "icon": icon, "count": counts.get(verdict, 0)}
                for verdict, (tone, icon) in BADGES.items()
            ],
            "rows": list(supported.order_by("-score", "project__code")[:SUITING_SHOWN]),
            "run": run,
            "is_outdated": run is not None and _is_outdated(run, institution),
            "may_match": user.role in MATCHERS,
            "institution": institution if user.role in MATRIX_READERS else None,
        },
    )


def _is_outdated(run: MatchRun, institution: Institution) -> bool:
    """Whether another edition has come into force since the run."""
    held = ListEdition.objects.in_force().filter(institution=institution)
    return held.exclude(pk=run.editions.get(institution.code)).exists()
