"""What an institution reports for a month: that it reported, or that nothing moved."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef

from accounts.choices import Role
from common import audit
from common.errors import InvalidInput, NotAllowed, NotFound
from common.history import recording_moment
from common.money import plain
from common.months import local_today, month_end, month_key, month_label, month_of
from institutions.models import Institution
from projects.models import ImportedFile
from referrals.lifecycle import Stage
from referrals.models import Disbursement, MonthlyReturn, ReferralMove
from referrals.services.pushing import lock_institutions

MAY_REPORT = frozenset({Role.BANK, Role.BUREAU, Role.SYSTEM})
SHOWN_MOVES = 3
EARLIEST_MONTH = date(2000, 1, 1)


@transaction.atomic
def submit_return(*, institution: Institution, month: date, is_nil: bool, by: Any) -> MonthlyReturn:
    """Declare that what the portal holds for a month is complete, or that nothing moved in it.

    A nil return is refused where something moved, a return that says something moved where
    nothing did. Sent again, it changes nothing.
    """
    check_month(month)
    check_reporter(institution, by)
    lock_institutions([institution.pk])
    moved = what_moved(institution, month)
    if is_nil and moved:
        shown = "；".join(moved[:SHOWN_MOVES])
        more = f"等 {len(moved)} 项" if len(moved) > SHOWN_MOVES else ""
        raise InvalidInput(
            f"{month_label(month)}有进展，不能报零报告：{shown}{more}。请改报“本月报送”。"
        )
    if not is_nil and not moved:
        raise InvalidInput(f"{month_label(month)}没有登记任何进展，请先登记，或报送零报告。")
    held = MonthlyReturn.objects.filter(institution=institution, month=month, is_nil=is_nil)
    same: MonthlyReturn | None = held.order_by("pk").last()
    if same and same.row_count == len(moved):
        return same
    return _add_return(institution, month, is_nil=is_nil, row_count=len(moved), by=by)


def check_month(month: date) -> None:
    """Refuse a month that has not begun or is out of reach, and a day that is not a first."""
    if month.day != 1:
        raise InvalidInput(f"月份应是当月的第一天，现为 {month}。")
    if month < EARLIEST_MONTH:
        raise InvalidInput(f"{month_label(month)}太早，请核对年份。")
    if month > month_of(local_today()):
        raise InvalidInput(f"{month_label(month)}还没有到，不能报送。")


def check_reporter(institution: Institution, by: Any) -> None:
    """Refuse who may not report for an institution; another bank's is simply not there."""
    if by.role not in MAY_REPORT:
        raise NotAllowed(f"您的角色（{by.get_role_display()}）不能报送。")
    if by.role != Role.BANK:
        return
    if not Institution.objects.of_user(by).filter(pk=institution.pk).exists():
        raise NotFound("只能报送本机构的进展。")


def what_moved(institution: Institution, month: date) -> list[str]:
    """Say in words what the portal holds for an institution that happened in a month."""
    within = (month, month_end(month))
    moves = (
        ReferralMove.objects.filter(referral__institution=institution, occurred_on__range=within)
        .exclude(target__in=(Stage.PUSHED, Stage.CANCELLED))  # the bureau's doing
        .select_related("referral__project")
        .order_by("occurred_on", "pk")
    )
    said = [f"{m.referral.project} {m.occurred_on} {m.get_target_display()}" for m in moves]
    said_already = moves.filter(deal=OuterRef("deal"), target=Stage.DISBURSED).order_by()
    payments = (
        Disbursement.objects.filter(
            ~Exists(said_already), deal__referral__institution=institution, paid_on__range=within
        )
        .select_related("deal__referral__project")
        .order_by("paid_on", "pk")
    )
    return said + [
        f"{p.deal.referral.project} {p.paid_on} 投放 {plain(p.amount_wan)} 万元" for p in payments
    ]


def record_returns(
    *,
    row_counts: Iterable[tuple[Institution, int]],
    month: date,
    source: ImportedFile,
    at: datetime,
    by: Any,
) -> list[MonthlyReturn]:
    """Record that a file is the return of these institutions; no row that moved is a nil return."""
    return MonthlyReturn.objects.bulk_create(
        MonthlyReturn(
            institution=institution,
            month=month,
            is_nil=count == 0,
            row_count=count,
            source=source,
            received_at=at,
            received_by=by,
        )
        for institution, count in row_counts
    )


def _add_return(
    institution: Institution, month: date, *, is_nil: bool, row_count: int, by: Any
) -> MonthlyReturn:
    made = MonthlyReturn.objects.create(
        institution=institution,
        month=month,
        is_nil=is_nil,
        row_count=row_count,
        received_at=recording_moment(),
        received_by=by,
    )
    audit.record(
        "referrals.submit_return",
        by=by,
        on=made,
        after={"month": month_key(month), "is_nil": is_nil, "row_count": row_count},
    )
    return made
