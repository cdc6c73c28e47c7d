"""A row beside the records: what stands at the month's end, and what the row comes to."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from common.money import plain
from common.months import month_end
from referrals.importing.rows import ProgressRow, Remarks
from referrals.lifecycle import CLOSED, WAY, Stage
from referrals.services.progress import Step
from referrals.standing import DealStanding, ReferralStanding, agreed

NEW, CHANGED, UNCHANGED = "new", "changed", "unchanged"


@dataclass(frozen=True)
class Facts:
    """Stage and money of a deal, for showing the old beside the new."""

    stage: str = ""
    agreed_wan: Decimal | None = None
    paid_wan: Decimal | None = None

    @property
    def stage_label(self) -> str:
        """The stage in words; "" before there is one."""
        return Stage(self.stage).label if self.stage else ""

    def as_json(self) -> dict[str, Any]:
        """Return the facts for the audit record."""
        return {
            "stage": self.stage,
            "agreed_wan": None if self.agreed_wan is None else plain(self.agreed_wan),
            "paid_wan": None if self.paid_wan is None else plain(self.paid_wan),
        }


@dataclass(frozen=True)
class Entry:
    """One row with what it comes to: new, changed or unchanged, and the step to write."""

    row: ProgressRow
    standing: ReferralStanding
    deal: DealStanding | None
    outcome: str
    before: Facts = Facts()
    after: Facts = Facts()
    step: Step | None = None


@dataclass(frozen=True)
class Period:
    """The month that is reported; facts hold from its last day on."""

    month: date
    # Moves before there is a deal are not dated into the future.
    today: date = date.max

    @property
    def end(self) -> date:
        """The last day of the month."""
        return month_end(self.month)

    @property
    def early_day(self) -> date:
        """The day of a move that is not about a deal."""
        return min(self.end, self.today)


def facts_of(deal: DealStanding | None, day: date) -> Facts:
    terms = deal.terms_on(day) if deal else None
    if deal is None or terms is None:
        return Facts(paid_wan=(deal.paid_by(day) or None) if deal else None)
    return Facts(terms.stage, agreed(terms), deal.paid_by(day))


def is_new(standing: ReferralStanding, deal: DealStanding | None) -> bool:
    return standing.referral.pk is None or (deal is not None and deal.deal.pk is None)


def early_stage(standing: ReferralStanding, day: date) -> str:
    """The stage the referral itself had reached by a day; "" before anything was recorded."""
    moves = [move for move in standing.early_moves if move.occurred_on <= day]
    return max(moves, key=lambda m: (m.occurred_on, m.recorded_at)).target if moves else ""


def went_back(before: str, after: Stage) -> bool:
    return before in WAY and after in WAY and Stage(before).step > after.step


def warn_if_back(row: ProgressRow, before: str, remarks: Remarks) -> None:
    assert row.stage is not None  # rows without stage are in error or unchanged
    if before in CLOSED:
        label = Stage(before).label
        remarks.warn(row.row, "stage", f"此前已登记“{label}”，现恢复为“{row.stage.label}”。")
    elif went_back(before, row.stage):
        label = Stage(before).label
        remarks.warn(row.row, "stage", f"阶段由“{label}”退回“{row.stage.label}”，请核对。")
