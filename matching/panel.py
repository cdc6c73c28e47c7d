"""The block on a project's page that says what each institution's lists say of it, and why."""

from collections import Counter
from typing import Any

from accounts.models import User
from institutions.models import Clause, ListEdition
from matching.evidence import TONES, Piece, marked_clause, marked_texts
from matching.models import Answer, ClauseAnswer, MatchRun, ProjectMatch, VerdictChoice
from matching.questions import AREA, is_out_of_area, is_settled
from matching.services import ANSWERERS, LONGEST_NOTE, MATCHERS, latest_answers
from matching.types import Effect, Polarity, Strength
from projects.models import Project
from projects.panels import Panel

BADGES = {
    VerdictChoice.SUPPORTED: ("green", "circle-check"),
    VerdictChoice.RESTRICTED: ("amber", "alert-triangle"),
    VerdictChoice.EXCLUDED: ("red", "ban"),
    VerdictChoice.NEUTRAL: ("grey", "minus"),
}
ORDER = tuple(BADGES)
LISTS = {Polarity.POSITIVE.value: "正面", Polarity.NEGATIVE.value: "负面", AREA: "服务区域"}
BINDING = {
    Strength.HARD.value: "不得办理",
    Strength.SOFT.value: "从严控制，不是禁止",
    Strength.CASE_BY_CASE.value: "一事一议",
}
PARTS = {
    "verdict": "结论",
    "specificity": "条款贴合",
    "size": "金额相称",
    "own_county": "本县机构",
    "experience": "同行业放贷经验",
}
# In a row of the table; all of them stand in the opened one.
WORDS_SHOWN = 3
# What decides comes first, what speaks the other way beside it.
EFFECTS = (Effect.EXCLUDES, Effect.RESTRICTS, Effect.SUPPORTS)

Clauses = dict[tuple[int, str, str], Clause]
Answers = dict[tuple[int, str, str], ClauseAnswer]


def matches_panel(user: User, project: Project) -> Panel:
    """Return the stored verdicts on a project, the best score first, out-of-area ones apart."""
    rows = _stored(user, project)
    editions = _editions(rows)
    clauses: Clauses = {
        (edition.pk, clause.polarity, clause.number): clause
        for edition in editions.values()
        for clause in edition.clauses.all()
    }
    answers = latest_answers(project)
    counts = Counter(row.verdict for row in rows)
    near = [
        _row(project, row, editions.get(_edition_id(row)), clauses, answers)
        for row in rows
        if not is_out_of_area(row.reasons)
    ]
    far = [_far_row(row) for row in rows if is_out_of_area(row.reasons)]
    return Panel(
        "matching/_panel.html",
        {
            "project": project,
            "rows": near,
            "out_of_area": far,
            "asking": sum(1 for row in near if row["open_count"]),
            "counts": [(each.value, each.label, counts[each.value]) for each in ORDER],
            "total": len(rows),
            "run": rows[0].run if rows else None,
            "editions": sorted({edition.name for edition in editions.values()}),
            "may_match": user.role in MATCHERS,
            "may_answer": user.role in ANSWERERS,
            "choices": Answer.choices,
            "longest_note": LONGEST_NOTE,
            "has_run": MatchRun.objects.exists(),
        },
    )


def _stored(user: User, project: Project) -> list[ProjectMatch]:
    found = ProjectMatch.objects.visible_to(user).filter(project=project)
    rows = list(
        found.select_related("institution", "run__vocabulary").defer("run__vocabulary__data")
    )
    rows.sort(
        key=lambda row: (
            ORDER.index(VerdictChoice(row.verdict)),
            -row.score,
            row.institution.display_order,
        )
    )
    return rows


def _edition_id(row: ProjectMatch) -> int:
    return row.run.editions.get(row.institution.code, 0)


def _editions(rows: list[ProjectMatch]) -> dict[int, ListEdition]:
    """Return the editions by which the rows were decided, be they in force or not."""
    ids = {_edition_id(row) for row in rows}
    return ListEdition.objects.prefetch_related("clauses").in_bulk(ids)


def _far_row(row: ProjectMatch) -> dict[str, Any]:
    text = next(reason["text"] for reason in row.reasons if reason["list"] == AREA)
    return {"institution": row.institution, "text": text}


def _row(
    project: Project,
    row: ProjectMatch,
    edition: ListEdition | None,
    clauses: Clauses,
    answers: Answers,
) -> dict[str, Any]:
    tone, icon = BADGES[VerdictChoice(row.verdict)]
    edition_id = edition.pk if edition else 0
    reasons = sorted(row.reasons, key=lambda reason: EFFECTS.index(Effect(reason["effect"])))
    shown = [
        _reason(reason, clauses.get((edition_id, reason["list"], reason["clause"])))
        for reason in reasons
    ]
    questions = [_question(row, each, answers) for each in row.to_check]
    evidence: dict[str, str] = {}
    for reason in reasons:  # the strongest first: its tone stays
        for word in reason["evidence"]:
            evidence.setdefault(word, TONES[Effect(reason["effect"])])
    return {
        "institution": row.institution,
        "edition": edition,
        "tone": tone,
        "icon": icon,
        "value": row.verdict,
        "verdict": row.get_verdict_display(),
        "score": row.score,
        "parts": [(PARTS.get(name, name), points) for name, points in row.score_parts.items()],
        "reasons": shown,
        "lines": _lines(shown),
        "evidence": list(evidence.items())[:WORDS_SHOWN],
        "more_evidence": max(len(evidence) - WORDS_SHOWN, 0),
        "texts": marked_texts(project, reasons),
        "questions": questions,
        "open_count": sum(1 for each in questions if not each["is_settled"]),
        # Seen without opening the row: what a person found to speak against the project.
        "found": [each["badge"] for each in questions if each["is_against"]],
    }


def _reason(reason: dict[str, Any], clause: Clause | None) -> dict[str, Any]:
    return {
        "place": f"{LISTS[reason['list']]}{reason['clause']}",
        "tone": TONES[Effect(reason["effect"])],
        "icon": "circle-check" if reason["effect"] == Effect.SUPPORTS else "alert-triangle",
        "list": reason["list"],
        "title": marked_clause(clause.title if clause else "", reason),
        "text": marked_clause(reason["text"], reason),
        "binding": _binding(reason, clause),
        "official": marked_clause(clause.official_text if clause else "", reason),
    }


def _lines(reasons: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the reasons in short: a line for each list, with its first clause in words."""
    by_list: dict[str, list[dict[str, Any]]] = {}
    for reason in reasons:
        by_list.setdefault(reason["list"], []).append(reason)
    return [
        {
            "place": group[0]["place"],
            "pieces": _opening(group[0]),
            "more": len(group) - 1,
        }
        for group in by_list.values()
    ]


def _opening(reason: dict[str, Any]) -> list[Piece]:
    pieces: list[Piece] = reason["title"] or reason["text"]
    return pieces


def _binding(reason: dict[str, Any], clause: Clause | None) -> str:
    """What the clause demands; a soft clause can have a part that binds hard."""
    if clause is None or not clause.strength:
        return ""
    is_hard = reason["effect"] == Effect.EXCLUDES
    return BINDING[Strength.HARD.value if is_hard else clause.strength]


def _question(row: ProjectMatch, asked: dict[str, str], answers: Answers) -> dict[str, Any]:
    latest = answers.get((row.institution_id, asked["clause"], asked["question"]))
    list_name = asked.get("list", "")
    place = f"{LISTS.get(list_name, '条款')}{asked['clause']}" if asked["clause"] else ""
    is_yes = bool(latest and latest.answer == Answer.YES)
    return {
        "clause": asked["clause"],
        "question": asked["question"],
        "place": place,
        "answer": latest,
        "badge": _badge(latest, place, list_name, asked.get("strength", "")),
        "is_settled": is_settled(latest),
        "is_against": is_yes and list_name != Polarity.POSITIVE,
    }


def _badge(
    latest: ClauseAnswer | None, place: str, list_name: str, strength: str
) -> dict[str, str] | None:
    """Return what an answer means for its clause; the verdict stays what the engine found."""
    if latest is None:
        return None
    if latest.answer == Answer.UNCLEAR:
        return {"tone": "grey", "icon": "help-circle", "word": "还不清楚"}
    if latest.answer == Answer.NO:
        return {"tone": "grey", "icon": "minus", "word": f"核实：{place}不适用"}
    if list_name == Polarity.POSITIVE:
        return {"tone": "green", "icon": "circle-check", "word": f"核实：适用{place}"}
    is_hard = strength == Strength.HARD
    tone, icon = ("red", "ban") if is_hard else ("amber", "alert-triangle")
    return {"tone": tone, "icon": icon, "word": f"核实：适用{place}"}
