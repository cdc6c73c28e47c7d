"""The audit record: every service writes one line for what it changed."""

from collections.abc import Mapping
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
    source = current_origin()
    return AuditRecord.objects.create(
        actor=by,
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
