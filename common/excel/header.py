"""Finds the header of a table by the names of its columns, over one row or several."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from openpyxl.utils import get_column_letter

from common.errors import InvalidInput
from common.excel.columns import Headings, is_only_unit
from common.excel.grid import Grid, Place

# How far down a header may begin, and over how many rows it may go.
ROWS_SEARCHED = 60
HEIGHTS = (1, 2, 3)
# A cell that spans more of the sheet is a title, not the head of a group.
TITLE_SHARE = 0.8


@dataclass(frozen=True)
class Found:
    """A column of the table in the sheet: where, under which heading, in which unit."""

    key: str
    column: int
    heading: str
    unit: str | None
    rank: int


@dataclass(frozen=True)
class Header:
    """A header in a sheet: its rows, its columns, and the headings nobody knows."""

    first_row: int
    last_row: int
    columns: Mapping[str, Found]
    unknown: tuple[str, ...]
    # What speaks against reading the table by it, as a sentence.
    fault: str
    score: tuple[int, int, int, int]


def find_header(grid: Grid, headings: Headings) -> Header | None:
    """The header with most required columns, then most columns, then most units, then lowest."""
    best: Header | None = None
    for first_row in grid.numbers[:ROWS_SEARCHED]:
        for height in HEIGHTS:
            header = _Window(grid, headings, first_row, height).read()
            if header and (best is None or header.score > best.score):
                best = header
    return best


class _Window:
    """A few rows of a sheet, read as if they were the header."""

    def __init__(self, grid: Grid, headings: Headings, first_row: int, height: int) -> None:
        self.grid, self.headings = grid, headings
        self.first_row, self.last_row = first_row, first_row + height - 1
        self.columns: dict[str, Found] = {}
        self.unknown: list[str] = []
        self.fault = ""

    def read(self) -> Header | None:
        """The header these rows make; None where they hold no heading or only part of a cell."""
        for column in range(1, self.grid.width + 1):
            if parts := self._parts(column):
                self._take(column, parts)
        if not self.columns or self.last_row < self._end_of_merges():
            return None
        return Header(
            self.first_row,
            self.last_row,
            self.columns,
            tuple(dict.fromkeys(self.unknown)),
            self.fault,
            self._score(),
        )

    def _score(self) -> tuple[int, int, int, int]:
        required = self.headings.required & self.columns.keys()
        units = sum(found.unit is not None for found in self.columns.values())
        return len(required), len(self.columns), units, self.first_row - self.last_row

    def _parts(self, column: int) -> list[str]:
        """The texts over a column from group to leaf; a merged cell counts once."""
        texts: list[str] = []
        for row in range(self.first_row, self.last_row + 1):
            place = Place(row, column)
            merge = self.grid.covered.get(place)
            origin = merge.first if merge else place
            is_title = self.grid.span(origin) > max(3, TITLE_SHARE * self.grid.width)
            if origin.row >= self.first_row and not is_title:
                texts.append(self.grid.cell(origin).text)
        return list(dict.fromkeys(text for text in texts if text))

    def _take(self, column: int, parts: list[str]) -> None:
        try:
            found = self._recognise(column, parts)
        except InvalidInput as refusal:  # counts only if this window turns out to be the header
            self.fault = refusal.message
            return
        if found is None:
            self.unknown.append(parts[-1])
            return
        earlier = self.columns.get(found.key)
        if earlier is None or found.rank < earlier.rank:
            self.columns[found.key] = found
        elif found.rank == earlier.rank and self._is_amount(found):
            self.fault = self._two_columns(earlier, found)

    def _recognise(self, column: int, parts: list[str]) -> Found | None:
        """Try group and leaf together, then the leaf; the group alone where the leaf is a unit."""
        *groups, leaf = parts
        tries: Collection[str] = ["".join(parts), leaf] if groups else [leaf]
        if groups and is_only_unit(leaf):
            tries = [*tries, groups[-1]]
        known = next((known for text in tries if (known := self.headings.find(text))), None)
        if known is None:
            return None
        key, rank = known
        unit = self.headings.unit_of(key, [leaf, *reversed(groups)])
        return Found(key, column, " ".join(parts), unit, rank)

    def _end_of_merges(self) -> int:
        """The last row of the merged cells the headings stand in."""
        ends = [self.first_row]
        for found in self.columns.values():
            below = self.grid.covered.get(Place(self.first_row + 1, found.column))
            if below and below.first.row == self.first_row:
                ends.append(below.last.row)
        return max(ends)

    def _is_amount(self, found: Found) -> bool:
        return self.headings.columns[found.key].is_amount

    def _two_columns(self, one: Found, two: Found) -> str:
        heading = self.headings.columns[one.key].heading
        letters = f"{get_column_letter(one.column)} 列和 {get_column_letter(two.column)} 列"
        return f"表头里 {letters}都是“{heading}”，请只留一列，或给另一列改名。"
