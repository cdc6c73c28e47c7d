"""What the ledger is read against, handed in by the service, which alone knows the database."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class County:
    """A county as the ledger may name it."""

    code: str
    name: str


@dataclass(frozen=True)
class Registers:
    """Look-ups by what people write; each answers None (or False) for what it does not know."""

    # The code of a sector of GB/T 4754.
    sector: Callable[[str], str | None]
    county: Callable[[str], County | None]
    # The code of a department.
    department: Callable[[str], str | None]
    is_institution: Callable[[str], bool]
