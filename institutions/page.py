"""What the page of an institution shows: its lists, all editions, and two of them compared."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import Http404

from accounts.choices import Role
from institutions.choices import OPEN, EditionStatus, Polarity, Strength
from institutions.editions import EDITABLE, differences, is_ahead, must_not_wait_beside
from institutions.models import Clause, Institution, ListEdition
from institutions.panels import panels_for
from institutions.rebasing import Clash, Rebase, is_overtaken, rebase_of

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
    may_recall: bool
    may_repeat: bool
    obstacle: str = ""
    # What accepting does, before it is done.
    consequence: str = ""
    # Where another edition came into force after the newer one was drafted.
    rebase: Rebase | None = None
    # The clauses that both changed, as each has them.
    clashes: Sequence[dict[str, Any]] = ()


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
    is_bureau = user.role == Role.BUREAU
    may_decide = is_bureau and new.status in OPEN
    waiting = next((each for each in editions if each.status == EditionStatus.WAITING), None)
    rebase = rebase_of(new, held) if is_overtaken(new, held) else None
    clashes = rebase.clashes if rebase else []
    readable = _readable_to(user)
    return Comparison(
        old,
        new,
        _differences(old, new, readable),
        may_decide,
        may_recall=is_bureau and new.status == EditionStatus.WAITING,
        may_repeat=bool(clashes) and works_for(user, new.institution),
        obstacle=_obstacle(new, rebase, waiting if may_decide else None),
        consequence=_consequence(new, rebase, waiting) if may_decide else "",
        rebase=rebase,
        clashes=[_clash(each, readable) for each in clashes],
    )


def _obstacle(edition: ListEdition, rebase: Rebase | None, waiting: ListEdition | None) -> str:
    """Say why an edition cannot be accepted; `waiting` only for whom it would keep from it."""
    if rebase and rebase.obstacle:
        return rebase.obstacle
    if waiting and is_ahead(edition):
        return must_not_wait_beside(waiting)
    return ""


def _consequence(edition: ListEdition, rebase: Rebase | None, waiting: ListEdition | None) -> str:
    redrawn = _redrawn(edition, rebase) if rebase else ""
    if is_ahead(edition):
        day = edition.effective_from
        return f"{redrawn}采纳后到 {day} 自动取代现行版本，那天以前可以撤回。确定采纳吗？"
    handed_back = f"待生效的“{waiting.name}”将退回重新决定。" if waiting else ""
    return f"{redrawn}采纳后它取代现行版本，现行版本仍可查看。{handed_back}确定采纳吗？"


def _redrawn(edition: ListEdition, rebase: Rebase) -> str:
    confirm = "，机构要重新确认" if edition.confirmed_at else ""
    return f"接在“{rebase.held.name}”上：只改 {len(rebase.changes)} 条，其余照现行版本{confirm}。"


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


def _clash(clash: Clash, readable: Collection[str]) -> dict[str, Any]:
    """Both sides of a clause: its text, and what else either of them changed."""
    names = [name for name in readable if name == "text" or clash.differs_in(name)]
    return {
        "clause": clash.clause,
        "sides": [_side(each, clash.base, names) for each in (clash.held, clash.proposed)],
    }


def _side(side: Clause | None, base: Clause | None, names: list[str]) -> list[dict[str, str]]:
    """A clause as one side has it; empty where that side has no such clause."""
    if side is None:
        return []
    return [{"word": WORDS[name], "value": _said(side, base, name)} for name in names]


def _said(side: Clause, base: Clause | None, name: str) -> str:
    if name not in UNREADABLE:
        return _value(side, name)
    is_kept = base is not None and getattr(side, name) == getattr(base, name)
    return "没有改" if is_kept else "已改"


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
