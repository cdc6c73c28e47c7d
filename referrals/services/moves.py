"""One step of a referral, as a person records it on a page or a system sends it."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal, NoReturn

from django.db import transaction

from common import audit
from common.errors import IllegalMove, InvalidInput, NotAllowed, NotFound
from common.money import ZERO, plain
from common.months import local_today
from referrals.lifecycle import CLOSED, MOVES, DeclineReason, Move, Stage
from referrals.models import Deal, Referral, ReferralMove
from referrals.offers import source_of
from referrals.services.progress import DEAL_FACTS, Payment, Step, Terms, record_progress
from referrals.standing import DealStanding, ReferralStanding, load_standing

EARLIEST = date(2000, 1, 1)
NEW: Literal["new"] = "new"
MISSING = {
    "intended_wan": "请填意向金额（万元），应大于 0。",
    "approved_wan": "请填授信金额（万元），应大于 0。",
    "agreed_wan": "还没有意向或授信金额，请填授信金额（万元）。",
    "paid_wan": "请填本次投放金额（万元）。",
    "decline_reason": "请选择不予支持的原因。",
    "note": "请写明原因。",
}
# Where a page shows what is missing, when that is not a field of its own.
SHOWN_AT = {"agreed_wan": "approved_wan"}


class FieldInvalid(InvalidInput):
    """One input is missing or wrong; `field` names it, for the form."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = SHOWN_AT.get(field, field)


@dataclass(frozen=True)
class MoveDetails:
    """What is said about a move; a move reads the inputs its row of MOVES names, no others.

    `deal` is the id of one of the referral's deals, "new" for a further one, or None where there
    is at most one it can be.
    """

    occurred_on: date
    deal: int | Literal["new"] | None = None
    intended_wan: Decimal | None = None
    approved_wan: Decimal | None = None
    paid_wan: Decimal | None = None
    voucher_no: str = ""
    rate_pct: Decimal | None = None
    term_months: int | None = None
    decline_reason: str = ""
    note: str = ""
    # The one-time key of the form: the same key twice is one move.
    key: str = ""


@transaction.atomic
def move_referral(*, referral_id: int, action: str, details: MoveDetails, by: Any) -> Referral:
    """Make one move of the table MOVES and record it.

    Raises NotFound, NotAllowed, InvalidInput (FieldInvalid names the input) or IllegalMove.
    """
    move = _allowed_move(action, by)
    referral = _locked(referral_id, by)
    if details.key and _was_made(details.key, referral):
        return referral
    standing = load_standing(referral)
    deal = _chosen_deal(standing, move, details)
    source = _checked_source(standing, move, deal)
    _check_date(standing, move, details)
    _check_needs(move, deal, details)
    before = _facts(referral, deal)
    step = _step(standing, move, deal, source, details)
    record_progress(steps=[step], by=by)
    referral.refresh_from_db()
    _audit(action, step, details, before=before, by=by)
    return referral


def explain_refusal(*, referral: Referral, action: str, by: Any) -> NoReturn:
    """Raise the sentence that says why a move that is not offered is not possible."""
    move = _allowed_move(action, by)
    standing = load_standing(referral)
    only = standing.live[0] if len(standing.live) == 1 else None
    _checked_source(standing, move, only)
    raise IllegalMove("页面打开之后情况有变化，请看现在的阶段再登记。")


def _allowed_move(action: str, by: Any) -> Move:
    if (move := MOVES.get(action)) is None:
        raise InvalidInput(f"没有“{action}”这个操作，可用的有：{'、'.join(MOVES)}。")
    if by.role not in move.roles:
        raise NotAllowed(f"您的角色（{by.get_role_display()}）不能“{move.label}”。")
    return move


def _locked(referral_id: int, by: Any) -> Referral:
    mine = Referral.objects.visible_to(by).values("pk")
    rows = Referral.objects.filter(pk=referral_id, pk__in=mine).select_for_update()
    referral: Referral | None = rows.first()
    if referral is None:
        raise NotFound("没有这条推送，或不在您的范围内。")
    return referral


def _was_made(key: str, referral: Referral) -> bool:
    earlier = ReferralMove.objects.filter(key=key).first()
    if earlier and earlier.referral_id != referral.pk:
        raise InvalidInput("提交编号已用于另一个项目，请刷新页面后重填。")
    return earlier is not None


def _chosen_deal(
    standing: ReferralStanding, move: Move, details: MoveDetails
) -> DealStanding | None:
    """The deal that is meant: named, or the only one it can be; None for a new one, or none."""
    if move.target == Stage.PUSHED:  # the whole referral begins anew, not one of its deals
        return None
    if isinstance(details.deal, int):
        chosen = next((d for d in standing.deals if d.deal.pk == details.deal), None)
        if chosen is None:
            raise FieldInvalid("deal", "这个项目没有这一笔，请重新选择。")
        return chosen
    voucher_no = details.voucher_no if "voucher_no" in move.inputs else ""
    if details.deal == NEW and not move.makes_deal:
        raise FieldInvalid("deal", f"“{move.label}”只能用于已有的一笔，请选是哪一笔。")
    if details.deal == NEW:
        return _closed_namesake(standing, voucher_no)
    if voucher_no and (named := standing.by_voucher(voucher_no)):
        return named
    if len(standing.live) > 1:
        names = "、".join(d.deal.voucher_no or "无凭证号" for d in standing.live)
        raise FieldInvalid("deal", f"这个项目有 {len(standing.live)} 笔（{names}），请选是哪一笔。")
    if standing.live:
        return standing.live[0]
    return standing.by_voucher(voucher_no) if move.makes_deal else None


def _closed_namesake(standing: ReferralStanding, voucher_no: str) -> DealStanding | None:
    """A deal that was closed under the voucher of the new one begins again."""
    namesake = standing.by_voucher(voucher_no)
    if namesake and namesake.is_live:
        sentence = (
            f"凭证号 {voucher_no} 已有一笔，请选那一笔。"
            if voucher_no
            else "已有一笔没有凭证号，新的一笔请填凭证号。"
        )
        raise FieldInvalid("voucher_no", sentence)
    return namesake


def _checked_source(standing: ReferralStanding, move: Move, deal: DealStanding | None) -> Stage:
    source = source_of(standing, move, deal)
    if source in move.sources:
        assert source is not None  # None is in no table of sources
        return source
    label = Stage(source or standing.referral.stage).label
    way_out = "已结束的要先由财政局重新推送。" if source in CLOSED else ""
    raise IllegalMove(f"现在是“{label}”，不能“{move.label}”。{way_out}")


def _check_date(standing: ReferralStanding, move: Move, details: MoveDetails) -> None:
    day, today = details.occurred_on, local_today()
    if day > today:
        raise FieldInvalid("occurred_on", f"{day} 还没有到，请填今天（{today}）或以前的日期。")
    if day < EARLIEST:
        raise FieldInvalid("occurred_on", f"{day} 太早，请核对年份。")
    since = standing.referral.stage_on
    if not standing.live and not move.makes_deal and day < since:
        label = Stage(standing.referral.stage).label
        raise FieldInvalid("occurred_on", f"不能早于上一步（{since} {label}），请核对日期。")


def _check_needs(move: Move, deal: DealStanding | None, details: MoveDetails) -> None:
    for name in move.needs:
        if not _is_given(name, deal, details):
            raise FieldInvalid(name, MISSING[name])
    for name in ("intended_wan", "approved_wan"):
        if name in move.inputs and (getattr(details, name) or ZERO) < 0:
            raise FieldInvalid(name, "金额应大于 0。")
    if details.decline_reason and details.decline_reason not in DeclineReason.values:
        raise FieldInvalid("decline_reason", "没有这个原因，请从列表中选择。")
    if "paid_wan" in move.needs:
        _check_payment(deal, details)
    if "voucher_no" in move.inputs and deal and deal.is_live and details.voucher_no:
        _check_voucher(deal, details.voucher_no)


def _is_given(name: str, deal: DealStanding | None, details: MoveDetails) -> bool:
    if name != "agreed_wan":
        return bool(getattr(details, name))
    return bool(details.approved_wan or (deal and deal.agreed_wan))


def _check_voucher(deal: DealStanding, voucher_no: str) -> None:
    held = deal.deal.voucher_no
    if held and held != voucher_no:
        raise FieldInvalid("voucher_no", f"这一笔的凭证号是 {held}；另一笔请选“新的一笔”。")
    others = Deal.objects.filter(referral=deal.deal.referral_id, voucher_no=voucher_no)
    if others.exclude(pk=deal.deal.pk).exists():
        raise FieldInvalid("voucher_no", f"凭证号 {voucher_no} 是另一笔的，请核对。")


def _check_payment(deal: DealStanding | None, details: MoveDetails) -> None:
    amount = details.paid_wan or ZERO
    payments = deal.payments if deal else []
    if amount < 0 and not details.note:
        raise FieldInvalid("note", "投放金额为负是冲正，请在说明中写明原因。")
    paid = min(deal.paid_by(details.occurred_on), deal.paid_wan) if deal else ZERO
    if paid + amount < 0:
        raise FieldInvalid("paid_wan", f"只投放过 {plain(paid)} 万元，不能冲正 {plain(-amount)}。")
    twin = any(p.amount_wan == amount and p.paid_on == details.occurred_on for p in payments)
    if twin and not details.note:
        raise FieldInvalid(
            "note",
            f"{details.occurred_on} 已登记过投放 {plain(amount)} 万元；"
            "确是另一次投放，请在说明中写明。",
        )


def _step(
    standing: ReferralStanding,
    move: Move,
    deal: DealStanding | None,
    source: Stage,
    details: MoveDetails,
) -> Step:
    inputs = {name: getattr(details, name) for name in move.inputs if name != "agreed_wan"}
    loan = deal.deal if deal else None
    if loan is None and move.makes_deal:
        loan = Deal(referral=standing.referral)
    changed = _tell_deal(loan, inputs) if loan else False
    payments: tuple[Payment, ...] = ()
    if inputs.get("paid_wan"):
        payments = (Payment(inputs["paid_wan"], details.occurred_on, details.note),)
    return Step(
        referral=standing.referral,
        source=source,
        target=move.target,
        occurred_on=details.occurred_on,
        deal=loan,
        is_deal_changed=changed,
        terms=_terms_from(deal, move.target, details.occurred_on, inputs) if loan else (),
        payments=payments,
        decline_reason=inputs.get("decline_reason") or "",
        note=inputs.get("note") or "",
        key=details.key,
    )


def _tell_deal(loan: Deal, inputs: dict[str, Any]) -> bool:
    """Put what was said about the loan on it; what was left blank stays."""
    said = {name: inputs[name] for name in DEAL_FACTS if inputs.get(name) not in (None, "")}
    changed = any(getattr(loan, name) != value for name, value in said.items())
    for name, value in said.items():
        setattr(loan, name, value)
    return changed


def _terms_from(
    deal: DealStanding | None, target: Stage, day: date, inputs: dict[str, Any]
) -> tuple[Terms, ...]:
    """The deal's terms from a day on: a person who sees what is known overrules all of it.

    Amounts that were left blank stay as they were on each day; a closed deal begins anew.
    """
    rows = deal.terms if deal else []
    later = [row for row in rows if row.valid_from > day]
    held = (deal.terms_on(day) if deal else None) or next(iter(later), None)
    spans = [(day, held), *((row.valid_from, row) for row in later)]
    starts_anew = deal is not None and not deal.is_live
    return tuple(
        Terms(
            since,
            target,
            **{
                name: inputs.get(name) or (getattr(row, name) if row and not starts_anew else None)
                for name in ("intended_wan", "approved_wan")
            },
        )
        for since, row in spans
    )


def _facts(referral: Referral, deal: DealStanding | None) -> dict[str, Any]:
    facts: dict[str, Any] = {"stage": referral.stage, "stage_on": referral.stage_on}
    if deal is None:
        return facts
    return facts | {
        "deal": deal.deal.pk,
        "deal_stage": deal.stage,
        "voucher_no": deal.deal.voucher_no,
        "intended_wan": deal.latest.intended_wan if deal.latest else None,
        "approved_wan": deal.latest.approved_wan if deal.latest else None,
        "paid_wan": deal.paid_wan,
        "rate_pct": deal.deal.rate_pct,
        "term_months": deal.deal.term_months,
    }


def _audit(
    action: str, step: Step, details: MoveDetails, *, before: dict[str, Any], by: Any
) -> None:
    referral = step.referral
    standing = load_standing(referral)
    deal = next((d for d in standing.deals if step.deal and d.deal.pk == step.deal.pk), None)
    after = _facts(referral, deal) | {"occurred_on": details.occurred_on}
    if step.decline_reason:
        after["decline_reason"] = step.decline_reason
    audit.record(
        f"referrals.{action}", by=by, on=referral, before=before, after=after, reason=step.note
    )
