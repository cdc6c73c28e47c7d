"""A ledger file, from bytes to typed rows, with every remark on the way."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from common.excel import Table, find_table
from common.imports import ImportReport, RowMessage
from projects.importing.checks import (
    gather_alike,
    look_for_oddities,
    sort_out_repeats,
    warn_of_same_names,
)
from projects.importing.columns import COLUMNS, REQUIRED
from projects.importing.registers import Registers
from projects.importing.rows import LedgerRow, as_ledger_row, read_row


@dataclass(frozen=True)
class Ledger:
    """The rows without error, one a project, and the report so far."""

    rows: list[LedgerRow]
    # Keys of the columns the file has; about the others it says nothing.
    present: frozenset[str]
    report: ImportReport


def read_ledger(source: Path | bytes, registers: Registers) -> Ledger:
    """Read a ledger and note all errors of all rows at once. Writes nothing.

    Raises InvalidInput where the file may not be opened or holds no ledger.
    """
    table = find_table(source, COLUMNS, required=REQUIRED)
    reads = [read_row(row, table.headings, registers) for row in table.rows]
    for read in reads:
        look_for_oddities(read, registers)
    kept, repeats = sort_out_repeats(reads)
    warn_of_same_names(kept)
    errors = [*_missing_columns(table), *(error for read in reads for error in read.errors)]
    if not reads:
        errors.append(RowMessage(table.header_row, "", "", "表头下面没有项目，请填好后再导入。"))
    warnings = [*_remarks_on(table), *(warning for read in reads for warning in read.warnings)]
    report = ImportReport(
        rows=len(reads), duplicates=repeats, warnings=list(gather_alike(warnings)), errors=errors
    )
    complete = [] if table.missing else [as_ledger_row(read) for read in kept if not read.errors]
    return Ledger(complete, frozenset(table.headings), report)


def _missing_columns(table: Table) -> Iterator[RowMessage]:
    for key in table.missing:
        heading = COLUMNS[key].heading
        yield RowMessage(table.header_row, heading, "", f"表里没有这一列，请加上“{heading}”。")


def _remarks_on(table: Table) -> Iterator[RowMessage]:
    for key, unit in table.units.items():
        if unit is None:
            heading = table.headings[key]
            taken = "月" if COLUMNS[key].is_term else "万元"
            yield RowMessage(
                table.header_row, COLUMNS[key].heading, heading, f"没有写单位，按{taken}导入。"
            )
    if table.unknown_headings:
        names = "、".join(table.unknown_headings)
        yield RowMessage(table.header_row, "", names, "这些列不在台账的列里，没有导入。")
    if table.other_sheets:
        names = "、".join(table.other_sheets)
        yield RowMessage(None, "", names, f"只导入了工作表“{table.sheet}”，这些工作表没有导入。")
