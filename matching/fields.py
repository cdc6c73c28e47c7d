"""What the fields of a project state by their value: sector, ownership, county, nature, size."""

import os
import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from decimal import Decimal

from matching.conditions import SIZES, Atoms
from matching.types import ProjectFacts
from matching.vocabulary import fold

SHORTEST_NAME = 3
# Sectors are written in so many ways that what was read of them is kept, but not without bound.
MOST_KEPT = 10_000
# Fields whose value is the name of an atom.
NAMED = ("ownership", "county", "nature")

# How many limits an amount has reached; a term must go beyond its limit.
PLACES = {"demand_below": bisect_right, "demand_from": bisect_right, "term_above": bisect_left}

# The bits that are true, and those that are unknown.
Bits = tuple[int, int]


class FieldReader:
    """Reads fields, for the atoms the conditions speak of."""

    def __init__(self, atoms: Atoms, sectors: Mapping[str, str]) -> None:
        """`sectors` maps names of the classification to codes with their letter."""
        self.atoms = atoms
        self.sectors = sectors
        self._sector_bits = {n[7:]: b for n, b in atoms.bits.items() if n.startswith("sector:")}
        self._sectors_read: dict[str, Bits] = {}
        self._values = {
            name: {n[len(name) + 1 :]: b for n, b in atoms.bits.items() if n.startswith(f"{name}:")}
            for name in (*NAMED, "category")
        }
        self._unknown = {name: sum(values.values()) for name, values in self._values.items()}
        self._steps = {kind: _steps(kind, atoms) for kind in SIZES}

    def named(self, facts: ProjectFacts) -> Bits:
        """Return what ownership, county, nature and categories state."""
        true = unknown = 0
        for name in NAMED:
            if value := getattr(facts, name):
                true |= self._values[name].get(value, 0)
            else:
                unknown |= self._unknown[name]
        for category in facts.categories:
            true |= self._values["category"].get(category, 0)
        return true, unknown

    def sector(self, written: str) -> Bits:
        """A sector states itself and all above it; whether it is one below it is unknown."""
        if written in self._sectors_read:
            return self._sectors_read[written]
        code, bits = self._code(written), self._sector_bits
        if code:
            above = sum(bit for each, bit in bits.items() if code.startswith(each))
            below = sum(b for each, b in bits.items() if each.startswith(code) and each != code)
        else:
            above, below = 0, sum(bits.values())
        if len(self._sectors_read) < MOST_KEPT:
            self._sectors_read[written] = above, below
        return above, below

    def size(self, facts: ProjectFacts) -> Bits:
        """Return what the demand and the term state."""
        true = unknown = 0
        for kind, (limits, masks) in self._steps.items():
            amount = facts.term_months if kind == "term_above" else facts.demand_wan
            if amount is None:
                unknown |= masks[0] | masks[-1]
            else:
                true |= masks[PLACES[kind](limits, amount)]
        return true, unknown

    def _code(self, sector: str) -> str:
        text = fold(sector).strip().upper()
        if not text:
            return ""
        if match := re.match(r"([A-T]?)(\d{2,4})(?!\d)", text):
            return self.sectors.get(match[0], match[0] if match[1] else "")
        if len(text) == 1 and text in "ABCDEFGHIJKLMNOPQRST":
            return text
        return self.sectors.get(sector.strip()) or self._code_of_part(sector.strip())

    def _code_of_part(self, name: str) -> str:
        """A name that is only part of some, 有色金属冶炼: what those have in common."""
        if len(name) < SHORTEST_NAME:
            return ""
        return os.path.commonprefix([code for each, code in self.sectors.items() if name in each])


def _steps(kind: str, atoms: Atoms) -> tuple[list[Decimal], list[int]]:
    """Return the limits of one kind, rising, and for each interval between them what is true."""
    bits = {
        Decimal(name.partition(":")[2]): bit
        for name, bit in atoms.bits.items()
        if name.startswith(f"{kind}:")
    }
    limits = sorted(bits)
    holds_below = kind == "demand_below"
    masks = [
        sum(bits[limit] for limit in (limits[place:] if holds_below else limits[:place]))
        for place in range(len(limits) + 1)
    ]
    return limits, masks
