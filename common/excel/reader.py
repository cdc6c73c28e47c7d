"""Reads the visible sheets of a workbook in one pass each, counting while it reads."""

import math
import re
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

from openpyxl.utils import column_index_from_string
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, from_excel

from common.errors import InvalidInput
from common.excel.grid import Grid, Merge, Place
from common.excel.package import feed, new_parser, open_package
from common.excel.parts import DATE, PERCENT, PLAIN, Parts, local_name, read_parts

MAX_ROWS = 50_000
MAX_COLUMNS = 200
MAX_CELLS = 2_000_000

_REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})")
_WHOLE = re.compile(r"-?[0-9]{1,18}")
ERROR_VALUES = frozenset(
    ("#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!")
)
NO_RESULT = "这是公式，文件里没有存它的计算结果；请在 Excel 里打开、重新保存，或直接填数值。"


def open_workbook(source: Path | bytes) -> list[Grid]:
    """Return the visible sheets in their order. Raises InvalidInput for what may not be opened."""
    with open_package(source) as archive:
        parts = read_parts(archive)
        return [_SheetReader(name, parts).read(archive, path) for name, path in _sheets(parts)]


def _sheets(parts: Parts) -> list[tuple[str, str]]:
    return [(sheet.name, sheet.path) for sheet in parts.sheets]


class _SheetReader:
    """Takes the events of one sheet's XML and fills a grid."""

    def __init__(self, name: str, parts: Parts) -> None:
        self.grid = Grid(name)
        self.parts = parts
        self.cells = 0
        self.row = self.column = 0
        self.kind = "n"
        self.style = PLAIN
        self.is_formula = self.is_reading = False
        self.phonetic = 0
        self.pieces: list[str] = []

    def read(self, archive: zipfile.ZipFile, path: str) -> Grid:
        parser = new_parser()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        feed(parser, archive, path)
        self.grid.settle_merges()
        return self.grid

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        match local_name(name):
            case "row":
                self.row, self.column = int(attributes.get("r", self.row + 1)), 0
            case "c":
                self._start_cell(attributes)
            case "v" | "t":
                self.is_reading = not self.phonetic
            case "f":
                self.is_formula = True
            case "rPh":
                self.phonetic += 1
            case "mergeCell":
                self._merge(attributes["ref"])

    def _end(self, name: str) -> None:
        match local_name(name):
            case "v" | "t":
                self.is_reading = False
            case "rPh":
                self.phonetic -= 1
            case "c":
                self._end_cell("".join(self.pieces))

    def _text(self, data: str) -> None:
        if self.is_reading:
            self.pieces.append(data)

    def _start_cell(self, attributes: dict[str, str]) -> None:
        self.column += 1
        if reference := attributes.get("r"):
            self.row, self.column = _place(reference)
        self.kind = attributes.get("t", "n")
        style, formats = int(attributes.get("s", 0)), self.parts.formats
        self.style = formats[style] if style < len(formats) else PLAIN
        self.is_formula = False
        self.pieces.clear()

    def _end_cell(self, text: str) -> None:
        if not text and (not self.is_formula or self.kind == "str"):
            return
        value = self._value_of(text)
        if isinstance(value, str) and not value.strip():
            return
        place = Place(self.row, self.column)
        self._count(place)
        self.grid.values.setdefault(self.row, {})[self.column] = value
        if value is None:
            self.grid.faults[place] = NO_RESULT
        elif isinstance(value, str) and value.strip() in ERROR_VALUES:
            self.grid.faults[place] = f"公式出错（{value.strip()}），请改正公式，或直接填数值。"
        elif self.style == PERCENT:
            self.grid.percents.add(place)

    def _count(self, place: Place) -> None:
        self.cells += 1
        if place.row > MAX_ROWS or place.column > MAX_COLUMNS or self.cells > MAX_CELLS:
            raise InvalidInput(
                f"工作表“{self.grid.name}”太大（{place} 处还有内容），"
                f"最多 {MAX_ROWS} 行、{MAX_COLUMNS} 列；请删去表格以外的内容，或分成几个文件导入。"
            )

    def _value_of(self, text: str) -> object:
        match self.kind:
            case "s":
                return self.parts.strings[int(text)]
            case "b":
                return text == "1"
            case "d":
                return datetime.fromisoformat(text.removesuffix("Z"))
            case "n":
                return self._number_of(text) if text else None
        return text

    def _number_of(self, text: str) -> object:
        number: int | float = int(text) if _WHOLE.fullmatch(text) else float(text)
        if not math.isfinite(number):
            raise ValueError(text)
        if self.style != DATE:
            return number
        epoch: Any = CALENDAR_MAC_1904 if self.parts.counts_from_1904 else CALENDAR_WINDOWS_1900
        try:
            return from_excel(number, epoch)
        except (ValueError, OverflowError):  # a date format on what is no date
            return number

    def _merge(self, reference: str) -> None:
        first, _, last = reference.partition(":")
        self.grid.merges.append(Merge(_place(first), _place(last or first)))


def _place(reference: str) -> Place:
    if not (match := _REFERENCE.fullmatch(reference)):
        raise ValueError(reference)
    return Place(int(match[2]), column_index_from_string(match[1]))
