"""What an institution proposes to change in its lists, and the bureau's answer."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db import transaction

from accounts.choices import Role
from common import audit
from common.errors import IllegalMove, InvalidInput, NotAllowed
from institutions.choices import OPEN, EditionStatus
from institutions.editions import EditionRequest, Key, draft_edition, in_force, in_line, locked
from institutions.models import Institution, ListEdition


@transaction.atomic
def propose_changes(
    *,
    based_on: ListEdition,
    changes: Mapping[Key, Mapping[str, Any]],
    effective_from: date,
    reason: str,
    by: Any,
) -> ListEdition:
    """Draft an edition that changes some clauses of the one in force, for the bureau to decide.

    Raises IllegalMove where another edition has come into force since the clauses were read;
    otherwise as `draft_edition`.
    """
    institution = in_line(based_on.institution_id)
    if in_force(institution).pk != based_on.pk:
        raise IllegalMove("清单刚刚换了版本，请刷新后按现行版本重新填写。")
    if not changes:
        raise InvalidInput("没有改动任何条款，请改好文字或力度再提交。")
    name = _free_name(institution, effective_from)
    request = EditionRequest(name, effective_from, reason, changes)
    return draft_edition(institution=institution, request=request, by=by)


@transaction.atomic
def reject_edition(*, edition: ListEdition, reason: str, by: Any) -> ListEdition:
    """Turn a proposal down, with the reason; it stays readable for the institution."""
    if by.role != Role.BUREAU:
        raise NotAllowed("只有财政局可以决定是否采纳清单修改。")
    if not reason.strip():
        raise InvalidInput("请写明不采纳的原因，机构会看到。")
    edition = locked(edition)
    if edition.status not in OPEN:
        raise IllegalMove(f"“{edition.name}”现在是“{edition.get_status_display()}”，不用再决定。")
    before = edition.status
    edition.status, edition.rejection_reason = EditionStatus.REJECTED, reason.strip()
    edition.save(update_fields=["status", "rejection_reason"])
    audit.record(
        "institutions.reject_edition",
        by=by,
        on=edition,
        before={"status": before},
        after={"status": edition.status},
        reason=edition.rejection_reason,
    )
    return edition


def _free_name(institution: Institution, day: date) -> str:
    """Name an edition by its day; a further one of the same day gets a number."""
    name = f"{day:%Y-%m-%d} 版"
    held = set(
        ListEdition.objects.filter(institution=institution, name__startswith=name).values_list(
            "name", flat=True
        )
    )
    names = [name, *(f"{name}（{number}）" for number in range(2, len(held) + 2))]
    return next(each for each in names if each not in held)
