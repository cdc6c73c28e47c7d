"""The block on a project's page that says what each institution's lists say of it, and why."""

from typing import Any

from accounts.models import User
from matching.models import MatchRun, ProjectMatch, VerdictChoice
from matching.services import MATCHERS
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
