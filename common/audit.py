"""The audit record: every service writes one line for what it changed."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import models

from common.models import AuditRecord
from common.origin import current_origin


def record(
    action: str,
    *,
    by: models.Model | None,
    on: models.Model | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
) -> AuditRecord:
    """Add one line to the audit record, in the transaction of the change itself.

    `action` is a verb with its room, such as `referrals.record_progress`. If the line cannot be
    written the change is rolled back with it (security.md E6).
    """
    entry = _entry(action, by=by, on=on, before=before, after=after, reason=reason)
    entry.save()
    return entry


def record_all(
    action: str,
    changes: Iterable[tuple[models.Model, Mapping[str, Any], Mapping[str, Any]]],
    *,
    by: models.Model | None,
    reason: str = "",
) -> None:
    """Add a line for each object that one piece of work changed: (object, before, after)."""
    entries = [
        _entry(action, by=by, on=on, before=before, after=after, reason=reason)
        for on, before, after in changes
    ]
    AuditRecord.objects.bulk_create(entries, batch_size=500)


def _entry(
    action: str,
    *,
    by: models.Model | None,
    on: models.Model | None,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    reason: str,
) -> AuditRecord:
    source = current_origin()
    author: Any = by  # this room knows no users, only the model that settings name
    return AuditRecord(
        actor=author,
        actor_name=str(by) if by else "",
        action=action,
        object_type=on._meta.label if on is not None else "",
        object_id=str(on.pk) if on is not None else "",
        object_label=str(on)[:300] if on is not None else "",
        before=_as_json(before or {}),
        after=_as_json(after or {}),
        reason=reason,
        request_number=source.request_number,
        address=source.address,
    )


def _as_json(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain_value(value) for name, value in values.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, models.Model):
        return str(value)
    if isinstance(value, list | tuple | set):
        return [_plain_value(item) for item in value]
    return value
