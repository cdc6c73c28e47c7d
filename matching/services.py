"""Stored match runs: who suits which project, by which editions and which vocabulary."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Max

from accounts.choices import SUBMITTERS, Role
from common import audit, jobs
from common.errors import InvalidInput, NotAllowed
from common.months import local_today
from institutions.models import Institution, ListEdition
from matching.engine import Rulebook
from matching.lines import as_line
from matching.loaders import facts_of, load_rulebook
from matching.models import (
    Answer,
    ClauseAnswer,
    MatchChange,
    MatchRun,
    ProjectMatch,
    VocabularyVersion,
)
from matching.questions import count_open, settled_questions
from matching.types import Polarity
from projects.models import Project

MATCHERS = frozenset({Role.BUREAU, Role.SYSTEM})
# Who finds out what no data can tell.
ANSWERERS = SUBMITTERS | {Role.BUREAU}
LONGEST_NOTE = 500
# Projects a worker takes at once: a few seconds of work, so that several share a run.
CHUNK = 500
FOUND = ("verdict", "score", "score_parts", "reasons", "to_check")
STORED = ("run", *FOUND, "open_count")


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
    askers = asking_clauses(rulebook)
    found = []
    for project, facts in zip(projects, facts_of(projects), strict=True):
        line = as_line(facts.id, rulebook.evaluate(facts))
        for match in line["matches"]:
            for each in match["to_check"]:
                each |= askers.get((match["institution"], each["clause"], each["question"]), {})
        found += [
            ProjectMatch(
                run=run,
                project=project,
                institution=institutions[match["institution"]],
                **{name: match[name] for name in FOUND},
            )
            for match in line["matches"]
        ]
    return _store(run, project_ids, found)


def asking_clauses(rulebook: Rulebook) -> dict[tuple[str, str, str], dict[str, str]]:
    """Return which list a question is from and how its clause binds.

    The numbers of the two lists are the same, so a number alone does not say it. Where both ask
    the same under the same number, the negative list counts.
    """
    found = {}
    for each in rulebook.lists:
        for clause in sorted(each.clauses, key=lambda c: c.data.polarity is Polarity.NEGATIVE):
            strength = clause.data.strength.value if clause.data.strength else ""
            for question in clause.condition.questions:
                key = (each.data.name, clause.data.number, question)
                found[key] = {"list": clause.data.polarity.value, "strength": strength}
    return found


@transaction.atomic
def _store(run: MatchRun, project_ids: Sequence[int], found: list[ProjectMatch]) -> int:
    before = _earlier_verdicts(run, project_ids)
    settled = settled_questions(project_ids)
    for match in found:
        match.open_count = count_open(match, settled)
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


def _earlier_verdicts(run: MatchRun, project_ids: Sequence[int]) -> dict[tuple[int, int], str]:
    """Lock what is stored, so that no answer is counted between reading and writing."""
    held = ProjectMatch.objects.select_for_update().filter(project__in=project_ids).order_by("pk")
    rows = held.values_list("project", "institution", "verdict", "run")
    return {
        (project, institution): verdict
        for project, institution, verdict, of_run in rows
        if of_run != run.pk
    }


def latest_run() -> MatchRun | None:
    """Return the run whose verdicts are stored now; None before the first."""
    newest = ProjectMatch.objects.aggregate(run=Max("run"))["run"]
    found = MatchRun.objects.filter(pk=newest).select_related("vocabulary")
    return found.defer("vocabulary__data").first()


def run_at_once(*, by: Any, reason: str) -> MatchRun:
    """Match everything in this process; for commands and small portals."""
    run = _new_run(by=by, reason=reason)
    rulebook = load_rulebook(run.vocabulary)
    for chunk in _chunks():
        match_chunk(run=run, project_ids=chunk, rulebook=rulebook)
    return run


@dataclass(frozen=True)
class GivenAnswer:
    """What somebody answered to a question of a clause."""

    clause: str
    question: str
    answer: str
    note: str = ""


@transaction.atomic
def answer_question(
    *,
    project: Project,
    institution: Institution,
    clause: str,
    question: str,
    answer: str,
    note: str = "",
    by: Any,
) -> ClauseAnswer:
    """Record what a person found out; earlier answers stay, the verdict is not touched.

    Raises NotAllowed for whom the project is not, InvalidInput for what the lists do not ask.
    """
    if by.role not in ANSWERERS or not _is_theirs(project, by):
        raise NotAllowed("只有财政局和项目所属的县市、部门可以回答待核实的问题。")
    if answer not in Answer.values:
        raise InvalidInput("回答请在“是”“否”“还不清楚”里选一个。")
    if len(note) > LONGEST_NOTE:
        raise InvalidInput(f"依据说明最多 {LONGEST_NOTE} 字，现在有 {len(note)} 字，请缩短。")
    match = _locked_match(project, institution)
    if match is None or not _is_asked(match, clause, question):
        raise InvalidInput(f"{institution}的清单现在没有问这个项目：{question}请刷新页面再回答。")
    earlier = latest_answers(project, institution).get((institution.pk, clause, question))
    row = ClauseAnswer.objects.create(
        project=project,
        institution=institution,
        clause=clause,
        question=question,
        answer=answer,
        note=note,
        answered_by=by,
    )
    match.open_count = count_open(match, settled_questions([project.pk]))
    match.save(update_fields=["open_count"])
    what = {"institution": str(institution), "clause": clause, "question": question}
    audit.record(
        "matching.answer_question",
        by=by,
        on=project,
        before={"answer": earlier.answer, "note": earlier.note} if earlier else {},
        after=what | {"answer": answer, "note": note},
    )
    return row


@transaction.atomic
def answer_questions(
    *, project: Project, institution: Institution, answers: Iterable[GivenAnswer], by: Any
) -> int:
    """Record the answers that differ from the latest ones; returns how many."""
    held = latest_answers(project, institution)
    count = 0
    for given in answers:
        latest = held.get((institution.pk, given.clause, given.question))
        if latest and (latest.answer, latest.note) == (given.answer, given.note):
            continue
        answer_question(
            project=project,
            institution=institution,
            clause=given.clause,
            question=given.question,
            answer=given.answer,
            note=given.note,
            by=by,
        )
        count += 1
    return count


def latest_answers(
    project: Project, institution: Institution | None = None
) -> dict[tuple[int, str, str], ClauseAnswer]:
    """Return the answer that counts by institution, clause and question."""
    rows = ClauseAnswer.objects.filter(project=project).select_related("answered_by")
    if institution:
        rows = rows.filter(institution=institution)
    return {(row.institution_id, row.clause, row.question): row for row in rows.order_by("pk")}


def _is_theirs(project: Project, by: Any) -> bool:
    return Project.objects.visible_to(by).filter(pk=project.pk).exists()


def _locked_match(project: Project, institution: Institution) -> ProjectMatch | None:
    rows = ProjectMatch.objects.select_for_update().filter(project=project)
    return rows.filter(institution=institution).first()


def _is_asked(match: ProjectMatch, clause: str, question: str) -> bool:
    asked = match.to_check
    return any((each["clause"], each["question"]) == (clause, question) for each in asked)
