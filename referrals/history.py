"""What happened on a referral, step by step, for a person to read."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from referrals.lifecycle import DeclineReason, Stage
from referrals.models import Disbursement, Referral, ReferralMove


@dataclass(frozen=True)
class Event:
    """One line of the history: a step, or money paid."""

    day: date
    recorded_at: datetime
    by: Any
    stage: Stage | None = None
    paid_wan: Decimal | None = None
    voucher_no: str = ""
    reason: str = ""
    note: str = ""


def history(referral: Referral) -> list[Event]:
    """Return steps and payments, the latest first; a step of 已投放 is told by its payment."""
    payments = Disbursement.objects.filter(deal__referral=referral)
    paid = list(payments.select_related("deal", "recorded_by"))
    told = {(payment.deal_id, payment.recorded_at) for payment in paid}
    moves = ReferralMove.objects.filter(referral=referral)
    steps = [
        _event_of_move(move)
        for move in moves.select_related("deal", "recorded_by")
        if move.target != Stage.DISBURSED or (move.deal_id, move.recorded_at) not in told
    ]
    events = [*steps, *map(_event_of_payment, paid)]
    return sorted(events, key=lambda event: (event.day, event.recorded_at), reverse=True)


def _event_of_payment(payment: Disbursement) -> Event:
    return Event(
        payment.paid_on,
        payment.recorded_at,
        payment.recorded_by,
        paid_wan=payment.amount_wan,
        voucher_no=payment.deal.voucher_no,
        note=payment.note,
    )


def _event_of_move(move: ReferralMove) -> Event:
    reason = DeclineReason(move.decline_reason).label if move.decline_reason else ""
    return Event(
        move.occurred_on,
        move.recorded_at,
        move.recorded_by,
        stage=Stage(move.target),
        voucher_no=move.deal.voucher_no if move.deal else "",
        reason=reason,
        note=move.note,
    )
