"""How much room Chinese text takes on paper, without asking any font.

Merged cells are not fitted by Excel, so a renderer has to know beforehand how many lines a text
will take. A Chinese character is one em wide in every Chinese font.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from unicodedata import category, east_asian_width

WIDE = frozenset("WFA")
# Digits and signs are half as wide as they are high, Latin letters often wider.
NARROW_EM, LETTER_EM = 0.52, 0.6
# Runs that are not broken over lines, with the closing punctuation that may not start one.
_PIECE = re.compile(r"(?:[!-~]+|.)[，。；：、！？）》】”’％]*", re.DOTALL)
_STOP = re.compile(r"[^；。]*[；。]?")


def ems(text: str) -> float:
    """Return the width of a line of text in ems."""
    return sum(_em(character) for character in text)


def widest(texts: Iterable[str]) -> float:
    """Return the width of the longest line among texts, in ems."""
    lines = (line for text in texts for line in text.split("\n"))
    return max((ems(line) for line in lines), default=0.0)


def line_count(text: str, width_em: float) -> int:
    """Return how many lines a text takes in a cell so many ems wide."""
    return sum(_wrapped(line, width_em) for line in text.split("\n"))


def split_at_stops(text: str, width_em: float, most_lines: int) -> list[str]:
    """Cut a text into parts of at most so many lines, after a ； or 。 where there is one.

    A row of a sheet can be only so high; a paragraph that needs more takes several rows.
    """
    parts = [""]
    for clause in _clauses(text, width_em * most_lines):
        if parts[-1] and line_count(parts[-1] + clause, width_em) > most_lines:
            parts.append("")
        parts[-1] += clause
    return parts


def _clauses(text: str, room_em: float) -> Iterator[str]:
    """Sentences and half sentences; one that is longer than the room is cut anywhere."""
    longest = max(int(room_em) - 1, 1)
    for clause in _STOP.findall(text):
        for start in range(0, len(clause), longest):
            yield clause[start : start + longest]


def _wrapped(line: str, width_em: float) -> int:
    if ems(line) <= width_em:
        return 1
    lines, used = 1, 0.0
    for piece in _PIECE.findall(line):
        size = ems(piece)
        if used and used + size > width_em:
            lines, used = lines + 1, 0.0
        lines += int(max(size - 0.001, 0) // width_em)
        used = used + size if size <= width_em else size % width_em
    return lines


@cache
def _em(character: str) -> float:
    if category(character) in ("Mn", "Me", "Cf"):
        return 0.0
    if east_asian_width(character) in WIDE:
        return 1.0
    return LETTER_EM if character.isalpha() else NARROW_EM
