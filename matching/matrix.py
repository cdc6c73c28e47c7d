"""Projects × institutions from the stored matches."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet

from accounts.choices import Role
from accounts.models import User
from institutions.models import Institution
from matching.models import MatchChange, MatchRun, ProjectMatch, VerdictChoice
from matching.panel import BADGES
from projects.models import Project

SHORT = {
    VerdictChoice.SUPPORTED: "支",
    VerdictChoice.RESTRICTED: "限",
    VerdictChoice.EXCLUDED: "排",
    VerdictChoice.NEUTRAL: "—",
}
UNMATCHED = "未"
CHANGES_SHOWN = 20
# Who sees all projects beside all institutions.
MATRIX_READERS = frozenset({Role.BUREAU, Role.LEADER})


@dataclass(frozen=True)
class Cell:
    """What the lists of an institution say of a project; without a verdict it was not matched."""

    institution: Institution
    verdict: VerdictChoice | None = None
    score: int | None = None
    open_count: int = 0

    @property
    def word(self) -> str:
        """The verdict in one sign."""
        return SHORT[self.verdict] if self.verdict else UNMATCHED

    @property
    def label(self) -> str:
        """The verdict in full."""
        return str(self.verdict.label) if self.verdict else "未匹配"

    @property
    def tone(self) -> str:
        """The colour of the verdict."""
        return BADGES[self.verdict][0] if self.verdict else "none"


@dataclass(frozen=True)
class Line:
    """One project with a cell for each institution."""

    project: Project
    cells: list[Cell]

    @property
    def open_count(self) -> int:
        """How many questions are open at the institutions shown."""
        return sum(cell.open_count for cell in self.cells)

    @property
    def counts(self) -> list[dict[str, Any]]:
        """The verdicts that occur, with how many institutions give each."""
        found = Counter(cell.verdict for cell in self.cells)
        return [
            {"word": f"{verdict.label} {found[verdict]}", "tone": tone, "icon": icon}
            for verdict, (tone, icon) in BADGES.items()
            if found[verdict]
        ]


def lines(
    user: User, projects: Iterable[Project], institutions: Sequence[Institution]
) -> list[Line]:
    """Return the rows of the matrix for some projects."""
    projects = list(projects)
    stored = ProjectMatch.objects.visible_to(user).filter(
        project__in=projects, institution__in=institutions
    )
    found = {
        (project, institution): (VerdictChoice(verdict), score, open_count)
        for project, institution, verdict, score, open_count in stored.values_list(
            "project", "institution", "verdict", "score", "open_count"
        )
    }
    return [
        Line(project, [Cell(each, *found.get((project.pk, each.pk), ())) for each in institutions])
        for project in projects
    ]


@dataclass(frozen=True)
class Total:
    """A row of the foot: of how many projects each institution's lists say this.

    `verdict` is None for the row that counts projects with open questions.
    """

    label: str
    verdict: VerdictChoice | None
    counts: list[tuple[Institution, int]]


def totals(
    user: User, projects: QuerySet[Project], institutions: Sequence[Institution]
) -> list[Total]:
    """Count over all the projects, not only those of a page: each verdict, and what is open."""
    rows = (
        ProjectMatch.objects.visible_to(user)
        .filter(project__in=projects.order_by().values("pk"), institution__in=institutions)
        .values_list("verdict", "institution")
        .annotate(count=Count("pk"), open=Count("pk", filter=Q(open_count__gt=0)))
        .order_by()
    )
    counted: Counter[tuple[VerdictChoice | None, int]] = Counter()
    for verdict, institution, count, with_open in rows:
        counted[VerdictChoice(verdict), institution] += count
        counted[None, institution] += with_open
    labels = {verdict: str(verdict.label) for verdict in BADGES} | {None: "有待核实"}
    return [
        Total(label, verdict, [(each, counted[verdict, each.pk]) for each in institutions])
        for verdict, label in labels.items()
    ]


def changes(user: User, run: MatchRun | None) -> dict[str, Any]:
    """Return what a run found different from the run before: how many, and the first of them."""
    found = MatchChange.objects.visible_to(user).filter(run=run)
    rows = found.select_related("project", "institution").order_by(
        "project__code", "institution__display_order"
    )
    return {
        "count": found.count(),
        "rows": [(row, _tone(row.before), _tone(row.after)) for row in rows[:CHANGES_SHOWN]],
        "is_first": not MatchRun.objects.filter(pk__lt=run.pk if run else 0).exists(),
    }


def _tone(verdict: str) -> tuple[str, str]:
    return BADGES[VerdictChoice(verdict)]
