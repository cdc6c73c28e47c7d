"""Loads the published lists of the institutions, restated, from `fixtures/lists/`."""

import json
from datetime import date
from typing import Any

from django.conf import settings

from common.months import local_today
from common.reference import Loaded
from institutions.choices import EditionStatus
from institutions.models import Clause, Institution, ListEdition

Entry = dict[str, Any]


def load_lists(by: Any) -> Loaded:
    """Add the first edition of each institution that has none yet; later editions stay."""
    held = set(ListEdition.objects.values_list("institution__code", flat=True))
    entries = [json.loads(path.read_text(encoding="utf-8")) for path in list_files()]
    missing = [entry for entry in entries if entry["institution"] not in held]
    for entry in missing:
        _add_edition(entry, by)
    return Loaded("lists", "机构清单", new=len(missing), unchanged=len(entries) - len(missing))


def list_files() -> list[Any]:
    """Return the file of each institution; names that start with _ are shared parts."""
    folder = settings.FIXTURES / "lists"
    return sorted(path for path in folder.glob("*.json") if not path.name.startswith("_"))


def _add_edition(entry: Entry, by: Any) -> None:
    day = date.fromisoformat(entry["edition"]["effective_from"])
    edition = ListEdition.objects.create(
        institution=Institution.objects.get(code=entry["institution"]),
        name=entry["edition"]["name"],
        status=EditionStatus.IN_FORCE if day <= local_today() else EditionStatus.WAITING,
        effective_from=day,
        source=entry["edition"]["source"],
        created_by=by,
    )
    Clause.objects.bulk_create(
        [clause_of(edition, place, raw) for place, raw in enumerate(entry["clauses"])]
    )


def clause_of(edition: ListEdition, position: int, raw: Entry) -> Clause:
    """Return an unsaved clause from its form as data."""
    return Clause(
        edition=edition,
        position=position,
        number=raw["no"],
        polarity=raw["polarity"],
        strength=raw.get("strength") or "",
        title=raw["title"],
        text=raw["text"],
        condition=raw.get("condition"),
        note=raw.get("note") or "",
        source_lines=raw.get("source_lines") or [],
    )
