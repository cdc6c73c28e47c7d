"""What a renderer gets: one bulletin, whole, with nothing left to ask the database."""

from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True)
class BulletinDocument:
    """A bulletin as it is shown: frozen figures, or a draft of now (`is_frozen` false)."""

    month: date
    revision: int
    digest: str
    is_frozen: bool
    snapshot: dict[str, Any]
    # One entry a landed deal: see `reports.figures.landed_deals`.
    detail: list[dict[str, Any]]
    # The counting rules the figures were made by, with their version.
    rules: dict[str, Any]

    @property
    def is_synthetic(self) -> bool:
        """Whether demonstration data is part of the figures."""
        return bool(self.snapshot["is_synthetic"])
