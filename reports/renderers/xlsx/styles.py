"""Fonts, colours and number formats of the workbook, by name.

Fonts are those of official Chinese papers; the reader's machine has them. Colours are the tokens
of the portal's pages, dark enough for grey print.
"""

from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.format import Format

TITLE_FONT, HEAD_FONT = "方正小标宋简体", "黑体"
BODY_FONT, NOTE_FONT = "仿宋_GB2312", "楷体_GB2312"

INK, SECOND = "#1b2733", "#56636f"
LINE, HEAD_GROUND = "#aeb8c2", "#edf0f3"
DEMAND_BAR, DISBURSED_BAR, INTENDED_BAR = "#8b98a5", "#0d6462", "#97c6c4"
# Tone → text and ground.
TONES = {
    "green": ("#1c6b3c", "#e5f3ea"),
    "amber": ("#875200", "#fcf0da"),
    "red": ("#b0261e", "#fbe9e7"),
    "grey": ("#56636f", "#edf0f3"),
}

_CELL = {"font_name": BODY_FONT, "font_size": 11, "border": 1, "border_color": LINE}
_NOTE = {"font_name": NOTE_FONT, "font_size": 10.5, "font_color": SECOND}
STYLES: dict[str, dict[str, Any]] = {
    "title": {"font_name": TITLE_FONT, "font_size": 20, "align": "center", "text_wrap": True},
    "subtitle": {"font_name": NOTE_FONT, "font_size": 14, "align": "center"},
    "state": {**_NOTE, "align": "center", "text_wrap": True},
    "heading": {"font_name": HEAD_FONT, "font_size": 13},
    "body": {"font_name": BODY_FONT, "font_size": 12, "text_wrap": True},
    "lead": {"font_name": NOTE_FONT, "font_size": 12, "bold": True},
    "page_title": {"font_name": HEAD_FONT, "font_size": 16, "align": "center"},
    "table_title": {"font_name": HEAD_FONT, "font_size": 13},
    "note": {**_NOTE, "text_wrap": True},
    "head": {
        **_CELL,
        "font_name": HEAD_FONT,
        "align": "center",
        "text_wrap": True,
        "bg_color": HEAD_GROUND,
    },
    "cell": _CELL,
    "total": {**_CELL, "font_name": HEAD_FONT, "bg_color": HEAD_GROUND, "top": 2},
    "small_head": {
        **_CELL,
        "font_name": HEAD_FONT,
        "font_size": 10,
        "align": "center",
        "text_wrap": True,
        "bg_color": HEAD_GROUND,
    },
    "small_cell": {**_CELL, "font_size": 10},
    "small_total": {
        **_CELL,
        "font_name": HEAD_FONT,
        "font_size": 10,
        "bg_color": HEAD_GROUND,
        "top": 2,
    },
}
# 134: GB 2312, so that a machine without the font takes another Chinese one.
_BASE = {"font_color": INK, "valign": "vcenter", "font_charset": 134, "font_family": 3}


class Styles:
    """The formats of one workbook; asked for twice, the same one is given."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._made: dict[tuple[Any, ...], Format] = {}

    def get(self, name: str, **changes: Any) -> Format:
        """Return a named style with some properties changed."""
        key = (name, *sorted(changes.items()))
        if key not in self._made:
            self._made[key] = self._book.add_format({**_BASE, **STYLES[name], **changes})
        return self._made[key]


def font_size(name: str) -> float:
    """Return the font size of a named style in points."""
    size: float = STYLES[name]["font_size"]
    return size
