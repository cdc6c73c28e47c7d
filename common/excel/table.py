"""The one table of a workbook: found by the names of its columns, never by position."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from common.cells import EMPTY, Cell
from common.errors import InvalidInput
from common.excel.columns import Column, Headings, line_unit
from common.excel.grid import Grid, Place
from common.excel.header import Found, Header, find_header
from common.excel.reader import open_workbook
from common.excel.rows import RowFilter


@dataclass(frozen=True)
class Row:
    """One row of data under its number in Excel; cells by the key of their column."""

    number: int
    cells: Mapping[str, Cell]

    def cell(self, key: str) -> Cell:
        """Return a cell; an empty one where the table has no such column."""
        return self.cells.get(key, EMPTY)


@dataclass(frozen=True)
class Table:
    """A table without titles, totals, notes and blank rows."""

    sheet: str
    header_row: int
    # Column key → heading as it stands in the file; a key that is not here the file has not.
    headings: Mapping[str, str]
    # Unit of each amount and term, from its heading or else the line above; None: nowhere stated.
    units: Mapping[str, str | None]
    rows: list[Row]
    # Texts above the header, such as 填报单位：… and 单位：亿元.
    preamble: list[str]
    # Keys of required columns the table has not.
    missing: list[str]
    # Headings nobody asked for, and other visible sheets that hold a table with these columns.
    unknown_headings: list[str]
    other_sheets: list[str]


@dataclass(frozen=True)
class _Candidate:
    grid: Grid
    header: Header
    numbers: list[int]


def find_table(
    source: Path | bytes, columns: Mapping[str, Column], *, required: Collection[str]
) -> Table:
    """Find the table: its sheet, its header and its columns by name, and read its rows.

    Raises InvalidInput where the file may not be opened, holds no such table, or holds two.
    Required columns that are missing are named in the table, so that all errors come at once.
    """
    headings = Headings(columns, required)
    candidates = [
        _Candidate(grid, header, list(RowFilter(grid, header, columns).numbers()))
        for grid in open_workbook(source)
        if (header := find_header(grid, headings)) and header.score[0] * 2 >= len(required)
    ]
    chosen = _the_one(candidates, headings)
    if chosen.header.fault:
        raise InvalidInput(chosen.header.fault)
    others = [one.grid.name for one in candidates if one is not chosen and one.numbers]
    return _read_table(chosen, headings, others)


def _the_one(candidates: list[_Candidate], headings: Headings) -> _Candidate:
    """The sheet with most required columns; of those, the ones with rows; of those, the only."""
    if not candidates:
        names = "、".join(headings.columns[key].heading for key in sorted_required(headings))
        raise InvalidInput(f"没有找到表头。请在可见的工作表里放一行列名，至少要有：{names}。")
    most = max(candidate.header.score[0] for candidate in candidates)
    best = [candidate for candidate in candidates if candidate.header.score[0] == most]
    best = [candidate for candidate in best if candidate.numbers] or best
    if len(best) > 1 and best[0].numbers:
        names = "、".join(f"“{candidate.grid.name}”" for candidate in best)
        raise InvalidInput(f"工作表{names}看起来都是要导入的表，请只留一个，其余删除或隐藏。")
    return best[0]


def sorted_required(headings: Headings) -> list[str]:
    """The required keys in the order of the columns."""
    return [key for key in headings.columns if key in headings.required]


def _read_table(chosen: _Candidate, headings: Headings, others: list[str]) -> Table:
    grid, header = chosen.grid, chosen.header
    preamble = _preamble(grid, header)
    units = _units(header, headings, preamble)
    rows = [_read_row(grid, header, headings, units, number) for number in chosen.numbers]
    return Table(
        sheet=grid.name,
        header_row=header.last_row,
        headings={key: found.heading for key, found in header.columns.items()},
        units=units,
        rows=rows,
        preamble=preamble,
        missing=[key for key in sorted_required(headings) if key not in header.columns],
        unknown_headings=list(header.unknown),
        other_sheets=others,
    )


def _preamble(grid: Grid, header: Header) -> list[str]:
    above = [number for number in grid.numbers if number < header.first_row]
    return [cell.text for number in above for cell in grid.own(number).values()]


def _units(header: Header, headings: Headings, preamble: list[str]) -> dict[str, str | None]:
    """A heading's own unit beats the line; the line next to the table beats one further up."""
    line = next((unit for text in reversed(preamble) if (unit := line_unit(text))), None)
    columns = [(found, headings.columns[key]) for key, found in header.columns.items()]
    return {
        found.key: found.unit or (line if column.is_amount else None)
        for found, column in columns
        if column.is_amount or column.is_term
    }


def _read_row(
    grid: Grid, header: Header, headings: Headings, units: Mapping[str, str | None], number: int
) -> Row:
    cells = {
        key: _read_cell(grid, header, found, headings.columns[key], units.get(key), number)
        for key, found in header.columns.items()
    }
    return Row(number, cells)


def _read_cell(
    grid: Grid, header: Header, found: Found, column: Column, unit: str | None, number: int
) -> Cell:
    """The cell itself; below the first row of a merged cell, what stands in that."""
    place = Place(number, found.column)
    merge = grid.covered.get(place)
    if merge is None or merge.first.column != found.column or merge.first.row <= header.last_row:
        return grid.cell(place, unit)
    if not column.is_amount or not grid.cell(merge.first).text:
        return grid.cell(merge.first, unit)
    return Cell(
        grid.cell(merge.first).value,
        unit,
        fault=f"{merge} 合并成了一格，看不出每行各是多少；请取消合并，每行各填各的金额。",
    )
