"""Freezing a bulletin, its snapshot and its text. Expectations are worked out by hand."""

import json
from datetime import date, datetime
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from common.errors import InvalidInput, NotAllowed, NotFound
from common.models import AuditRecord, Job
from common.money import show_yi
from common.months import next_month
from institutions.models import Institution
from referrals.lifecycle import Stage
from referrals.models import Disbursement
from reports.models import Bulletin, CountingRules
from reports.rules import current_rules, rules_of
from reports.services import (
    draft_document,
    find_document,
    freeze_bulletin,
    recompute,
    request_bulletin,
    request_due_bulletin,
)
from reports.snapshot import as_interface
from reports.tasks import make_bulletin
from tests.factories import make_deal, make_project, pay, report, set_terms

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("register")]

FEB, FEB_END = date(2022, 2, 1), date(2022, 2, 28)
MAR = date(2022, 3, 1)


def draft(month: date = FEB) -> dict:
    return as_interface(draft_document(month=month).snapshot)


def text_of(snapshot: dict) -> str:
    return "\n".join(snapshot["narrative"])


def paid(institution: str, amount_wan: str, **options) -> None:
    make_deal(
        make_project(demand_wan="50000"),
        institution,
        paid={FEB_END: amount_wan},
        stage=Stage.DISBURSED,
        **options,
    )


def test_amounts_are_rounded_once_from_the_exact_sum():
    # Each alone would print as 0.00 亿元; together they are 88 万元 = 0.0088 亿元.
    paid("中国银行", "44")
    paid("建设银行", "44")
    found = draft()["disbursed"]
    assert found["amount_yi"] == "0.01"
    assert [row["amount_yi"] for row in found["institutions"]] == ["44万元", "44万元"]


def test_rows_that_add_up_to_more_than_the_total_are_called_a_rounding_difference():
    for institution in ("中国银行", "建设银行", "农业银行"):
        paid(institution, "1050")
    snapshot = draft()
    assert [row["amount_yi"] for row in snapshot["disbursed"]["institutions"]] == ["0.11"] * 3
    assert snapshot["disbursed"]["amount_yi"] == "0.32"
    (line,) = [c for c in snapshot["checks"] if c["name"].startswith("各机构投放")]
    assert (line["parts"], line["whole"], line["difference"]) == ("0.33", "0.32", "0.01")
    assert line["verdict"] == "rounding"


def test_shares_are_computed_each_from_exact_sums():
    make_project(demand_wan="2000")
    make_deal(make_project(demand_wan="1000"), "中国银行", agreed_wan="100")
    paid_project = make_project(demand_wan="3000")
    make_deal(paid_project, "建设银行", paid={FEB_END: "100"}, stage=Stage.DISBURSED)
    snapshot = draft()
    # 100 / 6000 = 1.666… twice; together 3.333…, not 1.67 + 1.67.
    assert snapshot["disbursed"]["share_pct"] == snapshot["intended"]["share_pct"] == "1.67"
    assert snapshot["landed"]["share_pct"] == "3.33"


def test_without_any_demand_there_is_no_share_and_no_error():
    snapshot = draft()
    assert snapshot["landed"]["share_pct"] is None
    assert snapshot["demand"]["amount_yi"] == "0.00"
    assert len(snapshot["without_any"]) == 27
    assert "没有" in text_of(snapshot)


def test_institutions_stand_by_amount_and_equal_amounts_in_register_order():
    paid("建设银行", "500")
    paid("中国银行", "700")
    paid("农业银行", "500")
    names = [row["name"] for row in draft()["disbursed"]["institutions"]]
    order = dict(Institution.objects.values_list("short_name", "display_order"))
    assert names[0] == "中国银行"
    assert names[1:] == sorted(["建设银行", "农业银行"], key=order.__getitem__)


def test_concentrated_and_sporadic_go_by_the_set_amount_banks_before_cooperatives():
    paid("疏附县信用联社", "20000")
    paid("建设银行", "10000")
    paid("中国银行", "9999.9999")
    paid("昆仑银行", "1")
    paid("昆仑银行", "1")
    paid("伽师县信用联社", "5000")
    snapshot = draft()
    assert snapshot["concentrated"]["disbursed"] == ["建设银行", "疏附县信用联社"]
    assert snapshot["sporadic"]["disbursed"] == ["昆仑银行", "中国银行", "伽师县信用联社"]
    assert snapshot["concentrated"]["intended"] == snapshot["sporadic"]["intended"] == []


def test_nothing_landed_and_not_reported_are_kept_apart():
    report("国家开发银行", FEB, is_nil=True)
    paid("中国银行", "10")
    snapshot = draft()
    assert "国家开发银行" in snapshot["without_any"]
    assert "国家开发银行" not in snapshot["not_reported"]
    assert "中国银行" in snapshot["not_reported"]
    lagging = {row["institution"]: row["rules"] for row in snapshot["lagging"]}
    assert [rule["rule"] for rule in lagging["国家开发银行"]] == ["no_deal"]
    assert [rule["rule"] for rule in lagging["中国银行"]] == ["not_reported"]
    assert {"rule": "no_deal", "figure": "0", "threshold": "1"} in lagging["农业银行"]


def test_banks_and_cooperatives_are_counted_apart_in_the_text():
    paid("喀什农商银行", "10")
    paid("疏附县信用联社", "10")
    text = text_of(draft())
    assert "累计1家银行、1家联社已成功投放贷款项目2个2笔" in text


def test_every_figure_of_the_text_is_the_figure_of_its_cell():
    paid("中国银行", "70000")
    make_deal(make_project(), "建设银行", agreed_wan="900", paid={FEB_END: "30"})
    snapshot = draft_document(month=FEB).snapshot
    bound = [part for p in snapshot["narrative"] for part in p["parts"] if "ref" in part]
    assert len(bound) > 20
    for part in bound:
        value = snapshot
        for step in part["ref"].split("."):
            value = (
                next(row for row in value if step in (row.get("key"), row.get("code")))
                if isinstance(value, list)
                else value[step]
            )
        shown = str(len(value)) if isinstance(value, list) else str(value)
        digits = part["text"].rstrip("%").removesuffix("亿元").removesuffix("万元")
        assert Decimal(digits) == Decimal(shown.removesuffix("万元")), part


def test_the_text_says_how_many_stand_in_both_stages_only_when_some_do():
    deal = make_deal(make_project(), "中国银行", agreed_wan="900")
    assert "同时计入" not in text_of(draft())
    pay(deal, "30", FEB_END)
    assert "同时计入两个阶段的有1个项目、1笔" in text_of(draft())


def test_a_frozen_bulletin_stays_whatever_is_recorded_later(bureau):
    deal = make_deal(make_project(demand_wan="5000"), "中国银行", agreed_wan="900")
    frozen = freeze_bulletin(month=FEB, by=bureau)
    pay(deal, "400", date(2022, 2, 20))
    set_terms(deal, stage=Stage.APPROVED, agreed_wan="1200", on=date(2022, 2, 1))
    make_project(demand_wan="70000")
    report("中国银行", FEB)
    assert freeze_bulletin(month=FEB, by=bureau).pk == frozen.pk
    shown = find_document(month=FEB, by=bureau)
    assert shown.digest == frozen.digest
    assert shown.snapshot["intended"]["amount_yi"] == "0.09"
    assert draft()["landed"]["amount_yi"] == "0.12"
    # And it can be computed again from the records, to the last digit.
    assert recompute(Bulletin.objects.get(pk=frozen.pk)) == []


def test_a_payment_of_march_changes_march_and_not_february(bureau):
    deal = make_deal(make_project(demand_wan="5000"), "中国银行", agreed_wan="900")
    february = freeze_bulletin(month=FEB, by=bureau)
    pay(deal, "900", date(2022, 3, 5))
    march = freeze_bulletin(month=MAR, by=bureau)
    assert march.snapshot["disbursed"]["amount_wan"] == "900"
    assert march.snapshot["intended"]["deals"] == 0
    assert recompute(february) == []
    assert draft(FEB)["disbursed"]["deals"] == 0


def test_new_counting_rules_do_not_touch_what_was_frozen_by_the_old_ones(bureau):
    paid("中国银行", "5000")
    frozen = freeze_bulletin(month=FEB, by=bureau)
    old = current_rules()
    CountingRules.objects.create(
        version=2,
        values=old.values | {"sporadic_below_wan": "1000"},
        reason="试验",
        created_by=bureau,
    )
    assert draft()["concentrated"]["disbursed"] == ["中国银行"]
    assert recompute(frozen) == []


def test_recomputing_names_what_was_changed_behind_the_records_back(bureau):
    paid("中国银行", "5000")
    frozen = freeze_bulletin(month=FEB, by=bureau)
    Disbursement.objects.update(amount_wan=5001)
    parts = recompute(frozen)
    assert {"landed", "disbursed", "detail"} <= set(parts)
    assert "demand" not in parts


def test_a_correction_is_a_further_revision_with_a_reason(bureau):
    deal = make_deal(make_project(), "中国银行", agreed_wan="900")
    first = freeze_bulletin(month=FEB, by=bureau)
    pay(deal, "400", FEB_END)
    second = freeze_bulletin(month=FEB, by=bureau, reason="中国银行补报一笔投放")
    assert (second.revision, second.reason) == (2, "中国银行补报一笔投放")
    assert second.snapshot["disbursed"]["amount_wan"] == "400"
    first.refresh_from_db()
    assert first.snapshot["disbursed"]["amount_wan"] == "0"
    assert find_document(month=FEB, by=bureau).revision == 2
    assert find_document(month=FEB, by=bureau, revision=1).digest == first.digest
    record = AuditRecord.objects.filter(action="reports.freeze_bulletin").latest("pk")
    assert record.before == {"digest": first.digest}
    assert record.reason == "中国银行补报一笔投放"


def test_only_the_bureau_makes_bulletins(bank_clerk, leader, county_clerk):
    for person in (bank_clerk, leader, county_clerk):
        with pytest.raises(NotAllowed):
            freeze_bulletin(month=FEB, by=person)
    assert not Bulletin.objects.exists()


def test_a_month_that_has_not_ended_is_refused(bureau):
    this_month = timezone.localdate().replace(day=1)
    for month in (this_month, next_month(this_month)):
        with pytest.raises(InvalidInput, match="尚未结束"):
            freeze_bulletin(month=month, by=bureau)


def test_a_month_without_a_bulletin_is_not_found(bureau):
    with pytest.raises(NotFound, match="2022年2月"):
        find_document(month=FEB, by=bureau)


def test_the_job_makes_the_bulletin_and_shows_where_it_is(
    bureau, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        job = request_bulletin(month=FEB, by=bureau)
    job.refresh_from_db()
    assert job.state == "succeeded"
    assert job.result["url"] == "/bulletins/2022-02/"
    assert job.percent == 100
    assert Bulletin.objects.of_month(FEB).count() == 1


def test_asking_twice_for_the_same_month_gives_the_same_job(bureau):
    assert request_bulletin(month=FEB, by=bureau) == request_bulletin(month=FEB, by=bureau)


def test_the_job_may_run_twice(bureau):
    job = request_bulletin(month=FEB, by=bureau)
    make_bulletin.delay(job.pk)
    Job.objects.filter(pk=job.pk).update(state="queued", finished_at=None)
    make_bulletin.delay(job.pk)
    assert Bulletin.objects.of_month(FEB).count() == 1


def test_the_schedule_asks_for_last_month_from_its_day_on_and_once(bureau):
    day = rules_of(current_rules()).bulletin_day
    assert request_due_bulletin(today=date(2022, 3, day - 1), by=bureau) is None
    job = request_due_bulletin(today=date(2022, 3, day), by=bureau)
    assert job is not None
    assert job.arguments["month"] == "2022-02"
    freeze_bulletin(month=FEB, by=bureau)
    assert request_due_bulletin(today=date(2022, 3, day + 1), by=bureau) is None


def test_rules_that_leave_a_gap_between_bands_are_refused():
    row = current_rules()
    row.values["bands"][1]["below_wan"] = "29000"
    with pytest.raises(InvalidInput, match="首尾相接"):
        rules_of(row)


def test_frozen_at_is_the_moment_of_knowledge(bureau):
    before = timezone.now()
    bulletin = freeze_bulletin(month=FEB, by=bureau)
    assert before <= bulletin.known_at <= timezone.now()
    assert datetime.fromisoformat(bulletin.snapshot["known_at"]) == bulletin.known_at


@pytest.mark.parametrize(
    ("amount_wan", "shown"),
    [
        ("45", "45万元"),
        ("49.9999", "49.9999万元"),
        ("50", "0.01"),
        ("0", "0.00"),
        ("-30", "-30万元"),
    ],
)
def test_a_real_amount_never_shows_as_zero(amount_wan, shown):
    assert show_yi(Decimal(amount_wan)) == shown


def test_command_prints_the_draft_and_after_freezing_the_frozen(capsys, bureau):
    deal = make_deal(make_project(), "中国银行", agreed_wan="900")
    call_command("bulletin", "2022-02", "--json")
    assert '"is_frozen": false' in capsys.readouterr().out
    call_command("bulletin", "2022-02", "--json", "--freeze")
    pay(deal, "900", FEB_END)
    capsys.readouterr()
    call_command("bulletin", "2022-02", "--json", "--verify")
    frozen = json.loads(capsys.readouterr().out)
    assert frozen["is_frozen"] is True
    assert frozen["disbursed"]["projects"] == 0


@pytest.mark.parametrize("text", ["2022", "2022-13", "二月", "2022-2"])
def test_command_with_a_wrong_month_exits_with_2(text):
    with pytest.raises(CommandError) as refusal:
        call_command("bulletin", text)
    assert refusal.value.returncode == 2
