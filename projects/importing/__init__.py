"""The project ledger (项目融资需求台账, interfaces.md 2) read into typed rows; no database."""

from projects.importing.ledger import Ledger, read_ledger
from projects.importing.registers import County, Registers
from projects.importing.rounds import month_named_in
from projects.importing.rows import LedgerRow

__all__ = ["County", "Ledger", "LedgerRow", "Registers", "month_named_in", "read_ledger"]
