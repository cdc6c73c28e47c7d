"""A row at 达成意向 or beyond: amounts, payments and stage of one deal."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from common.money import ZERO, plain
from common.months import month_end, month_label, previous_month
from referrals.importing.entries import (
    CHANGED,
    NEW,
    UNCHANGED,
    Entry,
    Facts,
    Period,
    early_stage,
    facts_of,
    is_new,
    warn_if_back,
)
from referrals.importing.rows import ProgressRow, Remarks
from referrals.lifecycle import CLOSED, Stage
from referrals.models import DealTerms
from referrals.services.progress import Payment, Step, Terms
from referrals.standing import DealStanding, ReferralStanding


@dataclass
class Agreement:
    """One such row beside its deal."""

    row: ProgressRow
    standing: ReferralStanding
    deal: DealStanding
    period: Period
    remarks: Remarks
    payments: list[Payment] = field(default_factory=list)

    def plan(self) -> Entry:
        """Check the money, then put together what changes."""
        row, end = self.row, self.period.end
        held = self.deal.terms_on(end)
        before = facts_of(self.deal, end)
        terms = self._terms(held)
        total = self._total()
        self._pay(total)
        warn_if_back(row, before.stage, self.remarks)
        after = Facts(terms.stage, _agreed_of(terms), total)
        self._check_amounts(after)
        makes_new = is_new(self.standing, self.deal)
        step = self._step(before, held, terms, total)
        is_changed = step is not None and step.is_move
        outcome = NEW if makes_new else CHANGED if is_changed else UNCHANGED
        return Entry(row, self.standing, self.deal, outcome, before, after, step)

    def _step(
        self, before: Facts, held: DealTerms | None, terms: Terms, total: Decimal
    ) -> Step | None:
        """What is to be written; None where the records say all of it already."""
        changes_deal = self._tell_deal()
        same_terms = held is not None and all(
            getattr(held, name) == value for name, value in terms.values().items()
        )
        is_changed = not same_terms or bool(self.payments) or changes_deal
        stated = self._stated(total)
        if not is_changed and stated is None:
            return None
        return Step(
            referral=self.standing.referral,
            source=before.stage or early_stage(self.standing, self.period.end),
            target=terms.stage,
            occurred_on=self.period.end,
            deal=self.deal.deal,
            is_deal_changed=changes_deal,
            terms=() if same_terms else (terms,),
            payments=tuple(self.payments),
            stated_month=self.period.month,
            stated_wan=stated,
            note=self.row.note,
            is_move=is_changed,
        )

    def _terms(self, held: DealTerms | None) -> Terms:
        """Amounts left blank stay as they are at the month's end."""
        row = self.row
        assert row.stage is not None  # rows without stage are in error or unchanged
        kept = held if held and held.stage not in CLOSED else None
        amounts = {
            name: getattr(row, name) or (getattr(kept, name) if kept else None)
            for name in ("intended_wan", "approved_wan")
        }
        if row.stage != Stage.DISBURSED and not any(amounts.values()):
            key = "intended_wan" if row.stage == Stage.INTENDED else "approved_wan"
            self.remarks.error(
                row.row, key, f"阶段是“{row.stage.label}”，请填意向金额或授信金额（万元）。"
            )
        return Terms(self.period.end, row.stage, **amounts)

    def _total(self) -> Decimal:
        """What is paid by the month's end: as the row says it, else as it stands."""
        row, paid = self.row, self.deal.paid_by(self.period.end)
        if row.total_wan is not None:
            return row.total_wan
        if row.paid_wan:
            return self._total_from_payment(row.paid_wan, paid)
        if row.stage == Stage.DISBURSED:
            known = f"至今累计 {plain(paid)} 万元，没有新投放就照填，" if paid else ""
            self.remarks.error(
                row.row,
                "total_wan",
                f"阶段是“已投放”，请填累计投放金额（万元）；{known}或填本次投放金额。",
            )
        return paid

    def _total_from_payment(self, amount: Decimal, paid: Decimal) -> Decimal:
        paid_on = self.row.paid_on or self.period.end
        if any(p.amount_wan == amount and p.paid_on == paid_on for p in self.deal.payments):
            self.remarks.warn(
                self.row.row,
                "paid_wan",
                f"{paid_on} 已登记过同样的一次投放，没有重复计入；确是另一次请填累计投放金额。",
            )
            return paid
        total = paid + amount
        self.remarks.warn(
            self.row.row,
            "total_wan",
            f"没有填累计投放金额，按已投放 {plain(paid)} 加本次 {plain(amount)}，"
            f"计 {plain(total)} 万元。",
        )
        return total

    def _pay(self, total: Decimal) -> None:
        """Turn the difference to what stands into a payment, or a reversal that says why."""
        row, end = self.row, self.period.end
        paid = self.deal.paid_by(end)
        difference = total - paid
        self._check_payment_said(difference)
        if difference > 0:
            self.payments.append(Payment(difference, self._paid_on(difference)))
        elif difference < 0:
            self._reverse(difference, paid, total)
        later = self.deal.next_stated(self.period.month) if difference else None
        if later is None:
            return
        # What a later month has said stays true: only the months before it change.
        label = month_label(later.month)
        note = f"更正{month_label(self.period.month)}累计投放，{label}已报累计不变"
        self.payments.append(Payment(-difference, month_end(later.month), note))
        self.remarks.warn(
            row.row,
            "total_wan",
            f"{label}已报累计投放 {plain(later.total_wan)} 万元，保持不变；只更正在此以前的月份。",
        )

    def _reverse(self, difference: Decimal, paid: Decimal, total: Decimal) -> None:
        row = self.row
        key = "total_wan" if row.total_wan is not None else "paid_wan"
        if total < 0:
            self.remarks.error(row.row, key, f"只投放过 {plain(paid)} 万元，不能冲正这么多。")
        elif not row.note:
            self.remarks.error(
                row.row,
                key,
                f"比已登记的累计 {plain(paid)} 万元少 {plain(-difference)}；累计数不会减少，"
                f"请改为 {plain(paid)} 或更多，如是冲正请在备注写明原因。",
            )
        else:
            self.remarks.warn(
                row.row, key, f"累计投放由 {plain(paid)} 冲正为 {plain(total)} 万元：{row.note}"
            )
            self.payments.append(Payment(difference, self.period.end, row.note))

    def _paid_on(self, amount: Decimal) -> date:
        row, end = self.row, self.period.end
        if row.paid_on is None:
            self.remarks.warn(
                row.row,
                "paid_on",
                f"没有填投放日期，新增投放 {plain(amount)} 万元按 {end} 登记。",
            )
            return end
        is_older = row.paid_wan is None and any(
            p.paid_on == row.paid_on for p in self.deal.payments
        )
        if is_older:
            self.remarks.warn(
                row.row,
                "paid_on",
                f"投放日期是以前那次的，新增投放 {plain(amount)} 万元按 {end} 登记。",
            )
            return end
        return row.paid_on

    def _check_payment_said(self, difference: Decimal) -> None:
        """Warn unless 本次投放金额 is the difference, the month's sum or a known payment."""
        said = self.row.paid_wan
        before_month = self.deal.paid_by(month_end(previous_month(self.period.month)))
        in_month = self.deal.paid_by(self.period.end) - before_month + difference
        known = [payment.amount_wan for payment in self.deal.payments]
        if said is None or said in (difference, in_month, *known):
            return
        self.remarks.warn(
            self.row.row,
            "paid_wan",
            f"本次投放 {plain(said)} 万元，与累计投放的增加额 {plain(difference)} 万元不符，"
            "按累计投放登记，请核对。",
        )

    def _check_amounts(self, after: Facts) -> None:
        limit = self.row.approved_wan or after.agreed_wan
        if limit is not None and (after.paid_wan or ZERO) > limit:
            self.remarks.warn(
                self.row.row,
                "total_wan",
                f"累计投放超过授信（或意向）金额 {plain(limit)} 万元，请核对。",
            )

    def _tell_deal(self) -> bool:
        """Put voucher, rate and term on the deal; what is blank stays."""
        row, loan = self.row, self.deal.deal
        said = {
            "voucher_no": row.voucher_no or None,
            "rate_pct": row.rate_pct,
            "term_months": row.term_months,
        }
        changed = False
        for name, value in said.items():
            if value is not None and getattr(loan, name) != value:
                setattr(loan, name, value)
                changed = True
        return changed

    def _stated(self, total: Decimal) -> Decimal | None:
        """The total to keep as this month's word; None where the row or the records say it."""
        if self.row.total_wan is None:
            return None
        said = [s.total_wan for s in self.deal.stated_totals if s.month == self.period.month]
        return None if said and said[-1] == total else total


def _agreed_of(terms: Terms) -> Decimal | None:
    return terms.intended_wan if terms.approved_wan is None else terms.approved_wan
