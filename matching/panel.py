"""What matching shows on a project's page (who suits it, and why) and on an institution's."""

from typing import Any

from django.db.models import Count

from accounts.models import User
from institutions.models import Institution, ListEdition
from institutions.panels import Panel as InstitutionPanel
from matching.models import MatchRun, ProjectMatch, VerdictChoice
from matching.services import MATCHERS, latest_run
from projects.models import Project
from projects.panels import Panel

BADGES = {
    VerdictChoice.SUPPORTED: ("green", "circle-check"),
    VerdictChoice.RESTRICTED: ("amber", "alert-triangle"),
    VerdictChoice.EXCLUDED: ("red", "ban"),
    VerdictChoice.NEUTRAL: ("grey", "minus"),
}
ORDER = tuple(BADGES)
AREA = "area"
SUITING_SHOWN = 20


def matches_panel(user: User, project: Project) -> Panel:
    """Return the stored verdicts on a project, the best score first, out-of-area ones apart."""
    found = ProjectMatch.objects.visible_to(user).filter(project=project)
    rows = list(found.select_related("institution", "run__vocabulary"))
    rows.sort(
        key=lambda row: (
            ORDER.index(VerdictChoice(row.verdict)),
            -row.score,
            row.institution.display_order,
        )
    )
    shown = [_row(row) for row in rows if not _is_out_of_area(row)]
    return Panel(
        "matching/_panel.html",
        {
            "rows": shown,
            "out_of_area": [str(row.institution) for row in rows if _is_out_of_area(row)],
            "run": rows[0].run if rows else None,
            "may_match": user.role in MATCHERS,
            "has_run": MatchRun.objects.exists(),
        },
    )


def suiting_panel(user: User, institution: Institution) -> InstitutionPanel | None:
    """Return the projects an institution's lists support, the best score first, and the counts.

    None for an institution whose lists were never published.
    """
    if not institution.list_name:
        return None
    found = ProjectMatch.objects.visible_to(user).filter(institution=institution)
    counts = dict(found.values_list("verdict").annotate(count=Count("pk")).order_by())
    supported = found.filter(verdict=VerdictChoice.SUPPORTED).select_related("project__region")
    run = latest_run()
    return InstitutionPanel(
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
        },
    )


def _is_outdated(run: MatchRun, institution: Institution) -> bool:
    """Whether another edition has come into force since the run."""
    held = ListEdition.objects.in_force().filter(institution=institution)
    return held.exclude(pk=run.editions.get(institution.code)).exists()


def _is_out_of_area(row: ProjectMatch) -> bool:
    return any(reason["list"] == AREA for reason in row.reasons)


def _row(row: ProjectMatch) -> dict[str, Any]:
    tone, icon = BADGES[VerdictChoice(row.verdict)]
    return {
        "institution": row.institution,
        "tone": tone,
        "icon": icon,
        "verdict": row.get_verdict_display(),
        "score": row.score,
        "reasons": [
            {**reason, "word": "正面" if reason["list"] == "positive" else "负面"}
            for reason in row.reasons
        ],
        "to_check": row.to_check,
    }
