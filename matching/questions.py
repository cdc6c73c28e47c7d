"""What the lists still ask of a project: questions to which nobody has found an answer."""

from collections.abc import Iterable
from typing import Any

from matching.models import Answer, ClauseAnswer, ProjectMatch

AREA = "area"

# Project, institution, clause, question.
Asked = tuple[int, int, str, str]


def is_out_of_area(reasons: Iterable[dict[str, Any]]) -> bool:
    """Whether an institution may not lend where the project is; then it asks nothing more."""
    return any(reason["list"] == AREA for reason in reasons)


def is_settled(answer: ClauseAnswer | None) -> bool:
    """Whether somebody found out; that it is still unclear settles nothing."""
    return answer is not None and answer.answer != Answer.UNCLEAR


def settled_questions(project_ids: Iterable[int]) -> set[Asked]:
    """Return the questions of some projects that were answered; the latest answer counts."""
    rows = ClauseAnswer.objects.filter(project__in=project_ids).order_by("pk")
    latest = {
        (project, institution, clause, question): answer
        for project, institution, clause, question, answer in rows.values_list(
            "project", "institution", "clause", "question", "answer"
        )
    }
    return {asked for asked, answer in latest.items() if answer != Answer.UNCLEAR}


def count_open(match: ProjectMatch, settled: set[Asked]) -> int:
    """Return how many questions of a match are open, for its `open_count`."""
    if is_out_of_area(match.reasons):
        return 0
    pair = (match.project_id, match.institution_id)
    return sum((*pair, each["clause"], each["question"]) not in settled for each in match.to_check)
