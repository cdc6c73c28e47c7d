"""Columns that allow certain words only, one or several in a cell."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from common.cells.cell import Cell, CellError, brief, compact
from common.names import name_key

_JOINTS = re.compile(r"[、,，;；/|+&\s]+")
_FLAGS = {
    **dict.fromkeys(("是", "有", "√", "✓", "✔", "y", "yes", "true", "1", "无变化"), True),
    **dict.fromkeys(("否", "×", "✗", "n", "no", "false", "0", "有变化"), False),
}


@dataclass(frozen=True)
class Words:
    """The words a column allows: how each may be written, and what to show as the choice."""

    values: Mapping[str, str]
    labels: tuple[str, ...]

    @classmethod
    def of(cls, written: Mapping[str, Iterable[str]]) -> Self:
        """Build from value → (label, other writings …)."""
        values = {name_key(word): value for value, words in written.items() for word in words}
        return cls(values, tuple(next(iter(words)) for words in written.values()))

    def value_of(self, text: str) -> str | None:
        """Return the value a word stands for; None for a word nobody knows."""
        return self.values.get(name_key(text))

    @property
    def mend(self) -> str:
        """The sentence that says what may stand there."""
        return f"请填：{' / '.join(self.labels)}。"


def split_words(text: str) -> list[str]:
    """Split what is joined by 、 or any of the usual signs."""
    return [part for part in _JOINTS.split(text) if part]


def to_choice(cell: Cell, words: Words) -> str:
    """Return the value of the one word in the cell; "" for a blank cell."""
    if cell.checked().is_blank:
        return ""
    if (value := words.value_of(cell.text)) is None:
        raise CellError(f"不认识“{brief(cell.text)}”，{words.mend}")
    return value


def to_choices(cell: Cell, words: Words) -> list[str]:
    """Return the values of the words in the cell, once each, in the order of the table of words."""
    if cell.checked().is_blank:
        return []
    if (single := words.value_of(cell.text)) is not None:
        return [single]
    found = {part: words.value_of(part) for part in split_words(cell.text)}
    if unknown := [part for part, value in found.items() if value is None]:
        names = "、".join(brief(part) for part in unknown)
        raise CellError(f"不认识“{names}”，{words.mend}多项用“、”隔开。")
    order = list(dict.fromkeys(words.values.values()))
    return sorted({value for value in found.values() if value is not None}, key=order.index)


def to_flag(cell: Cell) -> bool:
    """Return whether the cell says yes (是, √, 1); blank is no."""
    if not cell.checked().text:
        return False
    if (answer := _FLAGS.get(compact(cell.text).lower())) is None:
        raise CellError("请填“是”，或留空。")
    return answer
