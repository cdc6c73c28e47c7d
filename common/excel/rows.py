"""Tells the rows of data from totals, notes, section titles and repeated headers."""

import re
from collections.abc import Iterator, Mapping

from common.cells import Cell
from common.excel.columns import Column, folded
from common.excel.grid import Grid, Place
from common.excel.header import Header

# How many of the leftmost texts of a row may be the word that marks a total.
TOTAL_SEARCHED = 3
# A text over that many columns is a note or a section title.
NOTE_SPAN = 3
# A row with so many texts and a name is data, even where the first text looks like a note.
MUCH = 5

_UNKNOWN = Column("")
_TOTAL = re.compile(r".{0,12}(?:合计|小计|总计|共计|累计)(?:[:(].*|共?\d+[个项户].*)?")
_COUNT = re.compile(r"共?\d+[个项户]?(?:项目|企业)?")
_NOTE = re.compile(
    r"(?:备注|附?注|说明|填表说明|填[表报]|报送|制表|审核|复核|联系|单位负责|分管|负责|日期|经办|签[字章])"
    r".{0,12}?[:]|(?:备注|注)\d*[.、:]|说明[.、:]"
)
_SECTION = re.compile(r"(?:\(?[一二三四五六七八九十]{1,3}\)?[、.)])\D.{0,30}")
_ORDINALS = re.compile(r"\d{1,3}|[甲乙丙丁戊己庚辛]|[a-z]|\(\d{1,3}\)")


class RowFilter:
    """Decides, row by row, what is data; a row that is merely incomplete is."""

    def __init__(self, grid: Grid, header: Header, columns: Mapping[str, Column]) -> None:
        self.grid, self.header = grid, header
        keys = {found.column: found.key for found in header.columns.values()}
        self.columns = {number: columns[key] for number, key in keys.items()}
        self.names = [number for number, column in self.columns.items() if column.is_name]

    def numbers(self) -> Iterator[int]:
        """The numbers of the rows of data."""
        for number in self.grid.numbers:
            if number > self.header.last_row and self._is_data(number):
                yield number

    def _is_data(self, number: int) -> bool:
        own = {
            column: cell
            for column, cell in self.grid.own(number).items()
            if not (self._column(column).is_serial and cell.text.isdecimal())
        }
        if not any(not cell.is_blank for cell in own.values()):
            return False
        return not (
            self._is_total(own)
            or self._repeats_header(own)
            or self._numbers_columns(number, own)
            or self._is_note(number, own)
        )

    def _is_total(self, own: Mapping[int, Cell]) -> bool:
        name = next((folded(own[column].text) for column in self.names if column in own), "")
        if name and not _TOTAL.fullmatch(name) and not _COUNT.fullmatch(name):
            return False
        leftmost = list(own.values())[:TOTAL_SEARCHED]
        return any(_TOTAL.fullmatch(folded(cell.text)) for cell in leftmost)

    def _repeats_header(self, own: Mapping[int, Cell]) -> bool:
        """Whether at least half of the headings stand in the row again, as on printed pages."""
        found = self.header.columns.values()
        same = sum(
            cell.text in one.heading.split(" ") or cell.text == one.heading
            for one in found
            if (cell := own.get(one.column))
        )
        return same * 2 >= len(own)

    def _numbers_columns(self, number: int, own: Mapping[int, Cell]) -> bool:
        """Whether the row below the header only counts its columns: 甲 乙 1 2 3."""
        texts = [folded(cell.text) for cell in own.values()]
        if number > self.header.last_row + 1 or len(texts) < 3:
            return False
        return len(set(texts)) == len(texts) and all(map(_ORDINALS.fullmatch, texts))

    def _is_note(self, number: int, own: Mapping[int, Cell]) -> bool:
        column, cell = next(iter(own.items()))
        text = folded(cell.text)
        if _NOTE.match(text) and not self._has_much(own):
            return True
        if len(own) > 1:
            return False
        if column in self.names:
            return bool(_SECTION.fullmatch(text)) or self._spans(number, column)
        return cell.number is None and not self._column(column).is_amount

    def _has_much(self, own: Mapping[int, Cell]) -> bool:
        """Whether the row names a project and says much about it, however it begins."""
        names = [folded(own[column].text) for column in self.names if column in own]
        return len(own) >= MUCH and any(not _NOTE.match(name) for name in names)

    def _column(self, number: int) -> Column:
        return self.columns.get(number, _UNKNOWN)

    def _spans(self, number: int, column: int) -> bool:
        return self.grid.span(Place(number, column)) >= NOTE_SPAN
