"""Stored match runs: who suits which project, by which editions and which vocabulary."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max

from accounts.choices import Role
from common import audit, jobs
from common.errors import InvalidInput, NotAllowed
from common.months import local_today
from institutions.models import Institution, ListEdition
from matching.engine import Rulebook
from matching.lines import as_line
from matching.loaders import facts_of, load_rulebook
from matching.models import MatchChange, MatchRun, ProjectMatch, VocabularyVersion
from projects.models import Project

MATCHERS = frozenset({Role.BUREAU, Role.SYSTEM})
# Projects a worker takes at once: a few seconds of work, so that several share a run.
CHUNK = 500
STORED = ("run", "verdict", "score", "score_parts", "reasons", "to_check")


@transaction.atomic
def start_run(*, by: Any, reason: str) -> MatchRun:
    """Begin a run over all projects by the lists in force; workers take it in chunks.

    Raises NotAllowed for anybody but the bureau, InvalidInput where there is nothing to match by.
    """
    if by.role not in MATCHERS:
        raise NotAllowed("只有财政局可以重新匹配。")
    run = _new_run(by=by, reason=reason)
    for chunk in _chunks():
        jobs.enqueue(
            "matching.match_chunk",
            by=by,
            title=f"匹配 {len(chunk)} 个项目",
            arguments={"run": run.pk, "projects": chunk},
            key=f"match-{run.pk}-{chunk[0]}",
        )
    audit.record(
        "matching.start_run", by=by, on=run, after={"editions": run.editions}, reason=reason
    )
    return run


def _new_run(*, by: Any, reason: str) -> MatchRun:
    vocabulary = VocabularyVersion.objects.order_by("version").last()
    editions = dict(ListEdition.objects.in_force().values_list("institution__code", "pk"))
    if vocabulary is None or not editions:
        raise InvalidInput("还没有生效的机构清单或词表，请先运行 load_reference 载入。")
    return MatchRun.objects.create(
        vocabulary=vocabulary,
        editions=editions,
        reason=reason,
        started_by=by,
        project_count=Project.objects.count(),
    )


def _chunks() -> list[list[int]]:
    ids = list(Project.objects.order_by("pk").values_list("pk", flat=True))
    return [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)]


def match_chunk(*, run: MatchRun, project_ids: Sequence[int], rulebook: Rulebook) -> int:
    """Match some projects and store what came out; may run twice. Returns the changed verdicts."""
    projects = list(Project.objects.in_full(local_today()).filter(pk__in=project_ids))
    institutions = {row.list_name: row for row in Institution.objects.exclude(list_name="")}
    found = []
    for project, facts in zip(projects, facts_of(projects), strict=True):
        line = as_line(facts.id, rulebook.evaluate(facts))
        found += [
            ProjectMatch(
                run=run,
                project=project,
                institution=institutions[match["institution"]],
                **{name: match[name] for name in STORED if name != "run"},
            )
            for match in line["matches"]
        ]
    return _store(run, project_ids, found)


@transaction.atomic
def _store(run: MatchRun, project_ids: Sequence[int], found: list[ProjectMatch]) -> int:
    held = ProjectMatch.objects.filter(project__in=project_ids).exclude(run=run)
    before = {
        (project, institution): verdict
        for project, institution, verdict in held.values_list("project", "institution", "verdict")
    }
    changes = [
        MatchChange(
            run=run,
            project_id=match.project_id,
            institution_id=match.institution_id,
            before=earlier,
            after=match.verdict,
        )
        for match in found
        if (earlier := before.get((match.project_id, match.institution_id)))
        and earlier != match.verdict
    ]
    MatchChange.objects.bulk_create(changes, ignore_conflicts=True, batch_size=1000)
    ProjectMatch.objects.bulk_create(
        found,
        update_conflicts=True,
        unique_fields=["project", "institution"],
        update_fields=STORED,
        batch_size=1000,
    )
    MatchRun.objects.filter(pk=run.pk).update(
        changed_count=MatchChange.objects.filter(run=run).count()
    )
    return len(changes)


def latest_run() -> MatchRun | None:
    """Return the run whose verdicts are stored now; None before the first."""
    newest = ProjectMatch.objects.aggregate(run=Max("run"))["run"]
    return MatchRun.objects.filter(pk=newest).select_related("vocabulary").first()


def run_at_once(*, by: Any, reason: str) -> MatchRun:
    """Match everything in this process; for commands and small portals."""
    run = _new_run(by=by, reason=reason)
    rulebook = load_rulebook(run.vocabulary)
    for chunk in _chunks():
        match_chunk(run=run, project_ids=chunk, rulebook=rulebook)
    return run
