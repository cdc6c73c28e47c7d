"""Loads the first version of the counting rules."""

import json
from typing import Any

from django.conf import settings

from reports.models import CountingRules
from reports.rules import rules_of


def load(by: Any) -> dict[str, int]:
    """Add the counting rules of the fixture where the portal has none yet; later versions stay.

    Returns {"new": n, "changed": 0, "unchanged": n}.
    """
    if CountingRules.objects.exists():
        return {"new": 0, "changed": 0, "unchanged": 1}
    fixture = json.loads((settings.FIXTURES / "counting_rules.json").read_text(encoding="utf-8"))
    row = CountingRules(
        version=1, values=fixture["values"], reason=fixture["reason"], created_by=by
    )
    rules_of(row)
    row.save()
    return {"new": 1, "changed": 0, "unchanged": 0}
