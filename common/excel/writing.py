"""Text from users written into workbooks and CSV files, where it must never become a formula."""

import re
from typing import Any

# For xlsxwriter.Workbook(path, WRITER_OPTIONS): a text stays the text it is.
WRITER_OPTIONS = {
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
    "in_memory": True,
}
LONGEST_CELL = 32_767
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
# What XML cannot hold; a workbook with it does not open.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def safe_text(value: object) -> str:
    """Return text a string cell can hold: nothing XML refuses, at most 32,767 characters."""
    return _UNWRITABLE.sub("", "" if value is None else str(value))[:LONGEST_CELL]


def write_text(cell: Any, value: object) -> None:
    """Write text into an openpyxl cell as text, whatever sign it starts with."""
    cell.value = safe_text(value)
    cell.data_type = "s"


def csv_text(value: object) -> str:
    """Return text for a CSV field; one that a spreadsheet took for a formula gets a '."""
    text = safe_text(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
