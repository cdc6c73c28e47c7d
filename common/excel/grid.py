"""One sheet as a plain grid of values, with its merged cells worked out."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from openpyxl.utils import get_column_letter

from common.cells import Cell
from common.errors import InvalidInput

# A whole ledger of merged cells is far below; a file made to stall the reader is above.
MAX_COVERED = 2_000_000


class Place(NamedTuple):
    """Where a cell stands, counted from 1 as Excel does."""

    row: int
    column: int

    def __str__(self) -> str:
        return f"{get_column_letter(self.column)}{self.row}"


class Merge(NamedTuple):
    """A merged range, from its first to its last cell."""

    first: Place
    last: Place

    def __str__(self) -> str:
        return f"{self.first}:{self.last}"


@dataclass
class Grid:
    """The cells of one sheet that hold something."""

    name: str
    values: dict[int, dict[int, object]] = field(default_factory=dict)
    percents: set[Place] = field(default_factory=set)
    faults: dict[Place, str] = field(default_factory=dict)
    merges: list[Merge] = field(default_factory=list)
    # Every covered cell of a merged range → the range; the first cell is not covered.
    covered: dict[Place, Merge] = field(default_factory=dict)

    @cached_property
    def width(self) -> int:
        """The last column that holds something."""
        return max((max(row, default=0) for row in self.values.values()), default=0)

    @property
    def numbers(self) -> list[int]:
        """The numbers of the rows that hold something, from the top."""
        return sorted(number for number, row in self.values.items() if row)

    def own(self, row: int) -> dict[int, Cell]:
        """The cells of a row that say something themselves, from the left."""
        cells = {column: self.cell(Place(row, column)) for column in self.values.get(row, {})}
        return {column: cells[column] for column in sorted(cells) if _says_something(cells[column])}

    def cell(self, place: Place, unit: str | None = None) -> Cell:
        """The cell at a place; empty where nothing stands."""
        value = self.values.get(place.row, {}).get(place.column)
        return Cell(value, unit, place in self.percents, self.faults.get(place, ""))

    def span(self, place: Place) -> int:
        """How many columns the cell spans."""
        beside = self.covered.get(Place(place.row, place.column + 1))
        if beside is None or beside.first != place:
            return 1
        return beside.last.column - beside.first.column + 1

    def settle_merges(self) -> None:
        """Note which cell is covered by which range; what is hidden under a range is dropped."""
        last = Place(max(self.values, default=0), self.width)
        if sum(_size(merge, last) for merge in self.merges) > MAX_COVERED:
            raise InvalidInput("合并单元格太多，请取消合并后再导入。")
        for merge in self.merges:
            for place in _places(merge, last):
                if place == merge.first or place in self.covered:
                    continue
                self.covered[place] = merge
                self.values.get(place.row, {}).pop(place.column, None)


def _size(merge: Merge, last: Place) -> int:
    """How many cells a range covers up to the last cell that holds something."""
    rows = min(merge.last.row, last.row) - merge.first.row + 1
    columns = min(merge.last.column, last.column) - merge.first.column + 1
    return max(rows, 0) * max(columns, 0)


def _places(merge: Merge, last: Place) -> Iterator[Place]:
    for row in range(merge.first.row, min(merge.last.row, last.row) + 1):
        for column in range(merge.first.column, min(merge.last.column, last.column) + 1):
            yield Place(row, column)


def _says_something(cell: Cell) -> bool:
    return bool(cell.text or cell.fault)
