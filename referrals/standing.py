"""How referrals and their deals stand: everything that is known, loaded in a few queries."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import models

from common.history import DatedRow
from common.money import ZERO
from referrals.lifecycle import CLOSED, EARLY, Stage, furthest
from referrals.models import (
    Deal,
    DealTerms,
    Disbursement,
    Referral,
    ReferralMove,
    StatedTotal,
)

CHUNK = 500


@dataclass
class DealStanding:
    """One deal with all that is known of it, oldest first."""

    deal: Deal
    terms: list[DealTerms] = field(default_factory=list)
    payments: list[Disbursement] = field(default_factory=list)
    stated_totals: list[StatedTotal] = field(default_factory=list)

    def terms_on(self, day: date) -> DealTerms | None:
        """What was agreed on a day."""
        return next((row for row in self.terms if row.valid_from <= day < row.valid_until), None)

    @property
    def latest(self) -> DealTerms | None:
        """What is agreed, with no end in sight."""
        return self.terms[-1] if self.terms else None

    @property
    def stage(self) -> Stage:
        """The latest stage of the deal."""
        return Stage(self.latest.stage) if self.latest else Stage.CONTACTED

    @property
    def is_live(self) -> bool:
        """Whether the deal is neither declined nor cancelled."""
        return self.stage not in CLOSED

    def paid_by(self, day: date) -> Decimal:
        """The sum of what was paid up to a day, inclusive."""
        return sum((p.amount_wan for p in self.payments if p.paid_on <= day), ZERO)

    @property
    def paid_wan(self) -> Decimal:
        """The sum of all that was paid."""
        return self.paid_by(date.max)

    @property
    def agreed_wan(self) -> Decimal | None:
        """What is agreed now; None before anything is, and on a deal that is closed."""
        return agreed(self.latest)

    @property
    def rest_wan(self) -> Decimal | None:
        """What is agreed and not yet paid."""
        return None if self.agreed_wan is None else max(self.agreed_wan - self.paid_wan, ZERO)

    def next_stated(self, month: date) -> StatedTotal | None:
        """The total stated for the first month after a month, as it was stated last."""
        later = [row for row in self.stated_totals if row.month > month]
        return min(later, key=lambda row: (row.month, -row.recorded_at.timestamp()), default=None)


@dataclass
class ReferralStanding:
    """One referral with its deals and the moves that were made without a deal."""

    referral: Referral
    deals: list[DealStanding] = field(default_factory=list)
    early_moves: list[ReferralMove] = field(default_factory=list)

    @property
    def live(self) -> list[DealStanding]:
        """The deals that are neither declined nor cancelled."""
        return [deal for deal in self.deals if deal.is_live]

    def by_voucher(self, voucher_no: str) -> DealStanding | None:
        """The deal with a voucher; "" finds the one that has none yet."""
        return next((d for d in self.deals if d.deal.voucher_no == voucher_no), None)

    @property
    def new_deal_stage(self) -> Stage:
        """The stage a further deal would start from."""
        stage = Stage(self.referral.stage)
        return stage if stage in (*EARLY, *CLOSED) else Stage.CONTACTED

    def current(self) -> tuple[Stage, date]:
        """The stage the whole has reached and since when, from the records alone."""
        if reached := furthest(deal.stage for deal in self.live):
            since = [d.latest.valid_from for d in self.live if d.latest and d.stage == reached]
            return reached, min(since)
        ends: list[tuple[date, Any, Stage]] = [
            (row.valid_from, row.recorded_at, Stage(row.stage))
            for deal in self.deals
            if (row := deal.latest)
        ]
        ends += [(m.occurred_on, m.recorded_at, Stage(m.target)) for m in self.early_moves]
        if not ends:
            return Stage(self.referral.stage), self.referral.stage_on
        day, _, stage = max(ends, key=lambda end: end[:2])
        return stage, day


def agreed(terms: DealTerms | None) -> Decimal | None:
    """授信金额, or 意向金额 where that is empty (interfaces.md 3); None once a deal is closed."""
    if terms is None or terms.stage in (*EARLY, *CLOSED):
        return None
    amount: Decimal | None = terms.approved_wan
    return terms.intended_wan if amount is None else amount


def load_standings(referrals: Iterable[Referral]) -> dict[int, ReferralStanding]:
    """Return how each referral stands, by its id, in five queries a chunk."""
    found = {referral.pk: ReferralStanding(referral) for referral in referrals}
    deals: dict[int, DealStanding] = {}
    for deal in _of(Deal, "referral", found):
        deals[deal.pk] = DealStanding(deal)
        found[deal.referral_id].deals.append(deals[deal.pk])
    for move in _of(ReferralMove, "referral", found, deal=None):
        found[move.referral_id].early_moves.append(move)
    for terms in _of(DealTerms, "deal", deals, superseded_at=None):
        deals[terms.deal_id].terms.append(terms)
    for payment in _of(Disbursement, "deal", deals):
        deals[payment.deal_id].payments.append(payment)
    for total in _of(StatedTotal, "deal", deals):
        deals[total.deal_id].stated_totals.append(total)
    return found


def load_standing(referral: Referral) -> ReferralStanding:
    """Return how one referral stands."""
    return load_standings([referral])[referral.pk]


def in_chunks(values: Collection[Any]) -> Iterator[list[Any]]:
    """Cut a long list into lists a database takes as parameters."""
    ordered = list(values)
    for start in range(0, len(ordered), CHUNK):
        yield ordered[start : start + CHUNK]


def _of(
    model: type[models.Model], owner: str, ids: Collection[int], **conditions: Any
) -> Iterator[Any]:
    order = "valid_from" if issubclass(model, DatedRow) else "pk"
    for chunk in in_chunks(ids):
        yield from model._default_manager.filter(**{f"{owner}__in": chunk}, **conditions).order_by(
            order
        )
