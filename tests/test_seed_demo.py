"""The demo data set: its rows by themselves, and what the command makes of them."""

import json
import shutil
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import Q, Sum
from django.test import Client
from pytest_django import DjangoDbBlocker

from accounts.choices import Role
from accounts.models import User
from common.models import AuditRecord
from institutions.models import Institution, InstitutionName, ListEdition, Membership
from institutions.services import find_institution
from projects.models import FinancingDemand, ImportedFile, Project
from projects.services import import_ledger
from referrals.lifecycle import COUNTED, Stage
from referrals.models import (
    Deal,
    DealTerms,
    Disbursement,
    MonthlyReturn,
    Referral,
    ReferralMove,
)
from referrals.services import import_progress
from reports import demo
from reports.models import Bulletin

AS_OF = date(2022, 2, 28)
PAID = "已投放"
AGREED = ("达成意向", "已授信", "已签约")
WITHOUT_AMOUNT = ("已签收", "已对接", "不予支持")

Line = dict[str, str]
Sums = dict[str, tuple[int, Decimal | int]]

# What the published report implies, in 万元, by the register's code: deals and their sum.
DISBURSED: Sums = {
    "adbc": (15, 404360),
    "kashgar-rcb": (5, 41980),
    "rcc-yuepuhu": (6, 6200),
    "rcc-shufu": (2, 2800),
    "klb": (1, 1500),
    "rcc-jiashi": (1, 1000),
    "icbc": (3, 600),
    "psbc": (1, 200),
    "rcc-shule": (2, 100),
}
INTENDED: Sums = {
    "boc": (4, 265500),
    "ccb": (10, 147200),
    "adbc": (8, 94200),
    "abc": (8, 72500),
    "kashgar-rcb": (3, 18000),
    "psbc": (1, 200),
}
NOTHING = 15
BANDS = [(30000, 24, 2879600), (5000, 58, 834700), (1000, 100, 299900), (300, 41, 32200)]
HEADS = {"psbc-yuepuhu": "psbc"}
COUNTY_OF = {
    "rcc-shufu": "疏附县",
    "rcc-shule": "疏勒县",
    "rcc-yuepuhu": "岳普湖县",
    "rcc-jiashi": "伽师县",
    "rcc-yengisar": "英吉沙县",
    "rcc-bachu": "巴楚县",
    "rcc-makit": "麦盖提县",
    "rcc-yarkant": "莎车县",
    "rcc-zepu": "泽普县",
    "rcc-yecheng": "叶城县",
    "rcc-tashkurgan": "塔什库尔干塔吉克自治县",
    "psbc-yuepuhu": "岳普湖县",
    "kashgar-rcb": "喀什市",
}


def table(path: Path, *, header_line: int = 0) -> list[Line]:
    """The rows of a text table by column, read without the code under test."""
    lines = path.read_text(encoding="utf-8").split("\n")[header_line:]
    header = lines[0].split("\t")
    cells = [line.split("\t") for line in lines[1:] if line]
    return [dict.fromkeys(header, "") | dict(zip(header, row, strict=False)) for row in cells]


LEDGER = table(demo.FOLDER / "ledger.tsv")
PUSHES = table(demo.FOLDER / "pushes.tsv")
RETURNS = {
    path.stem: table(path, header_line=2) for path in (demo.FOLDER / "returns").glob("*.tsv")
}
ROWS = [(code, row) for code, rows in RETURNS.items() for row in rows]
PROJECT = {row["项目名称"]: row for row in LEDGER}


def agreed(row: Line) -> Decimal:
    return Decimal(row["授信金额（万元）"] or row["意向金额（万元）"] or 0)


def paid(row: Line) -> Decimal:
    return Decimal(row["累计投放金额（万元）"] or 0)


def code_of(name: str) -> str:
    institution = find_institution(name)
    assert institution is not None, name
    return institution.code


def by_head(pairs: list[tuple[str, Decimal]]) -> Sums:
    """Deals and sum of each institution that the bulletin names."""
    found: dict[str, list[Decimal]] = defaultdict(list)
    for code, amount in pairs:
        found[HEADS.get(code, code)].append(amount)
    return {code: (len(amounts), sum(amounts, Decimal(0))) for code, amounts in found.items()}


class TestRows:
    """The tables, read with plain Python."""

    def test_demand_is_that_of_the_report(self) -> None:
        wan = [Decimal(row["融资需求（万元）"]) for row in LEDGER]
        assert (len(wan), sum(wan)) == (241, 4050100)
        upper = Decimal("Infinity")
        for lower, projects, amount in BANDS:
            inside = [value for value in wan if lower <= value < upper]
            assert (len(inside), sum(inside)) == (projects, amount)
            upper = Decimal(lower)

    def test_project_names_are_unique_and_plainly_fictitious(self) -> None:
        assert len(PROJECT) == len(LEDGER)
        assert all("示例" in row["项目名称"] and "示例" in row["项目单位"] for row in LEDGER)
        codes = [row["统一社会信用代码"] for row in LEDGER]
        assert all("FAKE" in code for code in codes if code)
        assert all(row["联系电话"].startswith("0998-000") for row in LEDGER)
        assert all(row["联系人"].endswith("示例") for row in LEDGER)

    def test_every_return_says_that_it_is_made_up(self) -> None:
        for path in (demo.FOLDER / "returns").glob("*.tsv"):
            assert "合成测试数据" in path.read_text(encoding="utf-8").split("\n")[0]
        vouchers = [row["凭证号"] for _, row in ROWS if row["凭证号"]]
        assert len(vouchers) == len(set(vouchers))
        assert all(voucher.startswith("SL-") for voucher in vouchers)

    def test_deals_add_up_to_the_report_by_institution(self) -> None:
        disbursed = [(code, paid(row)) for code, row in ROWS if row["进展阶段"] == PAID]
        intended = [(code, agreed(row)) for code, row in ROWS if row["进展阶段"] in AGREED]
        assert by_head(disbursed) == DISBURSED
        assert by_head(intended) == INTENDED

    def test_no_project_stands_in_both_stages(self) -> None:
        disbursed = {row["项目名称"] for _, row in ROWS if row["进展阶段"] == PAID}
        intended = {row["项目名称"] for _, row in ROWS if row["进展阶段"] in AGREED}
        assert (len(disbursed), len(intended), len(disbursed | intended)) == (32, 34, 66)

    def test_a_disbursed_deal_is_paid_in_full_within_the_year(self) -> None:
        for _, row in ROWS:
            if row["进展阶段"] != PAID:
                assert not paid(row)
                assert not row["投放日期"]
                continue
            assert paid(row) == agreed(row) > 0
            assert date(2021, 3, 1) <= date.fromisoformat(row["投放日期"]) <= AS_OF
            this_month = row["投放日期"].startswith("2022-02")
            assert row["本次投放金额（万元）"] == (
                row["累计投放金额（万元）"] if this_month else ""
            )

    def test_stages_without_amount_have_none_and_a_refusal_says_why(self) -> None:
        for _, row in ROWS:
            assert row["进展阶段"] in (PAID, *AGREED, *WITHOUT_AMOUNT)
            assert bool(agreed(row)) == (row["进展阶段"] not in WITHOUT_AMOUNT)
            refused = row["进展阶段"] == "不予支持"
            assert bool(row["不予支持原因"]) == refused
            assert not refused or row["备注"]

    def test_nobody_lends_more_than_the_project_needs(self) -> None:
        lent: dict[str, Decimal] = defaultdict(Decimal)
        for _, row in ROWS:
            lent[row["项目名称"]] += agreed(row)
        for name, amount in lent.items():
            assert amount <= Decimal(PROJECT[name]["融资需求（万元）"]), name

    def test_local_institutions_stay_in_their_county(self, register: None) -> None:
        bound = Institution.objects.filter(kind="rural_cooperative").values_list("code", flat=True)
        assert set(bound) <= set(COUNTY_OF)
        for code, row in ROWS:
            if county := COUNTY_OF.get(code):
                assert PROJECT[row["项目名称"]]["县市"] == county
        for push in PUSHES:
            code = code_of(push["金融机构"])
            if county := COUNTY_OF.get(code):
                assert PROJECT[push["项目名称"]]["县市"] == county

    def test_what_was_pushed_was_pushed_before_it_moved(self, register: None) -> None:
        pushed = {
            (code_of(push["金融机构"]), push["项目名称"]): date.fromisoformat(push["推送日期"])
            for push in PUSHES
        }
        assert len(pushed) == len(PUSHES)
        assert all(date(2022, 1, 1) <= day <= AS_OF for day in pushed.values())
        for code, row in ROWS:
            day = pushed.get((code, row["项目名称"]))
            if day and row["投放日期"]:
                assert day < date.fromisoformat(row["投放日期"])

    def test_no_total_stands_in_any_table(self) -> None:
        for path in demo.FOLDER.rglob("*.tsv"):
            text = path.read_text(encoding="utf-8")
            assert "合计" not in text
            assert "小计" not in text


def run(*arguments: str) -> dict[str, Any]:
    """What the command prints with --json."""
    out = StringIO()
    call_command("seed_demo", "--json", *arguments, stdout=out)
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


def paid_rows() -> Any:
    return Disbursement.objects.filter(paid_on__lte=AS_OF)


def agreed_rows() -> Any:
    """What is agreed at the end of the month on deals nothing was paid on."""
    unpaid = Q(deal__in=paid_rows().values("deal"))
    return DealTerms.objects.as_of(AS_OF).filter(stage__in=COUNTED).exclude(unpaid)


def sums_by_head(rows: Any, *, amount: str) -> Sums:
    pairs = [
        (row["deal__referral__institution__code"], row[amount])
        for row in rows.values("deal__referral__institution__code", amount)
    ]
    return by_head(pairs)


EVERYTHING = (
    Project, FinancingDemand, ImportedFile, Referral, ReferralMove, Deal, DealTerms,
    Disbursement, MonthlyReturn, User, Membership, Bulletin, AuditRecord,
)  # fmt: skip


def row_counts() -> dict[str, int]:
    return {model.__name__: model._default_manager.count() for model in EVERYTHING}


@pytest.fixture(scope="class")
def seeded(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, Any]]:
    """The data set in the database for all tests of a class, and what the command said."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield run()
        transaction.set_rollback(True)


@pytest.mark.django_db
class TestSeeded:
    """What stands in the database afterwards, summed without the code of the figures."""

    def test_demand(self, seeded: dict[str, Any]) -> None:
        rows = FinancingDemand.objects.as_of(AS_OF)
        assert rows.count() == Project.objects.count() == 241
        assert rows.aggregate(wan=Sum("demand_wan"))["wan"] == 4050100

    def test_disbursed(self, seeded: dict[str, Any]) -> None:
        rows = paid_rows()
        assert rows.values("deal").distinct().count() == 36
        assert rows.values("deal__referral__project").distinct().count() == 32
        assert sums_by_head(rows, amount="amount_wan") == DISBURSED

    def test_intended(self, seeded: dict[str, Any]) -> None:
        rows = list(agreed_rows().select_related("deal__referral__institution"))
        amounts = [
            (
                row.deal.referral.institution.code,
                row.intended_wan if row.approved_wan is None else row.approved_wan,
            )
            for row in rows
        ]
        assert by_head(amounts) == INTENDED
        assert len({row.deal.referral.project_id for row in rows}) == 34

    def test_landed_projects_are_in_one_stage_only(self, seeded: dict[str, Any]) -> None:
        disbursed = set(paid_rows().values_list("deal__referral__project", flat=True))
        intended = set(agreed_rows().values_list("deal__referral__project", flat=True))
        assert not disbursed & intended
        assert len(disbursed | intended) == 66

    def test_all_report_and_fifteen_have_nothing(self, seeded: dict[str, Any]) -> None:
        reports = MonthlyReturn.objects.filter(month=date(2022, 2, 1))
        heads = set(Institution.objects.heads().values_list("pk", flat=True))
        assert heads <= set(reports.values_list("institution", flat=True))
        nil = reports.filter(is_nil=True)
        assert nil.count() == NOTHING == len(heads) - len(DISBURSED | INTENDED)
        assert not Deal.objects.filter(referral__institution__in=nil.values("institution"))

    def test_the_branch_reports_by_itself(self, seeded: dict[str, Any]) -> None:
        branch = Institution.objects.get(code="psbc-yuepuhu")
        assert paid_rows().filter(deal__referral__institution=branch).count() == 1
        assert agreed_rows().filter(deal__referral__institution=branch.parent).count() == 1

    def test_everything_is_marked_as_synthetic(self, seeded: dict[str, Any]) -> None:
        assert seeded["synthetic"] is True
        assert not Project.objects.exclude(is_synthetic=True).exists()
        assert not Project.objects.exclude(name__contains="示例").exists()

    def test_every_institution_has_something_to_answer(self, seeded: dict[str, Any]) -> None:
        waiting = Referral.objects.filter(stage=Stage.PUSHED, pushed_on__lte=AS_OF)
        for institution in Institution.objects.all():
            assert waiting.filter(institution=institution).exists(), institution
        own = Institution.objects.get(code="kashgar-rcb")
        assert waiting.filter(institution=own).count() >= 5

    def test_some_deals_were_never_pushed(self, seeded: dict[str, Any]) -> None:
        with_deals = Referral.objects.filter(deals__isnull=False)
        assert with_deals.filter(pushed_on=None).exists()
        assert with_deals.exclude(pushed_on=None).exists()

    def test_one_account_of_each_role_can_log_in(self, seeded: dict[str, Any]) -> None:
        roles = [account.role for account in demo.demo_accounts()]
        assert set(roles) == set(Role) - {Role.SYSTEM}
        assert roles.count(Role.BANK) == 2
        for account in seeded["accounts"]:
            assert Client().login(username=account["username"], password=account["password"])
            user = User.objects.get(username=account["username"])
            assert user.get_role_display() == account["role"]
            assert "示例" in user.full_name

    def test_accounts_work_where_they_say(self, seeded: dict[str, Any]) -> None:
        for account in demo.demo_accounts():
            user = User.objects.get(username=account.username)
            if account.role == Role.BANK:
                assert user.membership.institution.short_name == account.place
            elif account.place != "—":
                assert account.place in (str(user.department), str(user.region))

    def test_a_second_run_changes_nothing(self, seeded: dict[str, Any]) -> None:
        before = row_counts()
        assert set(run()["added"].values()) == {0}
        assert row_counts() == before

    def test_a_second_run_undoes_nobodys_work(self, seeded: dict[str, Any]) -> None:
        user = User.objects.get(username="bank")
        user.set_password("Another-password-2022")
        user.save(update_fields=["password"])
        Disbursement.objects.create(
            deal=Deal.objects.earliest("pk"),
            amount_wan=Decimal(1),
            paid_on=date(2022, 3, 1),
            recorded_at=user.created_at,
            recorded_by=user,
        )
        before = row_counts()
        run()
        assert row_counts() == before
        assert Client().login(username="bank", password="Another-password-2022")

    def test_the_text_names_every_account(self, seeded: dict[str, Any]) -> None:
        out = StringIO()
        call_command("seed_demo", stdout=out)
        assert "合成" in out.getvalue()
        for account in demo.demo_accounts():
            assert f"{account.username}  {account.role_label}" in out.getvalue()

    def test_freezes_the_bulletin_of_the_month_once(self, seeded: dict[str, Any]) -> None:
        assert not Bulletin.objects.exists()
        run("--freeze")
        run("--freeze")
        assert [b.month for b in Bulletin.objects.all()] == [date(2022, 2, 1)]


def take_in_ledger(*, lines: list[str] | None = None) -> None:
    """Import the ledger, or some of its lines, as a person would: not marked as synthetic."""
    content = lines or (demo.FOLDER / "ledger.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in content]
    report = import_ledger(
        source=demo.as_workbook(rows), file_name="台账.xlsx", by=User.objects.system()
    )
    assert not report.refused, report.errors


class TestAmongOtherData:
    """What the command does in a database that is not empty."""

    def test_refuses_to_mix_with_real_projects(self, register: None) -> None:
        header, first = (demo.FOLDER / "ledger.tsv").read_text(encoding="utf-8").split("\n")[:2]
        take_in_ledger(lines=[header, first.replace("示例", "实际")])
        before = row_counts()
        with pytest.raises(CommandError, match="已有 1 个真实项目（如“喀什市实际三乡") as refusal:
            run()
        assert refusal.value.returncode == 1
        assert row_counts() == before

    def test_accepts_the_same_projects_imported_before(self, register: None) -> None:
        take_in_ledger()
        demands = FinancingDemand.objects.count()
        added = run()["added"]
        assert added["projects"] == 0
        assert added["returns"] == len(RETURNS)
        assert Project.objects.count() == FinancingDemand.objects.count() == demands == 241

    def test_a_return_handed_in_before_is_kept_and_its_projects_count_as_pushed(
        self, register: None
    ) -> None:
        take_in_ledger()
        lines = (demo.FOLDER / "returns" / "klb.tsv").read_text(encoding="utf-8").splitlines()
        import_progress(
            source=demo.as_workbook([line.split("\t") for line in lines]),
            file_name="进展表.xlsx",
            month=date(2022, 2, 1),
            by=User.objects.system(),
        )
        added = run()["added"]
        assert (added["returns"], added["pushes"]) == (len(RETURNS) - 1, len(PUSHES))
        assert sums_by_head(paid_rows(), amount="amount_wan") == DISBURSED

    def test_a_data_set_that_has_grown_since_is_left_alone(self, register: None) -> None:
        run()
        header, first = (demo.FOLDER / "ledger.tsv").read_text(encoding="utf-8").split("\n")[:2]
        take_in_ledger(lines=[header, first.replace("示例", "实际")])
        before = row_counts()
        assert set(run()["added"].values()) == {0}
        assert row_counts() == before

    def test_importing_the_same_ledger_afterwards_changes_nothing(self, register: None) -> None:
        run()
        facts = list(Project.objects.order_by("pk").values())
        take_in_ledger()
        assert list(Project.objects.order_by("pk").values()) == facts
        assert FinancingDemand.objects.count() == 241

    def test_needs_the_reference_data(self, db: None) -> None:
        InstitutionName.objects.all().delete()
        ListEdition.objects.all().delete()
        Institution.objects.exclude(parent=None).delete()
        Institution.objects.all().delete()
        with pytest.raises(CommandError, match="load_reference"):
            run()

    def test_one_changed_deal_changes_the_figures_that_depend_on_it(
        self, register: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shutil.copytree(demo.FOLDER, tmp_path / "demo")
        monkeypatch.setattr(demo, "FOLDER", tmp_path / "demo")
        path = tmp_path / "demo" / "returns" / "klb.tsv"
        path.write_text(path.read_text("utf-8").replace("\t1500", "\t1400"), "utf-8")
        run()
        figures = sums_by_head(paid_rows(), amount="amount_wan")
        assert figures == DISBURSED | {"klb": (1, 1400)}

    def test_a_broken_table_brings_in_nothing(
        self, register: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shutil.copytree(demo.FOLDER, tmp_path / "demo")
        monkeypatch.setattr(demo, "FOLDER", tmp_path / "demo")
        path = tmp_path / "demo" / "returns" / "klb.tsv"
        path.write_text(path.read_text("utf-8").replace("\t1500", "\t很多"), "utf-8")
        before = row_counts()
        with pytest.raises(CommandError, match="klb.tsv 有 .* 处错误，没有装入；第 4 行"):
            run()
        after = row_counts()
        assert after | {"User": 0} == before | {"User": 0}  # the system account may be new
