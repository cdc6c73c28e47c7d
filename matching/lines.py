"""A project as one line of JSON, and its matches as one line (interfaces.md 5)."""

import json
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from common.errors import InvalidInput
from matching.types import Match, ProjectFacts, Reason

# A text that repeats a word a thousand times shows the same as one that says it a few times.
MOST_SPANS = 20
TEXTS = ("name", "borrower", "ownership", "county", "sector", "content", "nature", "purpose")


def read_lines(lines: Iterable[str]) -> Iterator[ProjectFacts]:
    """Read projects; raises InvalidInput naming the line that is no project."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _facts(number, line)


def _facts(number: int, line: str) -> ProjectFacts:
    try:
        raw = json.loads(line)
    except ValueError as error:
        raise InvalidInput(f"第 {number} 行不是 JSON：{error}") from error
    if not isinstance(raw, dict) or "id" not in raw:
        raise InvalidInput(f"第 {number} 行要写成一个项目，至少有 id 和 name。")
    return ProjectFacts(
        id=str(raw["id"]),
        **{name: _text(raw.get(name)) for name in TEXTS},
        categories=_texts(raw.get("categories")),
        guarantees=_texts(raw.get("guarantees")),
        demand_wan=_decimal(raw.get("demand_wan")),
        term_months=_integer(raw.get("term_months")),
    )


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(part for part in value.replace("，", "、").split("、") if part)
    return tuple(str(each) for each in value) if isinstance(value, list) else ()


def _decimal(value: Any) -> Decimal | None:
    """What is not a number is unknown, never zero."""
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _integer(value: Any) -> int | None:
    found = _decimal(value)
    return None if found is None else int(found)


def as_line(project_id: str, matches: Iterable[Match]) -> dict[str, Any]:
    """Return one output line."""
    return {"id": project_id, "matches": [_match(match) for match in matches]}


def _match(match: Match) -> dict[str, Any]:
    return {
        "institution": match.institution,
        "verdict": match.verdict.value,
        "score": match.score,
        "score_parts": match.score_parts,
        "reasons": [
            {
                "list": reason.list,
                "clause": reason.clause,
                "effect": reason.effect.value,
                "evidence": list(dict.fromkeys(span.text for span in reason.evidence)),
                "spans": _spans(reason),
                "text": reason.text,
            }
            for reason in match.reasons
        ],
        "to_check": [{"clause": each.clause, "question": each.question} for each in match.to_check],
    }


def _spans(reason: Reason) -> list[dict[str, Any]]:
    """Return where the evidence stands in the project's own fields."""
    return [
        {"field": span.field, "start": span.start, "end": span.end, "text": span.text}
        for span in list(dict.fromkeys(reason.evidence))[:MOST_SPANS]
    ]
