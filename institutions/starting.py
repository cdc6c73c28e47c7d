"""Accepted editions whose day has come: they take over without anybody asking."""

from datetime import date
from typing import Any

from django.db import transaction

from accounts.choices import Role
from common.errors import NotAllowed
from institutions.choices import EditionStatus
from institutions.editions import locked, take_over
from institutions.models import ListEdition


def start_due_editions(*, on: date, by: Any) -> list[ListEdition]:
    """Put in force what was accepted for that day or an earlier one; twice starts nothing twice.

    Each starts in a transaction of its own. Matching notices the new edition by itself.
    """
    if by.role not in (Role.BUREAU, Role.SYSTEM):
        raise NotAllowed("只有财政局可以让清单版本生效。")
    due = ListEdition.objects.due_on(on).order_by("effective_from", "pk")
    started = [_start(edition, on, by) for edition in due]
    return [edition for edition in started if edition is not None]


@transaction.atomic
def _start(edition: ListEdition, on: date, by: Any) -> ListEdition | None:
    """Return the edition in force; None where it was started or recalled in the meantime."""
    edition = locked(edition)
    if edition.status != EditionStatus.WAITING or edition.effective_from > on:
        return None
    held = ListEdition.objects.in_force().filter(institution=edition.institution_id).first()
    return take_over(held=held, edition=edition, by=by)
