"""Which deal each row of a return speaks of (project × institution × 凭证号)."""

from collections import Counter
from collections.abc import Iterable, Sequence

from referrals.importing.rows import ProgressRow, Remarks
from referrals.lifecycle import AGREED, Stage
from referrals.models import Deal
from referrals.standing import DealStanding, ReferralStanding


def assign_deals(
    rows: Sequence[ProgressRow], standing: ReferralStanding, remarks: Remarks
) -> list[tuple[ProgressRow, DealStanding | None]]:
    """Pair the rows of one project × institution with their deals; rows in error are left out.

    A deal that does not exist yet is made, unsaved; None where a row is about no deal: signed
    for, contacted or declined before there is one.
    """
    rows = _without_repeats(rows, remarks)
    adopter = _adopter(rows, standing)
    pairs = []
    for row in rows:
        try:
            pairs.append((row, _deal_of(row, rows, standing, adopter)))
        except LookupError as error:
            remarks.error(row.row, "voucher_no", str(error))
    return pairs


def _without_repeats(rows: Sequence[ProgressRow], remarks: Remarks) -> list[ProgressRow]:
    counted = Counter(row.voucher_no for row in rows)
    for row in rows:
        if counted[row.voucher_no] == 1:
            continue
        others = [r.row.number for r in rows if r.voucher_no == row.voucher_no and r is not row]
        numbers = "、".join(map(str, others))
        sentence = (
            f"与第 {numbers} 行的项目、机构和凭证号都相同，请只留一行。"
            if row.voucher_no
            else f"与第 {numbers} 行是同一项目、同一机构；确有几笔请每笔填凭证号，否则只留一行。"
        )
        remarks.error(row.row, "voucher_no", sentence)
    return [row for row in rows if counted[row.voucher_no] == 1]


def _adopter(rows: Iterable[ProgressRow], standing: ReferralStanding) -> ProgressRow | None:
    """The row whose voucher becomes that of the deal that has none yet.

    None where a row without voucher speaks of that deal itself. A row whose total is below what
    the deal has paid is some other deal, as far as there is a choice.
    """
    free = standing.by_voucher("")
    rows = list(rows)
    if free is None or any(not row.voucher_no for row in rows):
        return None
    strangers = [row for row in rows if not standing.by_voucher(row.voucher_no)]
    return min(
        strangers,
        key=lambda row: (
            row.total_wan is not None and row.total_wan < free.paid_wan,
            row.row.number,
        ),
        default=None,
    )


def _deal_of(
    row: ProgressRow,
    rows: Sequence[ProgressRow],
    standing: ReferralStanding,
    adopter: ProgressRow | None,
) -> DealStanding | None:
    """Find or make the deal of a row. Raises LookupError with the sentence for a person."""
    if named := standing.by_voucher(row.voucher_no):
        return named
    if row is adopter:
        return standing.by_voucher("")
    if not row.voucher_no and (only := _only_deal(rows, standing)):
        return only
    if row.stage in AGREED:
        return DealStanding(Deal(referral=standing.referral, voucher_no=row.voucher_no))
    if row.voucher_no and standing.deals and (row.stage == Stage.DECLINED or row.unchanged):
        known = _vouchers(standing)
        raise LookupError(f"没有凭证号为 {row.voucher_no} 的一笔，已有：{known}。请核对。")
    return None


def _only_deal(rows: Sequence[ProgressRow], standing: ReferralStanding) -> DealStanding | None:
    """The one deal a row without voucher can mean; one that another row names is not it."""
    if len(standing.deals) > 1:
        known = _vouchers(standing)
        raise LookupError(f"这个项目有 {len(standing.deals)} 笔（{known}），请填是哪一笔的凭证号。")
    named = {row.voucher_no for row in rows if row.voucher_no}
    return next((deal for deal in standing.deals if deal.deal.voucher_no not in named), None)


def _vouchers(standing: ReferralStanding) -> str:
    return "、".join(deal.deal.voucher_no or "无凭证号" for deal in standing.deals)
