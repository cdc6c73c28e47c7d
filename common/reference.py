"""Reference data: how a fixture of the repository gets into its table, and the industries."""

import csv
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import models

from common.choices import SectorLevel
from common.errors import InvalidInput
from common.models import Sector
from common.names import name_key

SECTORS_FILE = "gbt4754_2017.tsv"
# What the standard holds; a file with other numbers is not GB/T 4754-2017.
SECTOR_COUNTS = {
    SectorLevel.SECTION: 20,
    SectorLevel.DIVISION: 97,
    SectorLevel.GROUP: 473,
    SectorLevel.CLASS: 1380,
}

Values = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Loaded:
    """What loading one register did: counts, and old and new values of the rows that changed."""

    register: str
    label: str
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    before: Values = field(default_factory=dict)
    after: Values = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """The three counts, for the command's JSON."""
        return {"new": self.new, "changed": self.changed, "unchanged": self.unchanged}

    def __add__(self, other: "Loaded") -> "Loaded":
        """Two parts of one register, counted together."""
        return Loaded(
            self.register,
            self.label,
            self.new + other.new,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
            self.before | other.before,
            self.after | other.after,
        )


def sync_rows(
    register: str,
    label: str,
    wanted: Sequence[models.Model],
    *,
    key: str = "code",
    fields: Collection[str],
) -> Loaded:
    """Add the rows that are missing and correct those that differ, in three queries at most.

    `fields` are attribute names (`parent_id`). Rows the fixture does not name are left alone.
    """
    model = type(wanted[0])
    stored = {getattr(row, key): row for row in model._default_manager.all()}
    new = [row for row in wanted if getattr(row, key) not in stored]
    changed: list[models.Model] = []
    before: Values = {}
    after: Values = {}
    for row in wanted:
        known = stored.get(getattr(row, key))
        if known is None or not (differing := _differing(known, row, fields)):
            continue
        before[str(getattr(row, key))] = {name: getattr(known, name) for name in differing}
        after[str(getattr(row, key))] = {name: getattr(row, name) for name in differing}
        row.pk = known.pk
        changed.append(row)
    model._default_manager.bulk_create(new, batch_size=500)
    model._default_manager.bulk_update(changed, [_field_name(model, name) for name in fields])
    unchanged = len(wanted) - len(new) - len(changed)
    return Loaded(register, label, len(new), len(changed), unchanged, before, after)


def _differing(known: models.Model, row: models.Model, fields: Collection[str]) -> list[str]:
    return [name for name in fields if getattr(known, name) != getattr(row, name)]


def _field_name(model: type[models.Model], attribute: str) -> str:
    return next(f.name for f in model._meta.concrete_fields if f.attname == attribute)


def load(by: Any) -> list[Loaded]:
    """Load the classification of industries, GB/T 4754-2017, all four levels."""
    sectors = _read_sectors()
    counts = Counter(sector.level for sector in sectors)
    if counts != SECTOR_COUNTS:
        found = "、".join(f"{level.label} {counts[level]} 个" for level in SectorLevel)
        raise InvalidInput(f"行业分类文件 {SECTORS_FILE} 不完整（{found}），请恢复原文件后再试。")
    fields = ("level", "parent_id", "name", "name_key")
    return [sync_rows("sectors", "国民经济行业", sectors, fields=fields)]


def _read_sectors() -> list[Sector]:
    """Read the table; parents stand before their children in it."""
    with (settings.FIXTURES / SECTORS_FILE).open(encoding="utf-8", newline="") as file:
        return [
            Sector(
                code=line["code"],
                level=line["level"],
                parent_id=line["parent"] or None,
                name=line["name"],
                name_key=name_key(line["name"]),
            )
            for line in csv.DictReader(file, delimiter="\t")
        ]
