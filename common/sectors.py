"""Industries as people write them: by code, by name, or both, at any level of GB/T 4754-2017."""

import re
from collections.abc import Iterable

from common.choices import SectorLevel
from common.models import Sector, SectorQuerySet
from common.names import name_key

_CODE = r"(?P<code>[a-t]?\d{2,4}|[a-t])"
_BETWEEN = r"[-_:.,、/]*"
_BOTH = (
    re.compile(rf"\(?{_CODE}\)?{_BETWEEN}(?P<name>[^\d(].*)"),  # C17 纺织业
    re.compile(rf"{_CODE}\((?P<name>.+)\)"),  # C17（纺织业）
    re.compile(rf"(?P<name>.+?){_BETWEEN}\(?{_CODE}\)?"),  # 纺织业（C17）
)


class SectorIndex:
    """The classification held in memory: one query, then as many look-ups as a file has rows."""

    def __init__(self, sectors: Iterable[Sector] | None = None) -> None:
        self._by_code: dict[str, Sector] = {}
        self._by_name: dict[str, list[Sector]] = {}
        self._children: dict[str, list[Sector]] = {}
        for sector in Sector.objects.all() if sectors is None else sectors:
            self._by_code[sector.code.lower()] = sector
            if sector.level != SectorLevel.SECTION:
                self._by_code[sector.code[1:]] = sector
            self._by_name.setdefault(sector.name_key, []).append(sector)
            self._children.setdefault(sector.parent_id or "", []).append(sector)

    def find(self, text: object) -> Sector | None:
        """The sector that is meant by a code, a name, or a code with a name; else None.

        Code and name must fit: where they name two branches, or one of them is not in the
        standard, nothing is found rather than guessed.
        """
        key = name_key(text)
        if found := self._by_code.get(key) or self._named(key):
            return found
        pairs = (match for pattern in _BOTH if (match := pattern.fullmatch(key)))
        return next((s for p in pairs if (s := self._agreed(p["code"], p["name"]))), None)

    def _named(self, key: str) -> Sector | None:
        """The sector of that name, told apart where one name stands at several levels.

        They lie on one line then, and the broadest holds all the others. It is narrowed as long
        as its only child bears the same name: A019 其他农业 becomes A0190. D45 燃气生产和供应业
        has a child of its name beside another one, so it stays D45. On two lines: not decidable.
        """
        same = sorted(self._by_name.get(key, []), key=lambda sector: len(sector.code))
        if not same or not all(sector.code.startswith(same[0].code) for sector in same):
            return None
        found = same[0]
        while len(below := self._children.get(found.code, [])) == 1 and below[0].name_key == key:
            found = below[0]
        return found

    def _agreed(self, code: str, name: str) -> Sector | None:
        """The narrower of the two where one holds the other."""
        coded, named = self._by_code.get(code), self._named(name)
        if coded is None or named is None:
            return None
        if named.code.startswith(coded.code):
            return named
        return coded if coded.code.startswith(named.code) else None


def find_sector(text: object) -> Sector | None:
    """The sector that is meant; reads the table once, so for many rows make a SectorIndex."""
    return SectorIndex().find(text) if name_key(text) else None


def descendants(sector: Sector | str) -> SectorQuerySet:
    """The sector itself and everything below it; nothing for a code that does not exist."""
    found = sector if isinstance(sector, Sector) else find_sector(sector)
    if found is None:
        return Sector.objects.none()
    return Sector.objects.filter(code__startswith=found.code)
