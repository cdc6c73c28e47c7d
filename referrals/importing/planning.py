"""What a row of a return changes, compared with what stands at the month's end. Writes nothing."""

from datetime import date

from common.money import ZERO, plain
from referrals.importing.agreement import Agreement
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
from referrals.lifecycle import EARLY, Stage
from referrals.models import DealTerms
from referrals.services.progress import Step, Terms
from referrals.standing import DealStanding, ReferralStanding


def plan_row(
    row: ProgressRow,
    standing: ReferralStanding,
    deal: DealStanding | None,
    period: Period,
    remarks: Remarks,
) -> Entry:
    """Say what one row changes; what contradicts the records goes to the remarks."""
    if row.unchanged:
        return _plan_unchanged(row, standing, deal, period, remarks)
    if deal is None:
        return _plan_early(row, standing, period, remarks)
    if row.stage == Stage.DECLINED:
        return _plan_decline(row, standing, deal, period, remarks)
    if row.stage in EARLY:
        return _plan_return(row, standing, deal, period, remarks)
    return Agreement(row, standing, deal, period, remarks).plan()


def _plan_unchanged(
    row: ProgressRow,
    standing: ReferralStanding,
    deal: DealStanding | None,
    period: Period,
    remarks: Remarks,
) -> Entry:
    facts = facts_of(deal, period.end)
    stage = facts.stage or early_stage(standing, period.end)
    if stage:
        _check_same_stage(row, Stage(stage), remarks)
        _check_same_amounts(row, deal, facts, period, remarks)
    else:
        remarks.error(
            row.row, "unchanged", "没有以前的记录，不能填“无变化”；请填写进展阶段和金额。"
        )
    step = _voucher_step(row, standing, deal, stage) if stage else None
    return Entry(row, standing, deal, UNCHANGED, facts, facts, step)


def _check_same_stage(row: ProgressRow, stage: Stage, remarks: Remarks) -> None:
    if row.stage and row.stage != stage:
        change = f"由“{stage.label}”变为“{row.stage.label}”"
        remarks.error(row.row, "unchanged", f"填了“无变化”，阶段却{change}，请改正其一。")


def _check_same_amounts(
    row: ProgressRow, deal: DealStanding | None, facts: Facts, period: Period, remarks: Remarks
) -> None:
    terms = deal.terms_on(period.end) if deal else None
    held = {
        "intended_wan": terms.intended_wan if terms else None,
        "approved_wan": terms.approved_wan if terms else None,
        "total_wan": facts.paid_wan or ZERO,
    }
    for key, amount in held.items():
        said = getattr(row, key)
        if said is not None and said != amount:
            was = "没有登记" if amount is None else f"{plain(amount)} 万元"
            remarks.error(
                row.row, key, f"填了“无变化”，金额却与已登记的不同（{was}），请改正其一。"
            )
    if row.paid_wan:
        remarks.error(row.row, "paid_wan", "填了“无变化”，却有本次投放金额，请改正其一。")


def _voucher_step(
    row: ProgressRow, standing: ReferralStanding, deal: DealStanding | None, stage: str
) -> Step | None:
    """The first voucher reported for a deal becomes its own, even where nothing else changes."""
    if deal is None or not row.voucher_no or deal.deal.voucher_no == row.voucher_no:
        return None
    deal.deal.voucher_no = row.voucher_no
    return Step(
        referral=standing.referral,
        source=stage,
        target=Stage(stage),
        occurred_on=date.max,
        deal=deal.deal,
        is_deal_changed=True,
        is_move=False,
    )


def _plan_early(
    row: ProgressRow, standing: ReferralStanding, period: Period, remarks: Remarks
) -> Entry:
    """A row about no deal: the referral itself moves."""
    assert row.stage is not None  # rows without stage are in error or unchanged
    before = early_stage(standing, period.end)
    facts = Facts(before), Facts(row.stage)
    if standing.live:
        remarks.warn(
            row.row,
            "stage",
            f"这个项目已有 {len(standing.live)} 笔，“{row.stage.label}”不改变它们的阶段。",
        )
        return Entry(row, standing, None, UNCHANGED, Facts(before), Facts(before))
    if before == row.stage and standing.referral.pk:
        return Entry(row, standing, None, UNCHANGED, *facts)
    warn_if_back(row, before, remarks)
    step = Step(
        referral=standing.referral,
        source=before,
        target=row.stage,
        occurred_on=period.early_day,
        decline_reason=row.decline_reason,
        note=row.note,
    )
    outcome = NEW if is_new(standing, None) else CHANGED
    return Entry(row, standing, None, outcome, *facts, step)


def _deal_entry(
    row: ProgressRow,
    standing: ReferralStanding,
    deal: DealStanding,
    period: Period,
    terms: DealTerms | None,
) -> Entry:
    """An entry that changes a deal's stage and nothing else."""
    assert row.stage is not None  # rows without stage are in error or unchanged
    before = facts_of(deal, period.end)
    new_voucher = bool(row.voucher_no) and row.voucher_no != deal.deal.voucher_no
    if terms and terms.stage == row.stage and not new_voucher:
        return Entry(row, standing, deal, UNCHANGED, before, before)
    step = Step(
        referral=standing.referral,
        source=before.stage,
        target=row.stage,
        occurred_on=period.end,
        deal=deal.deal,
        is_deal_changed=new_voucher,
        terms=(
            Terms(
                period.end,
                row.stage,
                intended_wan=terms.intended_wan if terms else None,
                approved_wan=terms.approved_wan if terms else None,
            ),
        ),
        decline_reason=row.decline_reason,
        note=row.note,
    )
    deal.deal.voucher_no = row.voucher_no or deal.deal.voucher_no
    after = Facts(row.stage, None, before.paid_wan)
    return Entry(row, standing, deal, CHANGED, before, after, step)


def _plan_decline(
    row: ProgressRow,
    standing: ReferralStanding,
    deal: DealStanding,
    period: Period,
    remarks: Remarks,
) -> Entry:
    terms = deal.terms_on(period.end)
    if (paid := deal.paid_by(period.end)) and not (terms and terms.stage == Stage.DECLINED):
        remarks.warn(
            row.row, "stage", f"这一笔已投放 {plain(paid)} 万元，改为“不予支持”后不再计入统计。"
        )
    return _deal_entry(row, standing, deal, period, terms)


def _plan_return(
    row: ProgressRow,
    standing: ReferralStanding,
    deal: DealStanding,
    period: Period,
    remarks: Remarks,
) -> Entry:
    """A deal that is back at 已签收 or 已对接: from then on it counts nowhere."""
    terms = deal.terms_on(period.end)
    if paid := deal.paid_by(period.end):
        remarks.error(
            row.row,
            "stage",
            f"这一笔已投放 {plain(paid)} 万元，阶段不能退回；如是另一笔请填它的凭证号，"
            "如是冲正请填累计投放金额并在备注写明原因。",
        )
    warn_if_back(row, terms.stage if terms else "", remarks)
    return _deal_entry(row, standing, deal, period, terms)
