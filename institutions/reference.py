"""Loads the register of institutions: the report's and the lists', their names and areas."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings

from common.errors import InvalidInput
from common.reference import Loaded, sync_rows
from institutions.choices import NameKind
from institutions.list_reference import load_lists
from institutions.models import Institution, InstitutionName
from institutions.services import institution_key

Entry = Mapping[str, Any]

PLAIN_FIELDS = (
    "short_name",
    "full_name",
    "list_name",
    "kind",
    "display_order",
    "is_area_bound",
)


def load(by: Any) -> list[Loaded]:
    """Load institutions, then their names, then their service areas."""
    path = settings.FIXTURES / "institutions.json"
    entries: list[Entry] = json.loads(path.read_text(encoding="utf-8"))
    return [
        _load_institutions(entries),
        _load_names(entries),
        _load_areas(entries),
        load_lists(by),
    ]


def _load_institutions(entries: list[Entry]) -> Loaded:
    """Save the heads first: a branch points to its head."""
    heads = [entry for entry in entries if not entry["parent"]]
    branches = [entry for entry in entries if entry["parent"]]
    return _load_level(heads) + _load_level(branches)


def _load_level(entries: list[Entry]) -> Loaded:
    ids = _ids_by_code()
    rows = [
        Institution(
            code=entry["code"],
            parent_id=ids[entry["parent"]] if entry["parent"] else None,
            **{name: entry[name] for name in PLAIN_FIELDS},
        )
        for entry in entries
    ]
    return sync_rows("institutions", "金融机构", rows, fields=(*PLAIN_FIELDS, "parent_id"))


def _load_names(entries: list[Entry]) -> Loaded:
    ids = _ids_by_code()
    rows: dict[str, InstitutionName] = {}
    for entry in entries:
        for kind, name in _names_of(entry):
            row = InstitutionName(
                institution_id=ids[entry["code"]], name=name, key=institution_key(name), kind=kind
            )
            # The first use of a name stands where two uses share it.
            if rows.setdefault(row.key, row).institution_id != row.institution_id:
                raise InvalidInput(f"金融机构名称“{name}”指向两个机构，请在机构名录中改正。")
    fields = ("institution_id", "name", "kind")
    return sync_rows("names", "机构名称", list(rows.values()), key="key", fields=fields)


def _names_of(entry: Entry) -> Iterator[tuple[NameKind, str]]:
    yield NameKind.SHORT, entry["short_name"]
    yield NameKind.FULL, entry["full_name"]
    if entry["list_name"]:
        yield NameKind.LIST, entry["list_name"]
    yield from ((NameKind.FORMER, name) for name in entry["former_names"])
    yield from ((NameKind.ALIAS, name) for name in entry["aliases"])


def _load_areas(entries: list[Entry]) -> Loaded:
    """Make the service areas those of the fixture: a changed area counts as added and removed."""
    ids = _ids_by_code()
    link = Institution.service_areas.through
    wanted = {(ids[entry["code"]], area) for entry in entries for area in entry["service_areas"]}
    mine = link._default_manager.filter(institution__code__in=[entry["code"] for entry in entries])
    stored = {(row.institution_id, row.region_id): row.pk for row in mine}
    removed = [pk for pair, pk in stored.items() if pair not in wanted]
    added = sorted(wanted - stored.keys())
    link._default_manager.filter(pk__in=removed).delete()
    link._default_manager.bulk_create(
        link(institution_id=institution, region_id=region) for institution, region in added
    )
    unchanged = len(wanted) - len(added)
    return Loaded("service_areas", "服务区域", len(added), len(removed), unchanged)


def _ids_by_code() -> dict[str, int]:
    return dict(Institution.objects.values_list("code", "pk"))
