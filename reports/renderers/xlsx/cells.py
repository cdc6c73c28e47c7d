"""How one value stands in a cell: a number as a number, a missing one as a dash, text as text."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum, auto
from typing import Any

from common.money import plain
from reports.renderers.xlsx.styles import SECOND, TONES

MISSING = "—"


class Kind(Enum):
    """What a column holds, and so how it is written and aligned."""

    TEXT = auto()
    WORD = auto()  # a short text, centred
    MARK = auto()  # a word on the ground of its tone
    ORDINAL = auto()
    COUNT = auto()
    YI = auto()
    PCT = auto()
    WAN = auto()
    DAY = auto()


@dataclass(frozen=True)
class Mark:
    """A word with one of the `TONES`: done, attention, wrong, nothing."""

    word: str
    tone: str


@dataclass(frozen=True)
class Shown:
    """What to write into a cell, and what its style differs in."""

    value: str | float | date
    style: dict[str, Any] = field(default_factory=dict)


BLANK = Shown("")


def show(kind: Kind, value: Any) -> Shown:
    """Return how a value of the snapshot stands in a cell; one that is `Shown` stays as it is."""
    if isinstance(value, Shown):
        return value
    if value is None:
        return Shown(MISSING, _ALIGNED.get(kind, {}))
    return _SHOW[kind](value)


def _text(value: str) -> Shown:
    return Shown(value, _LEFT)


def _word(value: Any) -> Shown:
    return Shown(str(value), _CENTRED)


def _mark(value: Mark) -> Shown:
    ink, ground = TONES[value.tone]
    return Shown(value.word, {**_CENTRED, "font_color": ink, "bg_color": ground})


def _ordinal(value: int) -> Shown:
    return Shown(float(value), {**_CENTRED, "num_format": "0"})


def _count(value: int) -> Shown:
    return _number(Decimal(value), "#,##0")


def _yi(value: str) -> Shown:
    """亿元 as a number; an amount that is shown in 万元 carries its unit and is text."""
    if value.endswith("万元"):
        return right(value)
    return _number(Decimal(value), "0.00")


def _pct(value: str) -> Shown:
    return _number(Decimal(value), "0.00")


def _wan(value: str) -> Shown:
    """万元 with just the decimals it has, so that no point is left dangling."""
    amount = Decimal(plain(Decimal(value)))
    decimals = max(-int(amount.as_tuple().exponent), 0)
    return _number(amount, "#,##0." + "0" * decimals if decimals else "#,##0")


def _day(value: str) -> Shown:
    return Shown(date.fromisoformat(value), {**_CENTRED, "num_format": "yyyy-mm-dd"})


def right(text: str) -> Shown:
    """Return a text that stands for a number, such as an amount with its unit."""
    return Shown(text, _RIGHT)


def _number(value: Decimal, num_format: str) -> Shown:
    """The one place where a figure becomes a float: it is exact to the digits shown."""
    grey = {} if value else {"font_color": SECOND}
    return Shown(float(value), {**_RIGHT, **grey, "num_format": num_format})


_LEFT, _RIGHT = {"align": "left", "indent": 1}, {"align": "right"}
_CENTRED = {"align": "center"}
_NUMBERS = (Kind.COUNT, Kind.YI, Kind.PCT, Kind.WAN)
_ALIGNED = {
    **dict.fromkeys(_NUMBERS, _RIGHT),
    **dict.fromkeys((Kind.WORD, Kind.MARK, Kind.DAY), _CENTRED),
}
_SHOW: dict[Kind, Callable[[Any], Shown]] = {
    Kind.TEXT: _text,
    Kind.WORD: _word,
    Kind.MARK: _mark,
    Kind.ORDINAL: _ordinal,
    Kind.COUNT: _count,
    Kind.YI: _yi,
    Kind.PCT: _pct,
    Kind.WAN: _wan,
    Kind.DAY: _day,
}
