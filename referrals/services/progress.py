"""What has happened between projects and institutions, written down: for pages and imports.

Callers have locked and checked; here it is only written, set-based, under one recording moment.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from common.history import recording_moment, write_versions
from referrals.lifecycle import Stage
from referrals.models import (
    Deal,
    DealTerms,
    Disbursement,
    Referral,
    ReferralMove,
    StatedTotal,
)
from referrals.standing import in_chunks, load_standings

BATCH = 500
DEAL_FACTS = ("voucher_no", "rate_pct", "term_months")


@dataclass(frozen=True)
class Payment:
    """Money paid on a day, in 万元; a reversal is negative and says why."""

    amount_wan: Decimal
    paid_on: date
    note: str = ""


@dataclass(frozen=True)
class Terms:
    """A deal's stage and amounts from a day on."""

    valid_from: date
    stage: Stage
    intended_wan: Decimal | None = None
    approved_wan: Decimal | None = None

    def values(self) -> dict[str, Any]:
        """The fields to be versioned."""
        return {
            "stage": self.stage,
            "intended_wan": self.intended_wan,
            "approved_wan": self.approved_wan,
        }


@dataclass(frozen=True)
class Step:
    """One thing that happened on a referral, and what it changes.

    `referral` and `deal` may be new and unsaved; a changed voucher, rate or term stands on the
    deal already, with `is_deal_changed`. Without a deal only the referral's own stage moves. A
    step that only confirms a total (`is_move` false) leaves no move behind.
    """

    referral: Referral
    source: str
    target: Stage
    occurred_on: date
    deal: Deal | None = None
    is_deal_changed: bool = False
    terms: tuple[Terms, ...] = ()
    payments: tuple[Payment, ...] = ()
    stated_month: date | None = None
    stated_wan: Decimal | None = None
    decline_reason: str = ""
    note: str = ""
    key: str = ""
    is_move: bool = True


@transaction.atomic
def record_progress(*, steps: Sequence[Step], by: Any) -> datetime:
    """Write steps down and bring the referrals' stages up to date; return the moment."""
    at = recording_moment()
    _save_new([step.referral for step in steps], Referral)
    changed = [s.deal for s in steps if s.deal and s.deal.pk and s.is_deal_changed]
    _save_new([step.deal for step in steps if step.deal], Deal)
    Deal.objects.bulk_update(changed, DEAL_FACTS, batch_size=BATCH)
    _write_terms(steps, at=at, by=by)
    stamp = {"recorded_at": at, "recorded_by": by}
    Disbursement.objects.bulk_create(_payments(steps, stamp), batch_size=BATCH)
    StatedTotal.objects.bulk_create(_stated_totals(steps, stamp), batch_size=BATCH)
    ReferralMove.objects.bulk_create(_moves(steps, stamp), batch_size=BATCH)
    refresh_stages({step.referral.pk for step in steps})
    return at


def refresh_stages(referral_ids: Collection[int]) -> None:
    """Let each referral show the stage that its records add up to."""
    for ids in in_chunks(referral_ids):
        stale = []
        for standing in load_standings(Referral.objects.filter(pk__in=ids)).values():
            stage, since = standing.current()
            if stage != standing.referral.stage:
                standing.referral.stage, standing.referral.stage_on = stage, since
                stale.append(standing.referral)
        Referral.objects.bulk_update(stale, ["stage", "stage_on"])


def _save_new(rows: Iterable[Any], model: type[Referral] | type[Deal]) -> None:
    new = {id(row): row for row in rows if row.pk is None}
    for row in new.values():
        if isinstance(row, Deal):
            row.referral_id = row.referral.pk  # the referral may have been saved only now
    model._default_manager.bulk_create(list(new.values()), batch_size=BATCH)


def _write_terms(steps: Sequence[Step], *, at: datetime, by: Any) -> None:
    by_day: dict[date, dict[int, Mapping[str, Any]]] = defaultdict(dict)
    for step in steps:
        for terms in step.terms:
            assert step.deal is not None  # terms are a deal's
            by_day[terms.valid_from][step.deal.pk] = terms.values()
    for day, values in sorted(by_day.items()):
        ids = list(values)
        for chunk in in_chunks(ids):
            part = {deal_id: values[deal_id] for deal_id in chunk}
            write_versions(DealTerms, "deal", part, valid_from=day, at=at, by=by)


def _payments(steps: Sequence[Step], stamp: dict[str, Any]) -> list[Disbursement]:
    return [
        Disbursement(
            deal=step.deal,
            amount_wan=payment.amount_wan,
            paid_on=payment.paid_on,
            note=payment.note,
            **stamp,
        )
        for step in steps
        for payment in step.payments
    ]


def _stated_totals(steps: Sequence[Step], stamp: dict[str, Any]) -> list[StatedTotal]:
    return [
        StatedTotal(deal=step.deal, month=step.stated_month, total_wan=step.stated_wan, **stamp)
        for step in steps
        if step.stated_month and step.stated_wan is not None
    ]


def _moves(steps: Sequence[Step], stamp: dict[str, Any]) -> list[ReferralMove]:
    return [
        ReferralMove(
            referral=step.referral,
            deal=step.deal,
            source=step.source,
            target=step.target,
            occurred_on=step.occurred_on,
            note=step.note,
            decline_reason=step.decline_reason,
            key=step.key,
            **stamp,
        )
        for step in steps
        if step.is_move
    ]
