"""The figures of a month: what counts, where, from when on. Expectations are worked out by hand."""

from datetime import date
from decimal import Decimal

import pytest

from common.history import recording_moment
from referrals.lifecycle import Stage
from reports.figures import (
    AsOf,
    Landing,
    active_heads,
    demand_by_band,
    funnel,
    landed_deals,
    landing,
    reported_institutions,
)
from reports.rules import current_rules, rules_of
from tests.factories import (
    make_deal,
    make_project,
    make_referral,
    pay,
    report,
    set_demand,
    set_terms,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("register")]

JAN, FEB, MAR = date(2022, 1, 31), date(2022, 2, 28), date(2022, 3, 31)
BANK, OTHER = "喀什农商银行", "中国银行"


def bands(day: date = FEB) -> dict[str, tuple[int, Decimal]]:
    found = demand_by_band(AsOf(day), rules_of(current_rules()).bands)
    return {row.key: (row.projects, row.amount_wan) for row in found}


def by_name(day: date = FEB) -> dict[str, Landing]:
    _, rows = landing(AsOf(day))
    return {str(head): rows[head.pk] for head in active_heads(day) if head.pk in rows}


@pytest.mark.parametrize(
    ("demand_wan", "key"),
    [
        ("30000", "ge_30000"),
        ("29999.99", "5000_30000"),
        ("5000", "5000_30000"),
        ("4999.99", "1000_5000"),
        ("1000", "1000_5000"),
        ("999.9999", "300_1000"),
        ("300", "300_1000"),
        ("299.99", "lt_300"),
        ("0.0001", "lt_300"),
    ],
)
def test_lower_end_of_a_band_is_in_upper_end_is_out(demand_wan, key):
    make_project(demand_wan=demand_wan)
    assert bands()[key] == (1, Decimal(demand_wan))
    assert sum(projects for projects, _ in bands().values()) == 1


def test_a_project_counts_from_its_round_on_with_the_demand_of_the_day():
    project = make_project(demand_wan="400", counts_from=date(2022, 2, 1))
    set_demand(project, "2000", date(2022, 3, 1))
    assert sum(projects for projects, _ in bands(JAN).values()) == 0
    assert bands(FEB)["300_1000"] == (1, Decimal(400))
    assert bands(MAR)["1000_5000"] == (1, Decimal(2000))


def test_a_partly_paid_deal_stands_in_both_stages_and_once_in_the_total():
    make_deal(make_project(), BANK, agreed_wan="500", paid={FEB: "200"}, stage=Stage.DISBURSED)
    total, _ = landing(AsOf(FEB))
    assert (total.disbursed_deals, total.disbursed_wan) == (1, 200)
    assert (total.intended_deals, total.intended_wan) == (1, 300)
    assert (total.landed_projects, total.landed_deals, total.landed_wan) == (1, 1, 500)
    assert (total.both_projects, total.both_deals) == (1, 1)


def test_a_fully_paid_deal_is_no_intent_and_paying_more_than_agreed_takes_nothing_away():
    make_deal(make_project(), BANK, agreed_wan="500", paid={FEB: "600"}, stage=Stage.DISBURSED)
    total, _ = landing(AsOf(FEB))
    assert (total.disbursed_wan, total.intended_deals, total.intended_wan) == (600, 0, 0)


def test_a_project_with_two_deals_counts_once():
    project = make_project()
    make_deal(project, BANK, paid={FEB: "10"}, stage=Stage.DISBURSED, voucher_no="A")
    make_deal(project, BANK, paid={JAN: "20"}, stage=Stage.DISBURSED, voucher_no="B")
    make_deal(project, OTHER, agreed_wan="30")
    total, _ = landing(AsOf(FEB))
    assert (total.disbursed_projects, total.disbursed_deals) == (1, 2)
    assert (total.intended_projects, total.intended_deals) == (1, 1)
    assert (total.landed_projects, total.landed_deals) == (1, 3)
    # The project stands in both stages although no single deal does.
    assert (total.both_projects, total.both_deals) == (1, 0)


def test_payments_count_from_their_day_on():
    make_deal(
        make_project(), BANK, paid={FEB: "100", date(2022, 3, 1): "50"}, stage=Stage.DISBURSED
    )
    assert landing(AsOf(JAN))[0].disbursed_wan == 0
    assert landing(AsOf(FEB))[0].disbursed_wan == 100
    assert landing(AsOf(MAR))[0].disbursed_wan == 150


@pytest.mark.parametrize("stage", [Stage.DECLINED, Stage.CANCELLED])
def test_a_declined_or_cancelled_deal_leaves_from_its_day_on(stage):
    deal = make_deal(make_project(), BANK, agreed_wan="500", paid={JAN: "200"})
    set_terms(deal, stage=stage, agreed_wan="500", on=date(2022, 3, 10))
    assert landing(AsOf(FEB))[0].landed_wan == 500
    assert landing(AsOf(MAR))[0].landed_wan == 0


@pytest.mark.parametrize("stage", [Stage.ACKNOWLEDGED, Stage.CONTACTED])
def test_stages_before_intent_count_nowhere(stage):
    make_deal(make_project(), BANK, agreed_wan="500", stage=stage)
    total, rows = landing(AsOf(FEB))
    assert total.landed_deals == 0
    assert rows == {}


@pytest.mark.parametrize("stage", [Stage.INTENDED, Stage.APPROVED, Stage.SIGNED])
def test_agreed_stages_count_as_intent(stage):
    make_deal(make_project(), BANK, agreed_wan="500", stage=stage)
    assert landing(AsOf(FEB))[0].intended_wan == 500


def test_deals_of_a_project_that_does_not_count_yet_are_left_out():
    late = make_project(counts_from=date(2022, 3, 1))
    make_deal(late, BANK, paid={JAN: "100"}, stage=Stage.DISBURSED)
    assert landing(AsOf(FEB))[0].landed_deals == 0
    assert landing(AsOf(MAR))[0].disbursed_wan == 100


def test_a_branch_counts_with_its_parent():
    make_deal(make_project(), "邮储银行岳普湖县支行", paid={FEB: "2"}, stage=Stage.DISBURSED)
    make_deal(make_project(), "邮储银行", agreed_wan="3")
    rows = by_name()
    assert list(rows) == ["邮储银行"]
    assert (rows["邮储银行"].disbursed_wan, rows["邮储银行"].intended_wan) == (2, 3)


def test_sums_of_many_small_amounts_are_exact():
    for _ in range(30):
        make_deal(make_project(), BANK, paid={FEB: "0.1001"}, stage=Stage.DISBURSED)
    assert landing(AsOf(FEB))[0].disbursed_wan == Decimal("3.0030")


def test_what_is_recorded_later_is_unknown_to_an_earlier_moment():
    deal = make_deal(make_project(), BANK, agreed_wan="500")
    known_at = recording_moment()
    pay(deal, "100", JAN)
    set_terms(deal, stage=Stage.APPROVED, agreed_wan="900", on=JAN)
    assert landing(AsOf(FEB))[0].landed_wan == 900
    assert landing(AsOf(FEB))[0].disbursed_wan == 100
    then, _ = landing(AsOf(FEB, known_at))
    assert (then.intended_wan, then.disbursed_wan) == (500, 0)


def test_a_late_report_for_february_does_not_undo_what_march_said():
    deal = make_deal(make_project(), BANK, agreed_wan="500", on=JAN)
    set_terms(deal, stage=Stage.APPROVED, agreed_wan="900", on=MAR)
    set_terms(deal, stage=Stage.INTENDED, agreed_wan="700", on=FEB)
    amounts = [landing(AsOf(day))[0].intended_wan for day in (JAN, FEB, MAR)]
    assert amounts == [500, 700, 900]


def test_detail_lists_the_deals_behind_the_sums():
    make_deal(
        make_project("棉花"), BANK, agreed_wan="500", paid={JAN: "200"}, stage=Stage.DISBURSED
    )
    make_deal(make_project(), OTHER, agreed_wan="1", stage=Stage.CONTACTED)
    (entry,) = landed_deals(AsOf(FEB))
    assert entry["project"] == "棉花"
    assert (entry["agreed_wan"], entry["paid_wan"], entry["rest_wan"]) == ("500", "200", "300")
    assert entry["last_paid_on"] == "2022-01-31"


def test_a_nil_return_is_a_report_and_silence_is_none():
    report("国家开发银行", date(2022, 2, 1), is_nil=True)
    report("邮储银行岳普湖县支行", date(2022, 2, 1))
    report("中国银行", date(2022, 1, 1))
    names = {str(head): head.pk for head in active_heads(FEB)}
    found = reported_institutions(AsOf(FEB))
    assert found == {names["国家开发银行"]: True, names["邮储银行"]: False}


def test_funnel_counts_projects_that_reached_a_stage_or_went_beyond():
    one, two = make_project(demand_wan="100"), make_project(demand_wan="200")
    make_referral(one, BANK, stage=Stage.PUSHED)
    make_referral(one, OTHER, stage=Stage.SIGNED)
    make_referral(two, BANK, stage=Stage.ACKNOWLEDGED)
    steps = {step.stage: (step.projects, step.demand_wan) for step in funnel(AsOf(FEB))}
    assert steps[Stage.PUSHED] == (2, 300)
    assert steps[Stage.ACKNOWLEDGED] == (2, 300)
    assert steps[Stage.INTENDED] == (1, 100)
    assert steps[Stage.DISBURSED] == (0, 0)
