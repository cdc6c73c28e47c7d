"""Referrals, deals and payments through the services: who may do what, and what is kept."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import User
from common.errors import IllegalMove, InvalidInput, NotAllowed, NotFound
from common.models import AuditRecord
from common.months import local_today
from institutions.models import Institution
from referrals.lifecycle import MOVES, Stage, actions_for, furthest, next_action
from referrals.models import (
    Deal,
    DealTerms,
    Disbursement,
    MonthlyReturn,
    Referral,
    ReferralMove,
)
from referrals.offers import offers
from referrals.services import move_referral, push_project, submit_return
from referrals.services.moves import NEW, FieldInvalid, MoveDetails
from referrals.standing import load_standing
from tests.factories import make_deal, make_project, make_referral, set_terms

pytestmark = pytest.mark.django_db

BANK = "喀什农商银行"
FEBRUARY = date(2022, 2, 1)
MARCH = date(2022, 3, 1)
PUSHED_ON = date(2022, 1, 5)

# What a bank, and what the bureau beside it, may do from each stage; written down once more.
BANK_MOVES = {
    "pushed": {"acknowledge", "contact", "intend", "approve", "sign", "disburse", "decline"},
    "acknowledged": {"contact", "intend", "approve", "sign", "disburse", "decline"},
    "contacted": {"intend", "approve", "sign", "disburse", "decline"},
    "intended": {"intend", "approve", "sign", "disburse", "decline"},
    "approved": {"approve", "sign", "disburse", "decline"},
    "signed": {"sign", "disburse", "decline"},
    "disbursed": {"disburse"},
    "declined": set(),
    "cancelled": set(),
}
BUREAU_MORE = {
    **{stage: {"cancel"} for stage, moves in BANK_MOVES.items() if "decline" in moves},
    "declined": {"reopen"},
    "cancelled": {"reopen"},
}


def bank() -> Institution:
    return Institution.objects.get(short_name=BANK)


def move(
    referral: Referral, action: str, by: User, on: str = "2022-02-10", **said: Any
) -> Referral:
    amounts: dict[str, Any] = {
        name: Decimal(value) if name.endswith("_wan") and isinstance(value, str) else value
        for name, value in said.items()
    }
    details = MoveDetails(occurred_on=date.fromisoformat(on), **amounts)
    return move_referral(referral_id=referral.pk, action=action, details=details, by=by)


def terms_on(deal: Deal, day: str) -> DealTerms:
    return DealTerms.objects.as_of(date.fromisoformat(day)).get(deal=deal)


def paid(deal: Deal, until: str) -> Decimal:
    rows = Disbursement.objects.paid_by(date.fromisoformat(until)).filter(deal=deal)
    return sum((row.amount_wan for row in rows), Decimal(0))


@pytest.fixture
def pushed(register: None) -> Referral:
    """A project that was pushed to 喀什农商银行 and nothing more."""
    return make_referral(make_project("示例冷链项目", demand_wan="9000"), BANK, on=PUSHED_ON)


# --- The table of moves ---------------------------------------------------------------------------


@pytest.mark.parametrize("stage", Stage)
def test_a_bank_may_move_forward_and_decline_until_money_is_paid(stage: Stage):
    assert set(actions_for(stage, "bank")) == BANK_MOVES[stage]


@pytest.mark.parametrize("stage", Stage)
def test_the_bureau_may_also_take_back_and_push_again(stage: Stage):
    assert set(actions_for(stage, "bureau")) == BANK_MOVES[stage] | BUREAU_MORE.get(stage, set())


@pytest.mark.parametrize("role", ["leader", "county", "department", "sysadmin", "auditor"])
def test_nobody_else_moves_anything(role: str):
    assert [actions_for(stage, role) for stage in Stage] == [[]] * len(Stage)


def test_the_usual_next_step_leads_to_money():
    stage, way = Stage.PUSHED, []
    while stage != Stage.DISBURSED:
        action = next_action(stage, "bank")
        assert action is not None
        way.append(action)
        stage = MOVES[action].target
    assert way == ["acknowledge", "contact", "intend", "approve", "sign", "disburse"]
    assert next_action(Stage.DECLINED, "bank") is None
    assert next_action(Stage.PUSHED, "leader") is None


def test_the_furthest_stage_ignores_the_ways_out():
    assert furthest(["declined", "intended", "signed", "cancelled"]) == Stage.SIGNED
    assert furthest(["declined"]) is None


@pytest.mark.parametrize("action", MOVES)
@pytest.mark.parametrize("stage", Stage)
def test_a_move_is_made_from_its_stages_only(
    stage: Stage, action: str, register: None, bureau: User
):
    referral = make_referral(make_project(demand_wan="500"), BANK, stage=stage, on=PUSHED_ON)
    if stage in (Stage.INTENDED, Stage.APPROVED, Stage.SIGNED, Stage.DISBURSED):
        make_deal(referral.project, BANK, agreed_wan="400", stage=stage, on=PUSHED_ON)
    said = {
        "intended_wan": "400",
        "approved_wan": "400",
        "paid_wan": "100",
        "decline_reason": "capital",
        "note": "资本金未到位",
    }
    if action in BANK_MOVES[stage] | BUREAU_MORE.get(stage, set()):
        assert move(referral, action, bureau, **said).stage == MOVES[action].target
        return
    with pytest.raises(IllegalMove, match=stage.label):
        move(referral, action, bureau, **said)
    referral.refresh_from_db()
    assert referral.stage == stage


# --- Pushing --------------------------------------------------------------------------------------


def test_a_pushed_project_waits_for_the_bank(bureau: User, bank_clerk: User, leader: User):
    project = make_project()
    referral = push_project(project=project, institution=bank(), pushed_on=PUSHED_ON, by=bureau)
    assert (referral.stage, referral.stage_on, referral.was_pushed) == ("pushed", PUSHED_ON, True)
    assert list(Referral.objects.visible_to(bank_clerk)) == [referral]
    assert referral.moves.get().occurred_on == PUSHED_ON
    line = AuditRecord.objects.get(action="referrals.push_project")
    assert (line.actor, line.after) == (bureau, {"pushed_on": "2022-01-05"})


def test_pushing_twice_changes_nothing_or_is_refused(bureau: User):
    project = make_project()
    first = push_project(project=project, institution=bank(), pushed_on=PUSHED_ON, by=bureau)
    again = push_project(project=project, institution=bank(), pushed_on=PUSHED_ON, by=bureau)
    assert again == first
    assert first.moves.count() == 1
    with pytest.raises(IllegalMove, match="2022-01-05 已推送"):
        push_project(project=project, institution=bank(), pushed_on=FEBRUARY, by=bureau)


def test_pushing_what_a_bank_found_itself_keeps_its_stage(bureau: User):
    project = make_project()
    own = make_referral(project, BANK, stage=Stage.CONTACTED)
    Referral.objects.filter(pk=own.pk).update(pushed_on=None)
    referral = push_project(project=project, institution=bank(), pushed_on=MARCH, by=bureau)
    assert (referral.pk, referral.stage, referral.pushed_on) == (own.pk, "contacted", MARCH)


def test_only_the_bureau_pushes_and_not_into_the_future(
    bureau: User, bank_clerk: User, county_clerk: User
):
    project = make_project()
    for person in (bank_clerk, county_clerk):
        with pytest.raises(NotAllowed):
            push_project(project=project, institution=bank(), pushed_on=PUSHED_ON, by=person)
    tomorrow = local_today() + timedelta(days=1)
    with pytest.raises(InvalidInput, match="还没有到"):
        push_project(project=project, institution=bank(), pushed_on=tomorrow, by=bureau)
    assert not Referral.objects.exists()


# --- Moving ---------------------------------------------------------------------------------------


def test_the_whole_way_to_money(pushed: Referral, bank_clerk: User):
    move(pushed, "acknowledge", bank_clerk, "2022-01-06")
    move(pushed, "contact", bank_clerk, "2022-01-10", note="已上门")
    move(pushed, "intend", bank_clerk, "2022-01-20", intended_wan="6000")
    move(pushed, "approve", bank_clerk, "2022-02-15", approved_wan="5000.5")
    move(pushed, "sign", bank_clerk, "2022-02-20", voucher_no="SL-1")
    moved = move(
        pushed,
        "disburse",
        bank_clerk,
        "2022-03-03",
        paid_wan="1200",
        rate_pct=Decimal("3.72"),
        term_months=60,
    )
    assert (moved.stage, moved.stage_on) == ("disbursed", date(2022, 3, 3))
    deal = moved.deals.get()
    assert (deal.voucher_no, deal.rate_pct, deal.term_months) == ("SL-1", Decimal("3.72"), 60)
    february = terms_on(deal, "2022-02-28")
    assert (february.stage, february.intended_wan, february.approved_wan) == (
        "signed",
        Decimal(6000),
        Decimal("5000.5"),
    )
    assert terms_on(deal, "2022-01-31").approved_wan is None
    assert (paid(deal, "2022-02-28"), paid(deal, "2022-03-03")) == (Decimal(0), Decimal(1200))
    targets = list(pushed.moves.order_by("pk").values_list("target", flat=True))
    assert targets == list(BANK_MOVES)[:7]


def test_a_move_is_audited_with_before_and_after(pushed: Referral, bank_clerk: User):
    move(pushed, "intend", bank_clerk, intended_wan="6000", note="口头意向")
    line = AuditRecord.objects.get(action="referrals.intend")
    assert line.actor == bank_clerk
    assert line.before["stage"] == "pushed"
    assert (line.after["stage"], line.after["intended_wan"]) == ("intended", "6000.0000")
    assert line.reason == "口头意向"


@pytest.mark.parametrize(
    ("action", "field"),
    [
        ("intend", "intended_wan"),
        ("approve", "approved_wan"),
        ("sign", "approved_wan"),
        ("disburse", "paid_wan"),
        ("decline", "decline_reason"),
    ],
)
def test_what_a_move_needs_is_asked_for_at_its_field(
    action: str, field: str, pushed: Referral, bank_clerk: User
):
    with pytest.raises(FieldInvalid) as refusal:
        move(pushed, action, bank_clerk)
    assert refusal.value.field == field
    assert pushed.moves.count() == 1
    assert not Deal.objects.exists()


def test_declining_needs_a_note_besides_the_reason(pushed: Referral, bank_clerk: User):
    with pytest.raises(FieldInvalid) as refusal:
        move(pushed, "decline", bank_clerk, decline_reason="capital")
    assert refusal.value.field == "note"
    with pytest.raises(FieldInvalid, match="没有这个原因"):
        move(pushed, "decline", bank_clerk, decline_reason="nonsense", note="说明")


@pytest.mark.parametrize("amount", ["0", "-5"])
def test_an_agreed_amount_is_above_zero(amount: str, pushed: Referral, bank_clerk: User):
    with pytest.raises(FieldInvalid, match="大于 0"):
        move(pushed, "intend", bank_clerk, intended_wan=amount)


def test_a_day_that_has_not_come_is_refused(pushed: Referral, bank_clerk: User):
    tomorrow = (local_today() + timedelta(days=1)).isoformat()
    with pytest.raises(FieldInvalid, match="还没有到") as refusal:
        move(pushed, "disburse", bank_clerk, tomorrow, paid_wan="5")
    assert refusal.value.field == "occurred_on"
    move(pushed, "disburse", bank_clerk, local_today().isoformat(), paid_wan="5")


def test_signing_for_a_project_before_it_was_pushed_is_refused(pushed: Referral, bank_clerk: User):
    with pytest.raises(FieldInvalid, match="不能早于上一步（2022-01-05 已推送）"):
        move(pushed, "acknowledge", bank_clerk, "2022-01-04")


def test_a_move_reads_only_what_it_takes(pushed: Referral, bank_clerk: User):
    move(
        pushed,
        "intend",
        bank_clerk,
        intended_wan="100",
        approved_wan="900",
        paid_wan="900",
        decline_reason="other",
    )
    row = DealTerms.objects.get()
    assert (row.intended_wan, row.approved_wan) == (Decimal(100), None)
    assert not Disbursement.objects.exists()
    assert not ReferralMove.objects.exclude(decline_reason="").exists()


def test_an_unknown_move_is_refused(pushed: Referral, bank_clerk: User):
    with pytest.raises(InvalidInput, match="没有“fly”这个操作"):
        move(pushed, "fly", bank_clerk)


def test_a_stranger_does_not_know_the_referral(
    pushed: Referral, other_bank_clerk: User, bank_clerk: User, leader: User, county_clerk: User
):
    with pytest.raises(NotFound):
        move(pushed, "acknowledge", other_bank_clerk)
    for person in (leader, county_clerk):
        with pytest.raises(NotAllowed, match=person.get_role_display()):
            move(pushed, "acknowledge", person)
    with pytest.raises(NotAllowed):
        move(pushed, "cancel", bank_clerk, note="不该由银行撤回")
    assert pushed.moves.count() == 1


# --- Money ----------------------------------------------------------------------------------------


def test_the_same_key_is_one_payment(pushed: Referral, bank_clerk: User):
    for _ in range(3):
        move(pushed, "disburse", bank_clerk, paid_wan="300", key="form-1")
    assert Disbursement.objects.count() == 1
    other = make_referral(make_project(), BANK)
    with pytest.raises(InvalidInput, match="提交编号"):
        move(other, "acknowledge", bank_clerk, key="form-1")


def test_the_same_payment_again_has_to_be_explained(pushed: Referral, bank_clerk: User):
    move(pushed, "disburse", bank_clerk, paid_wan="300")
    with pytest.raises(FieldInvalid, match="已登记过投放 300 万元"):
        move(pushed, "disburse", bank_clerk, paid_wan="300")
    move(pushed, "disburse", bank_clerk, paid_wan="300", note="同日第二笔")
    assert paid(pushed.deals.get(), "2022-02-28") == Decimal(600)


def test_a_reversal_says_why_and_takes_no_more_than_was_paid(pushed: Referral, bank_clerk: User):
    move(pushed, "disburse", bank_clerk, "2022-02-10", paid_wan="300")
    with pytest.raises(FieldInvalid, match="冲正") as refusal:
        move(pushed, "disburse", bank_clerk, "2022-03-01", paid_wan="-100")
    assert refusal.value.field == "note"
    with pytest.raises(FieldInvalid, match="只投放过 300 万元"):
        move(pushed, "disburse", bank_clerk, "2022-03-01", paid_wan="-301", note="误记")
    with pytest.raises(FieldInvalid, match="只投放过 0 万元"):
        move(pushed, "disburse", bank_clerk, "2022-02-09", paid_wan="-1", note="早于投放")
    move(pushed, "disburse", bank_clerk, "2022-03-01", paid_wan="-300", note="误记")
    deal = pushed.deals.get()
    assert (paid(deal, "2022-02-28"), paid(deal, "2022-03-31")) == (Decimal(300), Decimal(0))


def test_a_payment_in_the_past_counts_from_its_day_and_keeps_later_amounts(
    pushed: Referral, bank_clerk: User
):
    move(pushed, "intend", bank_clerk, "2022-02-28", intended_wan="900")
    move(pushed, "approve", bank_clerk, "2022-03-31", approved_wan="800")
    moved = move(pushed, "disburse", bank_clerk, "2022-03-10", paid_wan="200")
    deal = pushed.deals.get()
    assert moved.stage == "disbursed"
    assert terms_on(deal, "2022-02-28").stage == "intended"
    middle, end = terms_on(deal, "2022-03-10"), terms_on(deal, "2022-03-31")
    assert (middle.stage, middle.intended_wan, middle.approved_wan) == (
        "disbursed",
        Decimal(900),
        None,
    )
    assert (end.stage, end.approved_wan) == ("disbursed", Decimal(800))


# --- Several deals --------------------------------------------------------------------------------


@pytest.fixture
def two_deals(pushed: Referral) -> tuple[Deal, Deal]:
    first = make_deal(
        pushed.project, BANK, agreed_wan="500", stage=Stage.SIGNED, voucher_no="V-1", on=FEBRUARY
    )
    second = make_deal(
        pushed.project, BANK, agreed_wan="700", stage=Stage.APPROVED, voucher_no="V-2", on=FEBRUARY
    )
    return first, second


def test_with_several_deals_one_has_to_be_named(
    pushed: Referral, two_deals: tuple[Deal, Deal], bank_clerk: User
):
    with pytest.raises(FieldInvalid, match="2 笔（V-1、V-2）") as refusal:
        move(pushed, "disburse", bank_clerk, paid_wan="50")
    assert refusal.value.field == "deal"
    move(pushed, "disburse", bank_clerk, paid_wan="50", deal=two_deals[1].pk)
    move(pushed, "disburse", bank_clerk, paid_wan="60", voucher_no="V-1")
    assert (paid(two_deals[0], "2022-02-28"), paid(two_deals[1], "2022-02-28")) == (60, 50)


def test_a_further_deal_needs_a_voucher_of_its_own(pushed: Referral, bank_clerk: User):
    move(pushed, "intend", bank_clerk, intended_wan="100")
    with pytest.raises(FieldInvalid, match="新的一笔请填凭证号"):
        move(pushed, "intend", bank_clerk, intended_wan="200", deal=NEW)
    move(pushed, "intend", bank_clerk, intended_wan="200", deal=NEW, voucher_no="V-9")
    with pytest.raises(FieldInvalid, match="V-9 已有一笔"):
        move(pushed, "intend", bank_clerk, intended_wan="300", deal=NEW, voucher_no="V-9")
    assert set(pushed.deals.values_list("voucher_no", flat=True)) == {"", "V-9"}


def test_a_voucher_once_given_stays(
    pushed: Referral, two_deals: tuple[Deal, Deal], bank_clerk: User
):
    with pytest.raises(FieldInvalid, match="这一笔的凭证号是 V-1"):
        move(pushed, "disburse", bank_clerk, paid_wan="1", deal=two_deals[0].pk, voucher_no="V-7")
    move(pushed, "intend", bank_clerk, intended_wan="5", deal=NEW)
    blank = pushed.deals.get(voucher_no="")
    with pytest.raises(FieldInvalid, match="V-2 是另一笔的"):
        move(pushed, "disburse", bank_clerk, paid_wan="1", deal=blank.pk, voucher_no="V-2")


def test_another_referrals_deal_cannot_be_chosen(
    pushed: Referral, two_deals: tuple[Deal, Deal], bank_clerk: User
):
    foreign = make_deal(make_project(), "中国工商银行", agreed_wan="5", stage=Stage.SIGNED)
    with pytest.raises(FieldInvalid, match="没有这一笔"):
        move(pushed, "disburse", bank_clerk, paid_wan="1", deal=foreign.pk)


def test_declining_one_deal_leaves_the_other(
    pushed: Referral, two_deals: tuple[Deal, Deal], bank_clerk: User
):
    moved = move(
        pushed,
        "decline",
        bank_clerk,
        "2022-03-15",
        deal=two_deals[0].pk,
        decline_reason="capital",
        note="资本金未到位",
    )
    assert moved.stage == "approved"
    assert terms_on(two_deals[0], "2022-03-14").stage == "signed"
    assert terms_on(two_deals[0], "2022-03-15").stage == "declined"
    assert terms_on(two_deals[1], "2022-03-15").stage == "approved"


def test_offers_name_the_deals_a_move_is_possible_on(
    pushed: Referral, two_deals: tuple[Deal, Deal]
):
    pushed.refresh_from_db()
    found = {offer.action: offer for offer in offers(load_standing(pushed), "bank")}
    assert [d.deal.pk for d in found["approve"].deals] == [two_deals[1].pk]
    assert [d.deal.pk for d in found["decline"].deals] == [two_deals[0].pk, two_deals[1].pk]
    assert found["approve"].without_deal
    assert not found["decline"].without_deal
    assert "acknowledge" not in found


# --- Declining, taking back, pushing again --------------------------------------------------------


def test_a_declined_referral_can_be_pushed_again_and_starts_anew(
    pushed: Referral, bank_clerk: User, bureau: User
):
    move(pushed, "intend", bank_clerk, "2022-02-01", intended_wan="600")
    declined = move(
        pushed, "decline", bank_clerk, "2022-02-05", decline_reason="permits", note="缺环评"
    )
    assert declined.stage == "declined"
    with pytest.raises(IllegalMove, match="不予支持.*财政局重新推送"):
        move(pushed, "intend", bank_clerk, "2022-02-06", intended_wan="400")
    assert move(pushed, "reopen", bureau, "2022-02-05", note="环评已补").stage == "pushed"
    assert move(pushed, "intend", bank_clerk, "2022-02-20", intended_wan="400").stage == "intended"
    deal = pushed.deals.get()
    assert terms_on(deal, "2022-02-10").stage == "declined"
    assert terms_on(deal, "2022-02-20").intended_wan == Decimal(400)


def test_the_bureau_takes_back_a_push(pushed: Referral, bureau: User, bank_clerk: User):
    assert move(pushed, "cancel", bureau, note="项目停建").stage == "cancelled"
    with pytest.raises(IllegalMove, match="已取消"):
        move(pushed, "acknowledge", bank_clerk)


# --- Returns without a file -----------------------------------------------------------------------


def test_a_nil_return_says_that_nothing_moved(pushed: Referral, bank_clerk: User):
    made = submit_return(institution=bank(), month=FEBRUARY, is_nil=True, by=bank_clerk)
    assert (made.is_nil, made.row_count, made.received_by) == (True, 0, bank_clerk)
    assert submit_return(institution=bank(), month=FEBRUARY, is_nil=True, by=bank_clerk) == made
    assert AuditRecord.objects.filter(action="referrals.submit_return").count() == 1


def test_a_nil_return_is_refused_where_something_moved(pushed: Referral, bank_clerk: User):
    move(pushed, "disburse", bank_clerk, "2022-02-10", paid_wan="300")
    with pytest.raises(InvalidInput, match="示例冷链项目 2022-02-10 已投放"):
        submit_return(institution=bank(), month=FEBRUARY, is_nil=True, by=bank_clerk)
    assert not MonthlyReturn.objects.exists()
    made = submit_return(institution=bank(), month=FEBRUARY, is_nil=False, by=bank_clerk)
    assert (made.is_nil, made.row_count) == (False, 1)
    submit_return(institution=bank(), month=MARCH, is_nil=True, by=bank_clerk)


def test_a_return_without_anything_is_refused(pushed: Referral, bank_clerk: User):
    with pytest.raises(InvalidInput, match="没有登记任何进展"):
        submit_return(institution=bank(), month=FEBRUARY, is_nil=False, by=bank_clerk)


def test_a_push_in_the_month_is_no_progress_of_the_bank(pushed: Referral, bank_clerk: User):
    january = date(2022, 1, 1)
    assert submit_return(institution=bank(), month=january, is_nil=True, by=bank_clerk).is_nil


def test_who_may_report_for_whom_and_when(
    bank_clerk: User, other_bank_clerk: User, bureau: User, leader: User
):
    with pytest.raises(NotFound):
        submit_return(institution=bank(), month=FEBRUARY, is_nil=True, by=other_bank_clerk)
    with pytest.raises(NotAllowed):
        submit_return(institution=bank(), month=FEBRUARY, is_nil=True, by=leader)
    coming = (local_today().replace(day=1) + timedelta(days=32)).replace(day=1)
    with pytest.raises(InvalidInput, match="还没有到"):
        submit_return(institution=bank(), month=coming, is_nil=True, by=bank_clerk)
    assert submit_return(institution=bank(), month=FEBRUARY, is_nil=True, by=bureau).is_nil


# --- Scope ----------------------------------------------------------------------------------------


def test_each_sees_the_referrals_of_its_scope(
    bank_clerk: User,
    other_bank_clerk: User,
    county_clerk: User,
    department_clerk: User,
    bureau: User,
    leader: User,
    sysadmin: User,
):
    here = make_project(county="疏勒县")
    there = make_project(county="莎车县")
    there.department = department_clerk.department
    there.save(update_fields=["department"])
    ours = make_referral(here, BANK)
    theirs = make_referral(there, "中国工商银行")
    seen = {
        person.username: set(Referral.objects.visible_to(person))
        for person in (bank_clerk, other_bank_clerk, county_clerk, department_clerk, sysadmin)
    }
    assert seen == {
        "bank": {ours},
        "other-bank": {theirs},
        "county": {ours},
        "department": {theirs},
        "sysadmin": set(),
    }
    for person in (bureau, leader):
        assert set(Referral.objects.visible_to(person)) == {ours, theirs}


def test_the_stage_of_a_referral_is_that_of_its_furthest_live_deal(
    pushed: Referral, two_deals: tuple[Deal, Deal], bank_clerk: User
):
    set_terms(two_deals[0], stage=Stage.DECLINED, on=MARCH)
    moved = move(pushed, "approve", bank_clerk, "2022-03-02", approved_wan="650")
    assert moved.stage == "approved"
