"""New editions of an institution's lists: drafted from the one in force, confirmed, put in force.

An edition in force is never edited: a change is a further edition, and the old one stays readable
beside it with the day until which it held. An accepted edition whose day lies ahead waits;
`institutions.starting` puts it in force then.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.choices import Role
from common import audit
from common.errors import IllegalMove, InvalidInput, NotAllowed
from common.months import local_today
from institutions.choices import OPEN, EditionStatus, Polarity, Strength
from institutions.models import Clause, Institution, ListEdition

EDITABLE = ("title", "text", "strength", "condition", "note")
# Only negative clauses bind more or less strictly.
STRENGTHS: dict[str, tuple[str, ...]] = {
    Polarity.POSITIVE: ("",),
    Polarity.NEGATIVE: tuple(Strength.values),
}
# A clause is known across editions by where it stands: its list and its printed number.
Key = tuple[str, str]


@dataclass(frozen=True)
class EditionRequest:
    """A new edition that is asked for: its name, its day, why, and what it changes.

    `changes` maps (polarity, number) to new values of the fields in EDITABLE; a clause that is
    not named is taken over as it stands.
    """

    name: str
    effective_from: date
    reason: str
    changes: Mapping[Key, Mapping[str, Any]]


@transaction.atomic
def draft_edition(*, institution: Institution, request: EditionRequest, by: Any) -> ListEdition:
    """Copy the edition in force with changes into a draft.

    The institution's own people may draft (a proposal), and so may the bureau. Raises NotAllowed,
    InvalidInput.
    """
    _check_may_draft(institution, by)
    held = in_force(institution)
    _check_request(held, request)
    draft = ListEdition.objects.create(
        institution=institution,
        name=request.name,
        status=EditionStatus.DRAFT,
        effective_from=request.effective_from,
        source=held.source,
        reason=request.reason,
        based_on=held,
        created_by=by,
    )
    Clause.objects.bulk_create(
        [copied(clause, draft, request.changes) for clause in held.clauses.order_by("position")]
    )
    audit.record(
        "institutions.draft_edition",
        by=by,
        on=draft,
        before={"edition": held.name},
        after={"changed": [number for _, number in request.changes]},
        reason=request.reason,
    )
    return draft


@transaction.atomic
def put_in_force(*, edition: ListEdition, by: Any) -> ListEdition:
    """Let a draft or confirmed edition replace the one in force, on its day. Only the bureau may.

    With a later day it waits and starts by itself (`institutions.starting`).
    """
    _check_may_decide(by)
    edition = locked(edition)
    if edition.status not in OPEN:
        raise IllegalMove(f"“{edition.name}”现在是“{edition.get_status_display()}”，不能再生效。")
    held = in_force(edition.institution)
    if edition.based_on_id not in (None, held.pk):
        raise IllegalMove(
            f"起草“{edition.name}”以后，现行版本已换成“{held.name}”，采纳会把后来的修改改回去；"
            "请打开它的改动，按现行版本决定。"
        )
    if is_ahead(edition):
        return _let_wait(edition, by)
    return take_over(held=held, edition=edition, by=by)


def _let_wait(edition: ListEdition, by: Any) -> ListEdition:
    other = waiting(edition.institution_id)
    if other is not None:
        raise IllegalMove(must_not_wait_beside(other))
    before = edition.status
    edition.status = EditionStatus.WAITING
    edition.save(update_fields=["status"])
    audit.record(
        "institutions.accept_edition",
        by=by,
        on=edition,
        before={"status": before},
        after={"status": edition.status, "effective_from": edition.effective_from},
        reason=edition.reason,
    )
    return edition


def take_over(*, held: ListEdition | None, edition: ListEdition, by: Any) -> ListEdition:
    """Let an edition take over from the one in force; the caller holds the institution's line."""
    if held is not None:
        _supersede(held, edition.effective_from)
    before = edition.status
    edition.status = EditionStatus.IN_FORCE
    edition.save(update_fields=["status"])
    name = held.name if held else ""
    audit.record(
        "institutions.put_in_force",
        by=by,
        on=edition,
        before={"status": before, "in_force": name},
        after={"status": edition.status, "in_force": edition.name},
        reason=edition.reason,
    )
    _hand_back_overtaken(edition, by)
    return edition


def _supersede(held: ListEdition, day: date) -> None:
    held.status = EditionStatus.SUPERSEDED
    held.effective_until = max(day, held.effective_from)
    if held.effective_until == held.effective_from:
        held.effective_until = None  # replaced on its first day: it held for no whole day
    held.save(update_fields=["status", "effective_until"])


def _hand_back_overtaken(edition: ListEdition, by: Any) -> None:
    """What waits was drawn up from the edition that is now replaced; it would undo this one."""
    overtaken = waiting(edition.institution_id)
    if overtaken is not None:
        reason = f"现行版本已换成“{edition.name}”，按原样生效会把它改回去，请重新决定"
        _hand_back(overtaken, by, reason)


@transaction.atomic
def recall_edition(*, edition: ListEdition, reason: str, by: Any) -> ListEdition:
    """Take back that an edition was accepted, before its day; it is to be decided again."""
    _check_may_decide(by)
    if not reason.strip():
        raise InvalidInput("请写明撤回的原因。")
    edition = locked(edition)
    if edition.status != EditionStatus.WAITING:
        raise IllegalMove(f"“{edition.name}”现在是“{edition.get_status_display()}”，不能撤回。")
    return _hand_back(edition, by, reason.strip())


def _hand_back(edition: ListEdition, by: Any, reason: str) -> ListEdition:
    was_confirmed = edition.confirmed_at is not None
    edition.status = EditionStatus.CONFIRMED if was_confirmed else EditionStatus.DRAFT
    edition.save(update_fields=["status"])
    audit.record(
        "institutions.recall_edition",
        by=by,
        on=edition,
        before={"status": EditionStatus.WAITING},
        after={"status": edition.status},
        reason=reason,
    )
    return edition


@transaction.atomic
def confirm_edition(*, edition: ListEdition, by: Any) -> ListEdition:
    """Record that the institution itself stands by an edition; once, with name and time."""
    if not Institution.objects.of_user(by).filter(pk=edition.institution_id).exists():
        raise NotAllowed("只有本机构的人员可以确认本机构的清单。")
    edition = locked(edition)
    if edition.confirmed_at is not None:
        raise IllegalMove("这个版本已经确认过了。")
    if edition.status not in OPEN | {EditionStatus.WAITING, EditionStatus.IN_FORCE}:
        raise IllegalMove(f"“{edition.name}”现在是“{edition.get_status_display()}”，不用确认。")
    edition.confirmed_at, edition.confirmed_by = timezone.now(), by
    if edition.status == EditionStatus.DRAFT:
        edition.status = EditionStatus.CONFIRMED
    edition.save(update_fields=["confirmed_at", "confirmed_by", "status"])
    audit.record("institutions.confirm_edition", by=by, on=edition, after={"name": edition.name})
    return edition


def in_line(institution_id: int) -> Institution:
    """Return an institution, with all other moves on its editions waiting for this one."""
    return Institution.objects.select_for_update(no_key=True).get(pk=institution_id)


def locked(edition: ListEdition) -> ListEdition:
    """Return the edition as it stands now, with its institution's line held."""
    in_line(edition.institution_id)
    return ListEdition.objects.select_for_update().get(pk=edition.pk)


def in_force(institution: Institution) -> ListEdition:
    """Return the edition in force. Raises InvalidInput where there is none."""
    found = ListEdition.objects.in_force().filter(institution=institution).first()
    if found is None:
        raise InvalidInput(f"{institution}还没有生效的清单。")
    return found


def waiting(institution_id: int) -> ListEdition | None:
    """Return the accepted edition that waits for its day; there is at most one."""
    return ListEdition.objects.waiting().filter(institution=institution_id).first()


def is_ahead(edition: ListEdition) -> bool:
    """Whether the day of an edition is still to come."""
    return edition.effective_from > local_today()


def must_not_wait_beside(other: ListEdition) -> str:
    """Say why a second edition cannot wait, and what to do about it."""
    return (
        f"“{other.name}”已经采纳，将于 {other.effective_from} 生效；"
        "请先撤回它，或等它生效以后再决定。"
    )


def _check_may_decide(by: Any) -> None:
    if by.role not in (Role.BUREAU, Role.SYSTEM):
        raise NotAllowed("只有财政局可以让清单版本生效。")


def _check_may_draft(institution: Institution, by: Any) -> None:
    if by.role in (Role.BUREAU, Role.SYSTEM):
        return
    if not Institution.objects.of_user(by).filter(pk=institution.pk).exists():
        raise NotAllowed("只有财政局和本机构的人员可以提出清单修改。")


def _check_request(held: ListEdition, request: EditionRequest) -> None:
    if not request.reason.strip():
        raise InvalidInput("请写明修改的原因。")
    if ListEdition.objects.filter(institution=held.institution, name=request.name).exists():
        raise InvalidInput(f"已有名为“{request.name}”的版本，请换一个名称。")
    if request.effective_from < held.effective_from:
        raise InvalidInput(f"生效日期不能早于现行版本的 {held.effective_from}。")
    known = {(clause.polarity, clause.number) for clause in held.clauses.all()}
    for key, values in request.changes.items():
        if key not in known:
            raise InvalidInput(f"现行清单里没有第{key[1]}条，请刷新后重试。")
        if unknown := set(values) - set(EDITABLE):
            raise InvalidInput(f"第{key[1]}条的“{'、'.join(sorted(unknown))}”不能修改。")
        if "strength" in values and values["strength"] not in STRENGTHS[key[0]]:
            raise InvalidInput(f"第{key[1]}条的力度不对，请从列表中选择。")


def copied(clause: Clause, draft: ListEdition, changes: Mapping[Key, Mapping[str, Any]]) -> Clause:
    """Return an unsaved copy of a clause for a draft, with what is changed of it."""
    values = {
        field.attname: getattr(clause, field.attname)
        for field in Clause._meta.concrete_fields
        if not field.primary_key
    }
    values |= changes.get((clause.polarity, clause.number), {})
    if "text" in changes.get((clause.polarity, clause.number), {}):
        values["official_text"] = ""  # the old wording no longer is that of the clause
    return Clause(**values | {"edition_id": draft.pk})


def differences(old: ListEdition, new: ListEdition) -> list[dict[str, Any]]:
    """Return the clauses that two editions do not share as they stand, in the order of the new."""
    before = {(c.polarity, c.number): c for c in old.clauses.all() if c.number}
    after = {(c.polarity, c.number): c for c in new.clauses.order_by("position") if c.number}
    rows = []
    for key in [*after, *(key for key in before if key not in after)]:
        was, now = before.get(key), after.get(key)
        fields = [f for f in EDITABLE if getattr(was, f, None) != getattr(now, f, None)]
        if fields:
            rows.append({"key": key, "before": was, "after": now, "fields": fields})
    return rows
