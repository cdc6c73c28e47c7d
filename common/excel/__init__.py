"""Reading tables from untidy workbooks, and writing text that stays text.

A workbook comes from a stranger: it is opened behind guards (`package`), its visible sheets are
read as plain grids (`reader`), and the one table in them is found by the names of its columns
(`header`), without titles, totals and notes (`rows`).
"""

from common.excel.columns import Column
from common.excel.reader import open_workbook
from common.excel.table import Row, Table, find_table
from common.excel.writing import WRITER_OPTIONS, safe_text, write_text

__all__ = [
    "WRITER_OPTIONS",
    "Column",
    "Row",
    "Table",
    "find_table",
    "open_workbook",
    "safe_text",
    "write_text",
]
