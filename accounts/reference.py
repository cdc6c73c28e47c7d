"""Loads regions and departments."""

import json
from typing import Any

from django.conf import settings

from accounts.models import Department, Region
from common.reference import Loaded, sync_rows

REGION_FIELDS = ("name", "short_name", "other_names", "level", "parent_id")
DEPARTMENT_FIELDS = ("name", "short_name", "other_names", "region_id", "display_order")


def load(by: Any) -> list[Loaded]:
    """Load the region tree (GB/T 2260) and the line departments of the prefecture."""
    regions = [Region(parent_id=entry.pop("parent"), **entry) for entry in _entries("regions.json")]
    departments = [
        Department(region_id=entry.pop("region"), **entry) for entry in _entries("departments.json")
    ]
    return [
        sync_rows("regions", "地区", regions, fields=REGION_FIELDS),
        sync_rows("departments", "部门", departments, fields=DEPARTMENT_FIELDS),
    ]


def _entries(file_name: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads(
        (settings.FIXTURES / file_name).read_text(encoding="utf-8")
    )
    return entries
