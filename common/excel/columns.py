"""What a table may have in its head: columns, the names they go by, their units."""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from common.cells import MONEY_UNITS, TERM_UNITS
from common.errors import InvalidInput


@dataclass(frozen=True)
class Column:
    """A column a table may have: its printed heading and the other names it goes by.

    An amount has a unit, and is not shared out over the rows of a merged cell; a term has a unit.
    The name tells a row of data from a note below the table; the serial number says nothing.
    """

    heading: str
    names: tuple[str, ...] = ()
    is_amount: bool = False
    is_term: bool = False
    is_name: bool = False
    is_serial: bool = False


class Headings:
    """What every heading may be called, ready to be looked up."""

    def __init__(self, columns: Mapping[str, Column], required: Collection[str]) -> None:
        self.columns = columns
        self.required = frozenset(required)
        self._names: dict[str, tuple[str, int]] = {}
        for key, column in columns.items():
            for rank, name in enumerate((column.heading, *column.names)):
                for written in _writings(name):
                    self._names.setdefault(written, (key, rank))

    def find(self, text: str) -> tuple[str, int] | None:
        """The column a heading names, and how good a name it is (0: the printed one)."""
        for written in _writings(text):
            if found := self._names.get(written):
                return found
            found = self._names.get(_UNIT_AT_END.sub("", written))
            if found and self.columns[found[0]].is_amount:
                return found
        return None

    def unit_of(self, key: str, texts: list[str]) -> str | None:
        """The unit a heading states; the first of the texts that states one counts."""
        column = self.columns[key]
        if not column.is_amount and not column.is_term:
            return None
        pattern = _AMOUNT_UNIT if column.is_amount else _TERM_UNIT
        return next((unit for text in texts if (unit := _one_unit(text, pattern))), None)


def is_only_unit(text: str) -> bool:
    """Whether a heading says no more than a unit: （万元）."""
    bare = _MARKS.sub("", folded(text).translate(str.maketrans("", "", "()")))
    return not _UNIT_AT_END.sub("", bare)


def line_unit(text: str) -> str | None:
    """The unit a line above the table states: 单位：亿元, 金额单位：人民币万元, （万元）."""
    line = folded(text)
    match = _LINE_UNIT.search(line) or _UNIT_LINE.fullmatch(line)
    return match["unit"] if match else None


def folded(text: str) -> str:
    """Half-width forms, no blanks, one kind of bracket, lower case."""
    narrow = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))
    return narrow.translate(_ONE_BRACKET).lower()


_ONE_BRACKET = str.maketrans("【〔[】〕]", "((()))")
_MARKS = re.compile(r"[\s*★●#:,、./\-_。;\"'“”]+")
_NUMBERING = re.compile(r"^\(?[\d一二三四五六七八九十]{1,2}[.、)](?=\D)")
_BRACKETS = re.compile(r"\([^()]*\)")
_MONEY = "|".join(sorted(MONEY_UNITS, key=len, reverse=True))
_TERMS = "|".join(sorted(TERM_UNITS, key=len, reverse=True))
_UNIT_ENDS = r"(?=$|[^\u4e00-\u9fff]|人民币)"
_UNIT_AT_END = re.compile(rf"(?:单位|人民币)*(?:{_MONEY}|{_TERMS})$")
_AMOUNT_UNIT, _TERM_UNIT = (
    re.compile(rf"(?:[(:/,、]|单位|人民币)({words}){_UNIT_ENDS}|({words})$")
    for words in (_MONEY, _TERMS)
)
_LINE_UNIT = re.compile(
    rf"单位[:为]?(?:人民币|[个家笔户人项%、,/;])*(?P<unit>{_MONEY}){_UNIT_ENDS}"
)
_UNIT_LINE = re.compile(rf"\(?(?P<unit>{_MONEY})\)?")


def _writings(text: str) -> Iterator[str]:
    """A heading with what stands in brackets, and without."""
    plain = _NUMBERING.sub("", folded(text))
    yield _MARKS.sub("", plain)
    yield _MARKS.sub("", _BRACKETS.sub("", plain))


def _one_unit(text: str, pattern: re.Pattern[str]) -> str | None:
    found = {one or other for one, other in pattern.findall(folded(text))}
    if len(found) > 1:
        names = "、".join(sorted(found))
        raise InvalidInput(f"表头“{text}”里写了几个单位（{names}），请只留一个。")
    return found.pop() if found else None
