"""The pages and the API of referrals and returns, as a person and as a system use them."""

import io
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from accounts.models import User
from common.excel import find_table
from common.months import local_today
from common.names import name_key
from institutions.models import Institution
from projects.models import ImportedFile, Project
from referrals.importing.columns import COLUMNS
from referrals.lifecycle import Stage
from referrals.models import Deal, Disbursement, MonthlyReturn, Referral
from referrals.services import import_progress
from tests import factories
from tests.factories import make_deal, make_referral, report
from tests.progress_files import BANK, line, progress

pytestmark = pytest.mark.django_db

ClientOf = Callable[[User], Client]
FEBRUARY = date(2022, 2, 1)
MARCH = date(2022, 3, 1)
PUSHED_ON = date(2022, 1, 5)


def make_project(name: str, **facts: Any) -> Project:
    project = factories.make_project(name, **facts)
    project.name_key = name_key(name)
    project.save(update_fields=["name_key"])
    return project


@pytest.fixture
def pushed(register: None) -> Referral:
    return make_referral(make_project("示例冷链项目", demand_wan="9000"), BANK, on=PUSHED_ON)


def page(client: Client, name: str, *args: Any, **query: Any) -> str:
    response = client.get(reverse(name, args=args), query)
    assert response.status_code == 200, response.content.decode()[:2000]
    return response.content.decode()


def post_move(client: Client, referral: Referral, action: str, **said: Any) -> Any:
    said = {"action": action, "occurred_on": "2022-02-10"} | said
    return client.post(reverse("referral_move", args=[referral.pk]), said, follow=False)


# --- The list -------------------------------------------------------------------------------------


def test_a_bank_sees_what_is_pushed_to_it_and_can_sign_at_once(
    pushed: Referral, bank_clerk: User, client_of: ClientOf
):
    make_referral(make_project("别家的项目"), "中国工商银行")
    client = client_of(bank_clerk)
    text = page(client, "referrals")
    assert "示例冷链项目" in text
    assert "别家的项目" not in text
    assert "9,000" in text
    assert "1 个待签收" in text
    response = post_move(client, pushed, "acknowledge", from_list="1", key="once")
    assert response.url == reverse("referrals")
    pushed.refresh_from_db()
    assert pushed.stage == "acknowledged"


def test_the_bureau_sees_all_and_a_county_its_own(
    pushed: Referral, bureau: User, county_clerk: User, leader: User, client_of: ClientOf
):
    make_referral(make_project("莎车的项目", county="莎车县"), "中国工商银行")
    for person in (bureau, leader):
        text = page(client_of(person), "referrals")
        assert "示例冷链项目" in text
        assert "莎车的项目" in text
        assert 'name="institution"' in text
    text = page(client_of(county_clerk), "referrals")
    assert "示例冷链项目" in text
    assert "莎车的项目" not in text


def test_the_list_is_narrowed_and_sorted_in_the_database(bureau: User, client_of: ClientOf):
    for name, amount, paid in (("甲", "500", "100"), ("乙", "900", None), ("丙", "700", "650")):
        payments = {date(2022, 2, 2): paid} if paid else {}
        make_deal(make_project(f"项目{name}"), BANK, agreed_wan=amount, paid=payments)
    make_referral(make_project("项目丁", county="莎车县"), "中国工商银行")
    client = client_of(bureau)

    def order(**query: Any) -> str:
        text = page(client, "referrals", **query)
        places = {one: text.find(f"项目{one}<") for one in "甲乙丙丁"}
        return "".join(sorted((one for one in places if places[one] > 0), key=places.__getitem__))

    assert order(sort="agreed") == "甲丙乙丁"
    assert order(sort="-agreed") == "乙丙甲丁"
    assert order(sort="-paid")[:2] == "丙甲"
    assert order(stage="pushed") == "丁"
    assert order(region="653125") == "丁"
    assert order(institution="icbc") == "丁"
    assert order(q="项 目乙") == "乙"
    assert "没有符合条件的对接" in page(client, "referrals", q="没有")


@pytest.mark.parametrize("name", ["referrals", "api_referrals"])
def test_the_list_asks_as_often_for_twenty_rows_as_for_two(
    name: str, bureau: User, client_of: ClientOf
):
    client = client_of(bureau)

    def queries(rows: int) -> int:
        for number in range(rows):
            payments = {date(2022, 2, 2): "5"}
            make_deal(make_project(f"{rows}号{number}"), BANK, agreed_wan="10", paid=payments)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(reverse(name)).status_code == 200
        return len(captured)

    queries(1)  # the session and the sector are asked for once
    assert queries(2) == queries(20)


def test_declined_deals_count_in_neither_amount_of_the_list(pushed: Referral):
    make_deal(pushed.project, BANK, agreed_wan="700", voucher_no="A", paid={PUSHED_ON: "70"})
    dead = make_deal(pushed.project, BANK, agreed_wan="900", voucher_no="B", paid={PUSHED_ON: "90"})
    factories.set_terms(dead, stage=Stage.DECLINED, agreed_wan="900", on=MARCH)
    row: Any = Referral.objects.all().with_amounts(local_today()).get()
    assert (row.demand_wan, row.agreed_wan, row.paid_wan) == (9000, 700, 70)


# --- One referral ---------------------------------------------------------------------------------


def test_the_page_offers_the_next_step_first_and_shows_what_happened(
    pushed: Referral, bank_clerk: User, client_of: ClientOf
):
    client = client_of(bank_clerk)
    text = page(client, "referral", pushed.pk)
    assert 'value="acknowledge"' in text
    assert "登记投放" in text
    assert "撤回" not in text
    post_move(client, pushed, "intend", intended_wan="6,000", note="口头意向")
    post_move(
        client,
        pushed,
        "disburse",
        paid_wan="0.15亿元",
        occurred_on="2022-03-03",
        rate_pct="3.72%",
        term_months="5年",
        voucher_no="ＳＬ－１ ",
        deal=Deal.objects.get().pk,
    )
    deal = Deal.objects.get()
    assert (deal.voucher_no, deal.rate_pct, deal.term_months) == ("SL-1", Decimal("3.72"), 60)
    assert (deal.disbursements.get().amount_wan, deal.disbursements.get().paid_on) == (
        Decimal(1500),
        date(2022, 3, 3),
    )
    text = page(client, "referral", pushed.pk)
    for shown in ("6,000", "1,500", "4,500", "SL-1", "口头意向", "3.72"):
        assert shown in text


def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(
    pushed: Referral, bank_clerk: User, client_of: ClientOf
):
    client = client_of(bank_clerk)
    response = post_move(
        client, pushed, "disburse", paid_wan="两千", voucher_no="SL-9", note="第一次"
    )
    text = response.content.decode()
    assert response.status_code == 422
    assert "读不出金额" in text
    assert 'value="两千"' in text
    assert 'value="SL-9"' in text
    assert "第一次" in text
    tomorrow = (local_today() + timedelta(days=1)).isoformat()
    response = post_move(client, pushed, "disburse", paid_wan="5", occurred_on=tomorrow)
    assert response.status_code == 422
    assert "还没有到" in response.content.decode()
    assert not Deal.objects.exists()


def test_a_double_click_is_one_payment(pushed: Referral, bank_clerk: User, client_of: ClientOf):
    client = client_of(bank_clerk)
    for _ in range(2):
        response = post_move(client, pushed, "disburse", paid_wan="300", key="form-7")
        assert response.status_code == 302
    assert Disbursement.objects.count() == 1
    second = make_referral(make_project("另一个"), BANK)
    for _ in range(2):  # a move that is no longer offered after the first click
        response = post_move(client, second, "acknowledge", key="form-8")
        assert response.status_code == 302


def test_a_move_that_is_not_possible_says_why(
    pushed: Referral, bank_clerk: User, bureau: User, client_of: ClientOf
):
    client = client_of(bank_clerk)
    post_move(client, pushed, "disburse", paid_wan="300")
    response = post_move(client, pushed, "acknowledge")
    assert response.status_code == 409
    assert "现在是“已投放”，不能“签收”" in response.content.decode()
    assert post_move(client, pushed, "cancel", note="x").status_code == 403
    assert post_move(client, pushed, "nonsense").status_code == 422


def test_a_strangers_referral_is_not_there(
    pushed: Referral,
    other_bank_clerk: User,
    county_clerk: User,
    leader: User,
    client_of: ClientOf,
):
    stranger = client_of(other_bank_clerk)
    assert stranger.get(reverse("referral", args=[pushed.pk])).status_code == 404
    assert post_move(stranger, pushed, "acknowledge").status_code == 404
    for person in (county_clerk, leader):
        text = page(client_of(person), "referral", pushed.pk)
        assert "登记进展" not in text
        assert post_move(client_of(person), pushed, "acknowledge").status_code == 403
    pushed.refresh_from_db()
    assert pushed.stage == "pushed"


def test_with_two_deals_the_form_asks_which(
    pushed: Referral, bank_clerk: User, client_of: ClientOf
):
    first = make_deal(pushed.project, BANK, agreed_wan="500", stage=Stage.SIGNED, voucher_no="A")
    make_deal(pushed.project, BANK, agreed_wan="600", stage=Stage.SIGNED, voucher_no="B")
    Referral.objects.filter(pk=pushed.pk).update(stage=Stage.SIGNED)
    client = client_of(bank_clerk)
    text = page(client, "referral", pushed.pk, do="disburse")
    assert "A（已签约，约定 500 万元）" in text
    assert "新的一笔" in text
    response = post_move(client, pushed, "disburse", paid_wan="5")
    assert response.status_code == 422
    post_move(client, pushed, "disburse", paid_wan="5", deal=first.pk)
    assert first.disbursements.get().amount_wan == Decimal(5)


def test_amounts_beyond_the_demand_are_pointed_out(
    pushed: Referral, bank_clerk: User, client_of: ClientOf
):
    make_deal(pushed.project, "中国工商银行", agreed_wan="8888", on=PUSHED_ON)
    response = client_of(bank_clerk).post(
        reverse("referral_move", args=[pushed.pk]),
        {"action": "intend", "occurred_on": "2022-02-10", "intended_wan": "500"},
        follow=True,
    )
    text = response.content.decode()
    assert "金额合计已超过融资需求 9000 万元" in text
    assert "8888" not in text


def test_the_page_needs_no_script_and_carries_none(
    pushed: Referral, bank_clerk: User, client_of: ClientOf
):
    text = page(client_of(bank_clerk), "referral", pushed.pk)
    main = text[text.index("<main") : text.index("</main>")]
    assert "<script" not in main
    assert "style=" not in main
    assert " onclick" not in main


# --- Returns --------------------------------------------------------------------------------------


def test_a_bank_sees_which_months_it_owes(bank_clerk: User, client_of: ClientOf):
    report(BANK, date(2021, 12, 1))
    report(BANK, FEBRUARY, is_nil=True)
    text = page(client_of(bank_clerk), "returns", month="2022-03")
    states = {
        month: text[text.index(month) :].split("</tr>")[0]
        for month in ("2022年3月", "2022年2月", "2022年1月", "2021年12月")
    }
    assert "未报送" in states["2022年3月"]
    assert "零报告" in states["2022年2月"]
    assert "未报送" in states["2022年1月"]
    assert "已报" in states["2021年12月"]
    assert "2021年11月" not in text  # before anybody reported nothing was owed


def test_a_nil_return_by_one_click_and_its_refusal(
    pushed: Referral, bank_clerk: User, client_of: ClientOf
):
    client = client_of(bank_clerk)
    post_move(client, pushed, "intend", intended_wan="5")
    said = {"month": "2022-02", "kind": "nil", "institution": "kashgar-rcb"}
    response = client.post(reverse("return_submit"), said)
    assert response.status_code == 422
    assert "示例冷链项目 2022-02-10 达成意向" in response.content.decode()
    assert client.post(reverse("return_submit"), said | {"kind": "moved"}).status_code == 302
    assert client.post(reverse("return_submit"), said | {"month": "2022-03"}).status_code == 302
    found = MonthlyReturn.objects.order_by("month").values_list("month", "is_nil")
    assert list(found) == [(FEBRUARY, False), (MARCH, True)]


def test_a_bank_cannot_report_for_another(bank_clerk: User, client_of: ClientOf):
    said = {"month": "2022-02", "kind": "nil", "institution": "icbc"}
    assert client_of(bank_clerk).post(reverse("return_submit"), said).status_code == 422
    assert not MonthlyReturn.objects.exists()


def test_the_bureau_sees_all_institutions_side_by_side_and_reports_for_one(
    bureau: User, client_of: ClientOf
):
    report("中国工商银行", FEBRUARY)
    report("邮储银行岳普湖县支行", FEBRUARY, is_nil=True)
    client = client_of(bureau)
    text = page(client, "returns", month="2022-02")
    assert "2022年2月：1 家已报，1 家零报告，" in text
    row = text[text.index("邮储银行") :].split("</tr>")[0]
    assert "零报告" in row  # a branch reports for its parent
    said = {"month": "2022-02", "kind": "nil", "institution": "cdb"}
    assert client.post(reverse("return_submit"), said).status_code == 302
    assert str(MonthlyReturn.objects.latest("pk").institution) == "国家开发银行"


def upload(client: Client, content: bytes, month: str = "2022-02", name: str = "表.xlsx") -> Any:
    file = SimpleUploadedFile(name, content)
    return client.post(reverse("return_upload"), {"month": month, "file": file})


def token_of(url: str) -> str:
    return url.rsplit("=", 1)[1]


def test_a_workbook_is_previewed_and_saved_only_when_confirmed(
    pushed: Referral, bank_clerk: User, client_of: ClientOf, settings: Any, tmp_path: Path
):
    settings.MEDIA_ROOT = tmp_path
    client = client_of(bank_clerk)
    url = upload(client, progress(line("示例冷链项目", "达成意向", 意向金额=6000))).url
    text = client.get(url).content.decode()
    assert "还没有保存" in text
    assert "6,000" in text
    assert not Deal.objects.exists()
    token = token_of(url)
    assert client.post(reverse("return_confirm"), {"token": token}).status_code == 302
    assert Deal.objects.get().referral == pushed
    assert MonthlyReturn.objects.get().received_by == bank_clerk
    assert ImportedFile.objects.get().file_name == "表.xlsx"
    assert client.post(reverse("return_confirm"), {"token": token}).status_code == 404
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_refused_workbook_shows_every_error_and_cannot_be_confirmed(
    pushed: Referral, bank_clerk: User, client_of: ClientOf, settings: Any, tmp_path: Path
):
    settings.MEDIA_ROOT = tmp_path
    client = client_of(bank_clerk)
    content = progress(line("示例冷链项目", "达成意向"), line("没有的项目", "已签收"))
    url = upload(client, content).url
    text = client.get(url).content.decode()
    assert "有 2 处错误" in text
    assert "确认报送" not in text
    response = client.post(reverse("return_confirm"), {"token": token_of(url)})
    assert response["Location"] == url
    assert not ImportedFile.objects.exists()
    assert client.post(reverse("return_discard"), {"token": token_of(url)}).status_code == 302
    assert client.get(url).status_code == 404


def test_a_staged_file_is_its_owners(
    pushed: Referral,
    bank_clerk: User,
    other_bank_clerk: User,
    bureau: User,
    client_of: ClientOf,
    settings: Any,
    tmp_path: Path,
):
    settings.MEDIA_ROOT = tmp_path
    url = upload(client_of(bank_clerk), progress(line("示例冷链项目", "已签收"))).url
    for person in (other_bank_clerk, bureau):
        client = client_of(person)
        assert client.get(url).status_code == 404
        answer = client.post(reverse("return_confirm"), {"token": token_of(url)})
        assert answer.status_code == 404
    for wrong in ("../../x", "0" * 32, "", "..%2f"):
        answer = client_of(bank_clerk).get(reverse("return_preview"), {"token": wrong})
        assert answer.status_code in (404, 422)
    assert not MonthlyReturn.objects.exists()


def test_a_file_or_a_month_that_is_missing_is_asked_for(bank_clerk: User, client_of: ClientOf):
    client = client_of(bank_clerk)
    response = client.post(reverse("return_upload"), {"month": "2999-12"})
    text = response.content.decode()
    assert response.status_code == 422
    assert "请选择进展表文件" in text
    assert "2999年12月不能报送" in text


def test_the_template_carries_the_last_state_and_comes_back_unchanged(
    pushed: Referral, bank_clerk: User, client_of: ClientOf
):
    make_referral(make_project("=HYPERLINK(1)"), BANK, stage=Stage.CONTACTED, on=PUSHED_ON)
    paid_project = make_project("已投放的项目", demand_wan="9000")
    import_progress(
        source=progress(
            line(
                "已投放的项目",
                "已投放",
                授信金额=800,
                累计投放金额=300,
                投放日期="2022-02-03",
                凭证号="V-1",
                执行利率=3.5,
                期限=36,
            ),
            line("已投放的项目", "达成意向", 意向金额=50),
        ),
        file_name="x",
        month=FEBRUARY,
        by=bank_clerk,
    )
    client = client_of(bank_clerk)
    query = {"month": "2022-03", "institution": "kashgar-rcb"}
    response = client.get(reverse("return_template"), query)
    assert "attachment" in response["Content-Disposition"]
    sheet = load_workbook(io.BytesIO(response.content)).active
    assert sheet is not None
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n"}
    table = find_table(response.content, COLUMNS, required=("project", "stage"))
    rows = {(r.cell("project").text, r.cell("voucher_no").text): r for r in table.rows}
    assert set(rows) == {
        ("示例冷链项目", ""),
        ("=HYPERLINK(1)", ""),
        ("已投放的项目", "V-1"),
        ("已投放的项目", ""),
    }
    paid = rows["已投放的项目", "V-1"]
    shown = [paid.cell(key).text for key in ("project_code", "stage", "approved_wan", "total_wan")]
    assert shown == [paid_project.code, "已投放", "800", "300"]
    assert rows["示例冷链项目", ""].cell("unchanged").text == "是"
    again = import_progress(source=response.content, file_name="t.xlsx", month=MARCH, by=bank_clerk)
    assert (again.errors, again.warnings) == ([], [])
    assert (again.rows, again.unchanged) == (4, 4)
    assert client.get(reverse("return_template"), {"month": "x"}).status_code == 422
    foreign = client.get(reverse("return_template"), query | {"institution": "icbc"})
    assert foreign.status_code == 422


# --- API ------------------------------------------------------------------------------------------


def test_the_api_lists_and_shows_what_the_page_shows(
    pushed: Referral, bank_clerk: User, other_bank_clerk: User, client_of: ClientOf
):
    deal = make_deal(
        pushed.project, BANK, agreed_wan="700", stage=Stage.SIGNED, paid={FEBRUARY: "70.5"}
    )
    Referral.objects.filter(pk=pushed.pk).update(stage=Stage.SIGNED)
    client = client_of(bank_clerk)
    found = client.get(reverse("api_referrals"), {"stage": "signed"}).json()
    assert found["count"] == 1
    row = found["results"][0]
    assert (row["project"], row["stage_label"], row["demand_wan"], row["paid_wan"]) == (
        "示例冷链项目",
        "已签约",
        "9000.0000",
        "70.5000",
    )
    detail = client.get(reverse("api_referral", args=[pushed.pk])).json()
    assert detail["deals"] == [
        {
            "id": deal.pk,
            "voucher_no": "",
            "stage": "signed",
            "stage_label": "已签约",
            "intended_wan": "700.0000",
            "approved_wan": None,
            "agreed_wan": "700.0000",
            "paid_wan": "70.5000",
            "rest_wan": "629.5000",
            "rate_pct": None,
            "term_months": None,
        }
    ]
    assert detail["actions"] == ["intend", "approve", "sign", "disburse", "decline"]
    stranger = client_of(other_bank_clerk)
    assert stranger.get(reverse("api_referrals")).json()["count"] == 0
    assert stranger.get(reverse("api_referral", args=[pushed.pk])).status_code == 404


def test_the_api_moves_by_the_same_rules(
    pushed: Referral,
    bank_clerk: User,
    other_bank_clerk: User,
    leader: User,
    client_of: ClientOf,
):
    url = reverse("api_referral_move", args=[pushed.pk])

    def move(person: User, **said: Any) -> Any:
        said = {"action": "disburse", "occurred_on": "2022-02-10"} | said
        return client_of(person).post(url, said, content_type="application/json")

    assert move(other_bank_clerk, paid_wan="5").status_code == 404
    assert move(leader, paid_wan="5").status_code == 403
    missing = move(bank_clerk)
    assert missing.status_code == 422
    assert "投放金额" in missing.json()["error"]["message"]
    assert move(bank_clerk, occurred_on="gestern", paid_wan="5").status_code == 400
    for _ in range(2):
        done = move(bank_clerk, paid_wan="5", key="k-1")
        assert done.status_code == 200
        assert done.json()["stage"] == "disbursed"
    assert Disbursement.objects.get().amount_wan == Decimal(5)
    refused = move(bank_clerk, action="acknowledge")
    assert refused.status_code == 409
    assert refused.json()["error"]["code"] == "illegal_move"


def test_a_bank_with_a_branch_sees_both(bank_clerk: User, client_of: ClientOf, register: None):
    parent = Institution.objects.get(short_name="邮储银行")
    bank_clerk.membership.institution = parent
    bank_clerk.membership.save(update_fields=["institution"])
    make_referral(make_project("支行的项目"), "邮储银行岳普湖县支行")
    text = page(client_of(bank_clerk), "referrals")
    assert "支行的项目" in text
    assert "邮储银行岳普湖县支行" in text


def test_a_projects_page_names_its_institutions_to_whom_they_concern(
    client_of: Callable[[User], Client],
    bureau: User,
    bank_clerk: User,
    other_bank_clerk: User,
    pushed: Referral,
):
    factories.make_referral(pushed.project, "中国工商银行", stage=Stage.SIGNED)
    address = reverse("project", args=[pushed.project.code])
    whole = client_of(bureau).get(address).content.decode()
    assert whole.index("中国工商银行") < whole.index(BANK)  # the furthest first
    own = client_of(other_bank_clerk).get(address).content.decode()
    assert "中国工商银行" in own
    assert BANK not in own
