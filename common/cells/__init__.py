"""One cell of an untidy table: what it holds, and what a person meant by it.

Units, full-width digits, blanks and separators are converted here, once, and nowhere else.
A parser returns None (or "", or []) for a blank cell, and raises CellError, whose message says how
to mend it, for what it cannot read.
"""

from common.cells.amounts import MONEY_UNITS, to_decimal, to_percent, to_wan
from common.cells.cell import BLANK_WORDS, EMPTY, Cell, CellError, to_text
from common.cells.dates import TERM_UNITS, to_date, to_months
from common.cells.words import Words, split_words, to_choice, to_choices, to_flag
from common.names import clean_text, name_key

__all__ = [
    "BLANK_WORDS",
    "EMPTY",
    "MONEY_UNITS",
    "TERM_UNITS",
    "Cell",
    "CellError",
    "Words",
    "clean_text",
    "name_key",
    "split_words",
    "to_choice",
    "to_choices",
    "to_date",
    "to_decimal",
    "to_flag",
    "to_months",
    "to_percent",
    "to_text",
    "to_wan",
]
