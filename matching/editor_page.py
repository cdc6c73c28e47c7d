"""What an editor's page shows: the language of conditions, and a trial's verdicts with clauses."""

from collections.abc import Collection
from typing import Any

from institutions.models import Clause
from matching.amendments import MOST_PROJECTS, subjects_of
from matching.models import VerdictChoice, VocabularyVersion
from matching.panel import BADGES
from matching.trial import Difference, Trial
from matching.types import Effect, Match, Verdict

REASONS_SHOWN = 3
SUBJECTS_SHOWN = 60
DECIDING = {
    Verdict.EXCLUDED: Effect.EXCLUDES,
    Verdict.RESTRICTED: Effect.RESTRICTS,
    Verdict.SUPPORTED: Effect.SUPPORTS,
}
# Where a clause stands: heading of the list, which of the two, printed number.
Place = tuple[str, str, str]


def place_of(clause: Clause) -> Place:
    """Return where a clause stands, as the reasons of a match name it."""
    return clause.edition.institution.list_name, clause.polarity, clause.number


def language_of(vocabulary: VocabularyVersion) -> dict[str, Any]:
    """Return what stands beside an editor: the subjects and shared conditions to write with."""
    subjects = subjects_of(vocabulary)
    return {
        "vocabulary": vocabulary,
        "subjects": subjects[:SUBJECTS_SHOWN],
        "count": len(subjects),
        "shared": sorted(vocabulary.data["shared"].items()),
        "most": MOST_PROJECTS,
    }


def shown_trial(trial: Trial, changed: Collection[Place]) -> dict[str, Any]:
    """Return a trial for the page; `changed` are the clauses that a change is about."""
    ways = sorted(trial.ways.items(), key=lambda item: -item[1])
    return {
        "tried": trial.tried,
        "changed": trial.changed,
        "ways": [(_badge(old), _badge(new), count) for (old, new), count in ways],
        "institutions": trial.institutions.most_common(),
        "rows": [_row(each, changed) for each in trial.differences],
    }


def _row(each: Difference, changed: Collection[Place]) -> dict[str, Any]:
    return {
        "project": each.project,
        "institution": each.institution,
        "before": _side(each.before, changed),
        "after": _side(each.after, changed),
    }


def _side(match: Match, changed: Collection[Place]) -> dict[str, Any]:
    """A verdict with the clauses behind it: changed ones first, then those that decide."""
    deciding = DECIDING.get(match.verdict)
    found = [
        ((match.institution, reason.list, reason.clause) in changed, reason)
        for reason in match.reasons
    ]
    found.sort(key=lambda each: (not each[0], each[1].effect is not deciding))
    reasons = [
        {
            "word": {"positive": "正面", "negative": "负面"}.get(reason.list, ""),
            "clause": reason.clause,
            "is_changed": is_changed,
            "evidence": list(dict.fromkeys(span.text for span in reason.evidence)),
        }
        for is_changed, reason in found[:REASONS_SHOWN]
    ]
    return {**_badge(match.verdict), "reasons": reasons}


def _badge(verdict: Verdict) -> dict[str, str]:
    choice = VerdictChoice(verdict.value)
    tone, icon = BADGES[choice]
    return {"tone": tone, "icon": icon, "word": str(choice.label)}
