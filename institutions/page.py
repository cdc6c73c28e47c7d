"""What the page of an institution shows: its lists, all editions, and two of them compared."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.http import Http404

from accounts.choices import Role
from common.months import local_today
from institutions.choices import OPEN, EditionStatus, Polarity, Strength
from institutions.editions import EDITABLE, differences
from institutions.models import Clause, Institution, ListEdition
from institutions.panels import panels_for

STRENGTH_BADGES = {
    Strength.HARD: ("red", "ban"),
    Strength.SOFT: ("amber", "alert-triangle"),
    Strength.CASE_BY_CASE: ("blue", "message-question"),
}
STATUS_BADGES = {
    EditionStatus.DRAFT: ("amber", "pencil"),
    EditionStatus.CONFIRMED: ("blue", "user-check"),
    EditionStatus.WAITING: ("blue", "calendar-time"),
    EditionStatus.IN_FORCE: ("green", "circle-check"),
    EditionStatus.SUPERSEDED: ("grey", "history"),
    EditionStatus.REJECTED: ("red", "x"),
}
# How the fields of a clause are compared: as they stand, or only that they differ.
WORDS = {f.name: str(f.verbose_name) for f in Clause._meta.fields if f.name in EDITABLE}
UNREADABLE = frozenset({"condition"})
# Who reads the notes behind the conditions.
NOTE_READERS = frozenset({Role.BUREAU})


@dataclass(frozen=True)
class Comparison:
    """Two editions, what differs, and what the user may do with the newer one."""

    old: ListEdition
    new: ListEdition
    rows: list[dict[str, Any]]
    may_decide: bool
    may_recall: bool = False
    obstacle: str = ""
    # What accepting does, before it is done.
    consequence: str = ""


def institution_page(user: Any, institution: Institution, compare: str) -> dict[str, Any]:
    """Return what the page shows a user; `compare` is the id of an edition, or empty."""
    visible = ListEdition.objects.visible_to(user).filter(institution=institution)
    joined = visible.select_related("created_by", "confirmed_by")
    editions = list(joined.order_by("-effective_from", "-pk"))
    held, waiting = (
        next((each for each in editions if each.status == status), None)
        for status in (EditionStatus.IN_FORCE, EditionStatus.WAITING)
    )
    is_own = works_for(user, institution)
    return {
        "institution": institution,
        "edition": held,
        "waiting": waiting,
        "lists": _lists(held) if held else [],
        "shows_notes": user.role in NOTE_READERS,
        "editions": [_edition_row(each) for each in editions],
        "comparison": _comparison(user, editions, compare) if compare else None,
        "may_confirm": is_own and held is not None and held.confirmed_at is None,
        "may_confirm_waiting": is_own and waiting is not None and waiting.confirmed_at is None,
        "may_propose": is_own and held is not None,
        "panels": panels_for(user, institution),
    }


def works_for(user: Any, institution: Institution) -> bool:
    """Whether a bank user speaks for an institution: its own or a branch of it."""
    if user.role != Role.BANK:
        return False
    return Institution.objects.of_user(user).filter(pk=institution.pk).exists()


def _lists(edition: ListEdition) -> list[dict[str, Any]]:
    clauses = list(edition.clauses.order_by("position"))
    found = []
    for polarity in Polarity:
        rows = [_clause_row(clause) for clause in clauses if clause.polarity == polarity]
        numbered = sum(1 for row in rows if row["clause"].number)
        found.append({"polarity": polarity, "rows": rows, "numbered": numbered})
    return found


def _clause_row(clause: Clause) -> dict[str, Any]:
    badge = STRENGTH_BADGES[Strength(clause.strength)] if clause.strength else None
    return {"clause": clause, "badge": badge}


def _edition_row(edition: ListEdition) -> dict[str, Any]:
    tone, icon = STATUS_BADGES[EditionStatus(edition.status)]
    return {"edition": edition, "tone": tone, "icon": icon}


def _comparison(user: Any, editions: list[ListEdition], compare: str) -> Comparison:
    """Compare with the edition in force: an earlier one before it, a draft after it."""
    chosen = next((each for each in editions if str(each.pk) == compare), None)
    held = next((each for each in editions if each.status == EditionStatus.IN_FORCE), None)
    if chosen is None or held is None:
        raise Http404
    old, new = (chosen, held)
    if chosen.status not in (EditionStatus.SUPERSEDED, EditionStatus.IN_FORCE):
        by_id = {each.pk: each for each in editions}
        old, new = by_id.get(chosen.based_on_id or 0, held), chosen
    rows = _differences(old, new, _readable_to(user))
    is_bureau = user.role == Role.BUREAU
    if not (is_bureau and new.status in OPEN):
        may_recall = is_bureau and new.status == EditionStatus.WAITING
        return Comparison(old, new, rows, may_decide=False, may_recall=may_recall)
    waiting = next((each for each in editions if each.status == EditionStatus.WAITING), None)
    obstacle = _obstacle(new, held, waiting)
    return Comparison(
        old, new, rows, True, obstacle=obstacle, consequence=_consequence(new, waiting)
    )


def _obstacle(edition: ListEdition, held: ListEdition, waiting: ListEdition | None) -> str:
    if edition.based_on_id not in (None, held.pk):
        return f"起草以后现行版本已换成“{held.name}”，不能再采纳，请机构按现行版本重新提出。"
    if waiting and _is_ahead(edition):
        return (
            f"“{waiting.name}”已经采纳，将于 {waiting.effective_from} 生效；"
            "请先撤回它，或等它生效后请机构按新版本重新提出。"
        )
    return ""


def _consequence(edition: ListEdition, waiting: ListEdition | None) -> str:
    if _is_ahead(edition):
        return f"采纳后到 {edition.effective_from} 自动取代现行版本，那天以前可以撤回。确定采纳吗？"
    handed_back = f"待生效的“{waiting.name}”将退回重新决定。" if waiting else ""
    return f"采纳后它取代现行版本，现行版本仍可查看。{handed_back}确定采纳吗？"


def _is_ahead(edition: ListEdition) -> bool:
    return edition.effective_from > local_today()


def _readable_to(user: Any) -> list[str]:
    """The fields of a clause that a user gets to see, if only as changed."""
    return [name for name in EDITABLE if name != "note" or user.role in NOTE_READERS]


def _differences(
    old: ListEdition, new: ListEdition, readable: Collection[str]
) -> list[dict[str, Any]]:
    """What differs, without the clauses of which only something unreadable does."""
    found = []
    for row in differences(old, new):
        fields = [name for name in row["fields"] if name in readable]
        if fields:
            found.append(_difference(row | {"fields": fields}))
    return found


def _difference(row: dict[str, Any]) -> dict[str, Any]:
    before, after = row["before"], row["after"]
    clause = after or before
    return {
        "clause": clause,
        "before": before,
        "after": after,
        "fields": [
            {"word": WORDS[name], "before": _value(before, name), "after": _value(after, name)}
            for name in row["fields"]
            if name not in UNREADABLE and before and after
        ],
        "is_condition_changed": "condition" in row["fields"],
        "is_condition_kept": "text" in row["fields"] and "condition" not in row["fields"],
    }


def _value(clause: Clause, name: str) -> str:
    return clause.get_strength_display() if name == "strength" else getattr(clause, name)
