"""The registers: what `load_reference` loads, and that each name leads to one place."""

import json
import shutil
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Department, Region, User
from accounts.registers import DepartmentIndex, RegionIndex, find_department, find_region
from common.errors import InvalidInput, NotAllowed
from common.models import AuditRecord, Sector
from institutions.choices import Kind
from institutions.models import Institution, InstitutionName, ListEdition, Membership
from institutions.services import InstitutionIndex, find_institution, join_institution
from reports.models import CountingRules

pytestmark = pytest.mark.usefixtures("register")

COUNTIES = {
    "653101": "喀什市",
    "653121": "疏附县",
    "653122": "疏勒县",
    "653123": "英吉沙县",
    "653124": "泽普县",
    "653125": "莎车县",
    "653126": "叶城县",
    "653127": "麦盖提县",
    "653128": "岳普湖县",
    "653129": "伽师县",
    "653130": "巴楚县",
    "653131": "塔县",
}
# The report's short name of each institution and its heading in the lists ("" where none).
PRINTED = {
    "农业发展银行": "中国农业发展银行喀什地区分行",
    "国家开发银行": "国家开发银行喀什地区分行",
    "进出口银行": "中国进出口银行喀什分行",
    "中国工商银行": "中国工商银行股份有限公司喀什分行",
    "农业银行": "中国农业银行喀什地区分行",
    "中国银行": "中国银行喀什地区分行",
    "建设银行": "中国建设银行喀什地区分行",
    "兵团农行": "中国农业银行图木舒克兵团分行",
    "喀什农商银行": "喀什农商银行",
    "乌鲁木齐商业银行喀什分行": "乌鲁木齐银行喀什分行",
    "昆仑银行": "昆仑银行股份有限公司喀什分行",
    "天津滨海银行喀什市支行": "天津滨海农商行喀什市支行",
    "邮储银行": "中国邮政储蓄银行喀什地区分行",
    "广东发展银行喀什分行": "广发银行喀什分行",
    "浦东发展银行喀什分行": "",
    "交通银行喀什分行": "交通银行喀什分行",
    "疏勒县信用联社": "疏勒县农村信用合作联社",
    "疏附县信用联社": "疏附县农村信用合作联社",
    "英吉沙县信用联社": "英吉沙县农村信用合作联社",
    "伽师县信用联社": "伽师县农村信用合作联社",
    "岳普湖县信用联社": "岳普湖县农村信用合作联社",
    "莎车县信用联社": "莎车县农村信用合作联社",
    "泽普县信用联社": "泽普县农村信用合作联社",
    "叶城县信用联社": "叶城县农村信用合作联社",
    "麦盖提县信用联社": "麦盖提县农村信用合作联社",
    "巴楚县信用联社": "巴楚县农村信用合作联社",
    "塔县信用联社": "塔什库尔干县农村信用合作联社",
}
# Those for which the report of February 2022 had nothing, in its order.
FIFTEEN = [
    "国家开发银行",
    "进出口银行",
    "兵团农行",
    "天津滨海银行喀什市支行",
    "广东发展银行喀什分行",
    "浦东发展银行喀什分行",
    "乌鲁木齐商业银行喀什分行",
    "交通银行喀什分行",
    "英吉沙县信用联社",
    "巴楚县信用联社",
    "麦盖提县信用联社",
    "莎车县信用联社",
    "泽普县信用联社",
    "叶城县信用联社",
    "塔县信用联社",
]


def load(*arguments: str) -> str:
    """Run the command and return what it printed."""
    output = StringIO()
    call_command("load_reference", *arguments, stdout=output)
    return output.getvalue()


def short_name_of(text: object) -> str | None:
    """The short name of the institution that is found, to compare with."""
    found = find_institution(text)
    return found.short_name if found else None


@pytest.fixture
def own_fixtures(tmp_path: Path, settings: Any) -> Path:
    """A copy of the fixtures that a test may spoil."""
    shutil.copytree(settings.FIXTURES, tmp_path / "fixtures")
    settings.FIXTURES = tmp_path / "fixtures"
    return tmp_path / "fixtures"


# --- The command ------------------------------------------------------------------------------


def test_each_register_is_complete() -> None:
    levels = {
        row["level"]: row["n"] for row in Sector.objects.values("level").annotate(n=Count("*"))
    }
    assert levels == {"section": 20, "division": 97, "group": 473, "class": 1380}
    assert Region.objects.count() == 14
    assert Department.objects.count() == 7
    assert Institution.objects.heads().count() == 27
    assert Institution.objects.exclude(list_name="").count() == 26
    assert CountingRules.objects.count() == 1


def test_a_second_run_changes_nothing() -> None:
    tables = (Sector, Region, Department, Institution, InstitutionName, CountingRules, AuditRecord)
    before = [list(table.objects.order_by("pk").values()) for table in tables]
    areas = set(Institution.objects.values_list("code", "service_areas"))
    counts = json.loads(load("--json"))
    assert [list(table.objects.order_by("pk").values()) for table in tables] == before
    assert set(Institution.objects.values_list("code", "service_areas")) == areas
    assert all(register["new"] == register["changed"] == 0 for register in counts.values())
    assert counts["sectors"]["unchanged"] == 1970
    assert counts["institutions"]["unchanged"] == 28


def test_a_second_run_needs_few_queries(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_max_num_queries(20):
        load()


def test_loading_an_empty_database_is_audited_once() -> None:
    Institution.objects.all().update(parent=None)
    ListEdition.objects.all().delete()
    Institution.objects.all().delete()
    Sector.objects.filter(level="class").delete()
    seen = AuditRecord.objects.count()
    counts = json.loads(load("--json"))
    assert counts["institutions"]["new"] == 28
    assert counts["service_areas"]["new"] == 28
    assert counts["sectors"] == {"new": 1380, "changed": 0, "unchanged": 590}
    assert AuditRecord.objects.count() == seen + 1
    record = AuditRecord.objects.latest("pk")
    assert record.action == "reports.load_reference"
    assert record.actor == User.objects.system()
    assert record.after["institutions"]["new"] == 28
    assert "regions" not in record.after


def test_what_was_altered_is_put_right_with_old_and_new_in_the_record() -> None:
    wrong = Institution.objects.get(short_name="兵团农行")
    Institution.objects.filter(pk=wrong.pk).update(short_name="别的名字")
    wrong.service_areas.set([Region.objects.get(code="653101")])
    counts = json.loads(load("--json"))
    assert counts["institutions"] == {"new": 0, "changed": 1, "unchanged": 27}
    assert counts["service_areas"] == {"new": 1, "changed": 1, "unchanged": 27}
    wrong.refresh_from_db()
    assert wrong.short_name == "兵团农行"
    assert [area.code for area in wrong.service_areas.all()] == ["653100"]
    record = AuditRecord.objects.latest("pk")
    assert record.before["institutions"] == {wrong.code: {"short_name": "别的名字"}}
    assert record.after["institutions"]["values"] == {wrong.code: {"short_name": "兵团农行"}}


def test_rows_that_were_added_by_hand_stay() -> None:
    head = Institution.objects.get(short_name="邮储银行")
    InstitutionName.objects.create(institution=head, name="绿色银行", key="绿色银行", kind="alias")
    load()
    assert short_name_of("绿色银行") == "邮储银行"


def test_an_incomplete_classification_is_refused_whole(own_fixtures: Path) -> None:
    path = own_fixtures / "gbt4754_2017.tsv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:-1]), encoding="utf-8")
    Department.objects.all().delete()
    with pytest.raises(CommandError, match="小类 1379 个"):
        load()
    assert not Department.objects.exists()


def test_a_name_of_two_institutions_is_refused_and_nothing_is_saved(own_fixtures: Path) -> None:
    path = own_fixtures / "institutions.json"
    entries = json.loads(path.read_text(encoding="utf-8"))
    entries[0]["aliases"].append("工 行")
    path.write_text(json.dumps(entries), encoding="utf-8")
    Department.objects.all().delete()
    with pytest.raises(CommandError, match="工 ?行.*两个机构"):
        load()
    assert not Department.objects.exists()


def test_people_read_sentences_programs_read_json() -> None:
    assert "金融机构：新增 0，更新 0，未变 28" in load()
    assert set(json.loads(load("--json"))) == {
        "sectors",
        "regions",
        "departments",
        "institutions",
        "names",
        "service_areas",
        "lists",
        "vocabulary",
        "counting_rules",
    }


# --- Regions and departments ------------------------------------------------------------------


def test_the_tree_leads_from_xinjiang_to_twelve_counties() -> None:
    prefecture = Region.objects.get(code="653100")
    assert prefecture.level == "prefecture"
    assert prefecture.parent == Region.objects.get(code="650000", level="province", parent=None)
    children = Region.objects.filter(parent=prefecture, level="county")
    assert dict(children.values_list("code", "short_name")) == COUNTIES


@pytest.mark.parametrize(("code", "short_name"), COUNTIES.items())
def test_a_county_is_found_by_code_and_name(code: str, short_name: str) -> None:
    for writing in (
        code,
        int(code),
        short_name,
        f" {short_name}\u3000",
        f"{short_name[0]} {short_name[1:]}",
    ):
        found = find_region(writing)
        assert found is not None, writing
        assert found.code == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("疏勒", "653122"),
        ("英吉沙", "653123"),
        ("塔县", "653131"),
        ("塔什库尔干县", "653131"),
        ("塔什库尔干", "653131"),
        ("塔什库尔干塔吉克自治县", "653131"),
        ("６５３１３１", "653131"),
        ("喀什地区", "653100"),
        ("新疆维吾尔自治区", "650000"),
        ("新疆", "650000"),
    ],
)
def test_other_writings_of_a_region(text: str, code: str) -> None:
    found = find_region(text)
    assert found is not None
    assert found.code == code


@pytest.mark.parametrize("text", ["", None, "喀什", "喀什市人民政府", "和田县", "653199", "县"])
def test_what_is_no_region_or_may_be_two_is_not_found(text: str | None) -> None:
    assert find_region(text) is None


@pytest.mark.parametrize(
    ("text", "short_name"),
    [
        ("地区发改委", "地区发改委"),
        ("发改委", "地区发改委"),
        ("喀什地区发展和改革委员会", "地区发改委"),
        ("农业农村局", "地区农业农村局"),
        ("地区农业农村局", "地区农业农村局"),
        ("工信局", "地区工信局"),
        ("地区工信局", "地区工信局"),
        ("喀什地区工业和信息化局", "地区工信局"),
        ("商务局", "地区商务局"),
        ("地区商务局", "地区商务局"),
        ("招商局", "地区招商局"),
        ("地区招商局", "地区招商局"),
        ("国资委", "地区国资委"),
        ("地区国资委", "地区国资委"),
        ("喀什地区财政局", "地区财政局"),
        (" 地区 国资委 ", "地区国资委"),
    ],
)
def test_a_department_is_found_by_each_of_its_names(text: str, short_name: str) -> None:
    found = find_department(text)
    assert found is not None
    assert found.short_name == short_name


@pytest.mark.parametrize("text", ["", None, "疏勒县农业农村局", "教育局", "委"])
def test_what_is_no_department_of_the_prefecture_is_not_found(text: str | None) -> None:
    assert find_department(text) is None


def test_an_index_serves_a_whole_file_with_one_query(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(3):
        places, departments, banks = RegionIndex(), DepartmentIndex(), InstitutionIndex()
        for _ in range(100):
            county, department = places.find("塔县"), departments.find("国资委")
            branch = banks.find("邮储岳普湖支行")
            assert county is not None
            assert department is not None
            assert department.region.code == "653100"
            assert branch is not None
            assert branch.head.short_name == "邮储银行"


def test_no_writing_of_a_region_or_department_is_lost_to_a_namesake() -> None:
    for region in Region.objects.all():
        for name in (region.code, region.name, region.short_name, *region.other_names):
            assert find_region(name) == region, name
    for department in Department.objects.all():
        for name in (department.name, department.short_name, *department.other_names):
            assert find_department(name) == department, name


# --- Institutions -----------------------------------------------------------------------------


@pytest.mark.parametrize(("short_name", "list_name"), PRINTED.items())
def test_report_and_list_name_the_same_institution(short_name: str, list_name: str) -> None:
    found = find_institution(short_name)
    assert found is not None
    assert (found.short_name, found.list_name, found.parent) == (short_name, list_name, None)
    if list_name:
        assert find_institution(list_name) == found


def test_those_are_all_and_only_one_branch_besides() -> None:
    assert set(Institution.objects.heads().values_list("short_name", flat=True)) == set(PRINTED)
    branch = Institution.objects.exclude(parent=None).get()
    assert (branch.short_name, branch.head.short_name) == ("邮储银行岳普湖县支行", "邮储银行")


def test_the_fifteen_come_in_the_order_of_the_report() -> None:
    rows = Institution.objects.heads().in_report_order().filter(short_name__in=FIFTEEN)
    assert [row.short_name for row in rows] == FIFTEEN


def test_banks_and_cooperatives_as_the_report_counts_them() -> None:
    cooperatives = set(Institution.objects.cooperatives().values_list("short_name", flat=True))
    assert cooperatives == {name for name in PRINTED if name.endswith("信用联社")}
    assert len(cooperatives) == 11
    rural = Institution.objects.get(short_name="喀什农商银行")
    assert (rural.kind, rural.is_cooperative) == (Kind.RURAL_COMMERCIAL, False)


@pytest.mark.parametrize(
    ("text", "short_name"),
    [
        ("工行", "中国工商银行"),
        ("工商银行", "中国工商银行"),
        ("喀什工行", "中国工商银行"),
        ("中国工商银行喀什分行", "中国工商银行"),
        ("中国工商银行股份有限公司", "中国工商银行"),
        ("农发行", "农业发展银行"),
        ("国开行", "国家开发银行"),
        ("口行", "进出口银行"),
        ("进出口", "进出口银行"),
        ("建行", "建设银行"),
        ("中行", "中国银行"),
        ("中国银行股份有限公司喀什地区分行", "中国银行"),
        ("交行", "交通银行喀什分行"),
        ("交通银行", "交通银行喀什分行"),
        ("农行", "农业银行"),
        ("喀什农行", "农业银行"),
        ("图木舒克农行", "兵团农行"),
        ("农行兵团分行", "兵团农行"),
        ("邮储", "邮储银行"),
        ("邮政储蓄银行", "邮储银行"),
        ("中国邮政储蓄银行", "邮储银行"),
        ("邮储岳普湖支行", "邮储银行岳普湖县支行"),
        ("喀什农商行", "喀什农商银行"),
        ("喀什农村商业银行", "喀什农商银行"),
        ("喀什农村商业银行有限责任公司", "喀什农商银行"),
        ("昆仑", "昆仑银行"),
        ("广发", "广东发展银行喀什分行"),
        ("广东发展银行", "广东发展银行喀什分行"),
        ("广发银行", "广东发展银行喀什分行"),
        ("浦发", "浦东发展银行喀什分行"),
        ("上海浦东发展银行股份有限公司喀什分行", "浦东发展银行喀什分行"),
        ("乌鲁木齐银行", "乌鲁木齐商业银行喀什分行"),
        ("乌鲁木齐市商业银行", "乌鲁木齐商业银行喀什分行"),
        ("天津滨海农商银行", "天津滨海银行喀什市支行"),
        ("塔县联社", "塔县信用联社"),
        ("塔什库尔干县农村信用合作联社", "塔县信用联社"),
        ("塔什库尔干县信用社", "塔县信用联社"),
        ("疏附县联社", "疏附县信用联社"),
        ("疏附县农村信用社", "疏附县信用联社"),
        ("莎车县信用社", "莎车县信用联社"),
        ("莎车联社", "莎车县信用联社"),
        (" 中国 工商银行\u3000股份有限公司 喀什分行 ", "中国工商银行"),
    ],
)
def test_former_short_and_other_names(text: str, short_name: str) -> None:
    assert short_name_of(text) == short_name


@pytest.mark.parametrize(
    "text",
    ["", None, "银行", "联社", "股份有限公司", "农商银行", "和田县联社", "英吉沙县", "招商银行"],
)
def test_what_names_no_institution_is_not_found(text: str | None) -> None:
    assert find_institution(text) is None


def test_every_name_of_the_register_leads_to_its_own_institution() -> None:
    index = InstitutionIndex()
    for name in InstitutionName.objects.select_related("institution"):
        assert find_institution(name.name) == name.institution
        assert index.find(name.name) == name.institution


def test_names_in_the_fixture_are_told_apart_without_help_of_the_database(settings: Any) -> None:
    entries = json.loads((settings.FIXTURES / "institutions.json").read_text(encoding="utf-8"))
    owners: dict[str, str] = {}
    for entry in entries:
        plain = [entry["short_name"], entry["full_name"], entry["list_name"]]
        for name in filter(None, [*plain, *entry["former_names"], *entry["aliases"]]):
            bare = name.replace("股份有限公司", "").replace(" ", "")
            assert owners.setdefault(bare, entry["code"]) == entry["code"], name


def test_county_cooperatives_lend_in_their_county_only() -> None:
    for union in Institution.objects.cooperatives().prefetch_related("service_areas"):
        areas = [area.short_name for area in union.service_areas.all()]
        assert areas == [union.short_name.removesuffix("信用联社")]
        assert union.is_area_bound


def test_service_areas_of_the_others() -> None:
    others = Institution.objects.exclude(kind=Kind.RURAL_COOPERATIVE)
    areas = dict(others.values_list("short_name", "service_areas"))
    assert areas.pop("邮储银行岳普湖县支行") == "653128"
    assert set(areas.values()) == {"653100"}
    bound = others.filter(is_area_bound=True).values_list("short_name", flat=True)
    assert list(bound) == ["喀什农商银行"]


# --- Membership -------------------------------------------------------------------------------


def test_the_security_administrator_says_where_a_bank_user_works(
    secadmin: User, bank_clerk: User
) -> None:
    bank = Institution.objects.get(short_name="昆仑银行")
    join_institution(user=bank_clerk, institution=bank, by=secadmin)
    assert Membership.objects.get(user=bank_clerk).institution == bank
    record = AuditRecord.objects.latest("pk")
    assert (record.action, record.actor) == ("institutions.join", secadmin)
    assert record.before == {"institution": "喀什农商银行"}
    assert record.after == {"institution": "昆仑银行"}


def test_joining_again_leaves_no_second_record(secadmin: User, bank_clerk: User) -> None:
    bank = Institution.objects.get(short_name="喀什农商银行")
    seen = AuditRecord.objects.count()
    join_institution(user=bank_clerk, institution=bank, by=secadmin)
    assert AuditRecord.objects.count() == seen


def test_only_bank_users_belong_to_an_institution(secadmin: User, county_clerk: User) -> None:
    bank = Institution.objects.get(short_name="昆仑银行")
    with pytest.raises(InvalidInput, match="县市填报"):
        join_institution(user=county_clerk, institution=bank, by=secadmin)
    assert not Membership.objects.filter(user=county_clerk).exists()


@pytest.mark.parametrize("role", ["bureau", "sysadmin", "bank_clerk", "leader", "auditor"])
def test_nobody_else_assigns_institutions(
    role: str, other_bank_clerk: User, request: pytest.FixtureRequest
) -> None:
    bank = Institution.objects.get(short_name="昆仑银行")
    with pytest.raises(NotAllowed):
        join_institution(user=other_bank_clerk, institution=bank, by=request.getfixturevalue(role))
    assert other_bank_clerk.membership.institution.short_name == "中国工商银行"


# --- Page and API -----------------------------------------------------------------------------


def rows_of(page: str) -> list[str]:
    """The rows of the page's table, each as its text."""
    body = page.split("<tbody>")[1].split("</tbody>")[0]
    return body.split("<tr>")[1:]


def test_the_page_shows_the_register_in_report_order(
    bureau: User, client_of: Callable[[User], Client]
) -> None:
    page = client_of(bureau).get("/institutions/").content.decode()
    rows = rows_of(page)
    assert len(rows) == 28
    order = [name for row in rows for name in FIFTEEN if f">{name}<" in row]
    assert order == FIFTEEN
    assert "27 家机构：16 家银行、11 家信用联社" in page
    assert "曾用名 广东发展银行<" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?q=工行", ["中国工商银行"]),
        ("?q=乌鲁木齐 市商业", ["乌鲁木齐商业银行喀什分行"]),
        ("?kind=policy_bank", ["国家开发银行", "进出口银行", "农业发展银行"]),
        ("?kind=joint_stock&q=广发", ["广东发展银行喀什分行"]),
    ],
)
def test_page_and_api_are_filtered_alike(
    query: str, found: list[str], bank_clerk: User, client_of: Callable[[User], Client]
) -> None:
    client = client_of(bank_clerk)
    rows = rows_of(client.get(f"/institutions/{query}").content.decode())
    assert [name for row in rows for name in PRINTED if f">{name}<" in row] == found
    answer = client.get(f"/api/v1/institutions/{query}").json()
    assert [row["short_name"] for row in answer["results"]] == found


def test_a_search_without_result_says_what_to_do(
    leader: User, client_of: Callable[[User], Client]
) -> None:
    page = client_of(leader).get("/institutions/?q=招商银行").content.decode()
    assert "<tbody>" not in page
    assert "没有符合条件的机构" in page
    assert 'href="/institutions/"' in page


def test_the_page_asks_no_more_for_more_rows(
    bureau: User, client_of: Callable[[User], Client], django_assert_max_num_queries: Any
) -> None:
    client = client_of(bureau)
    for query in ("?kind=policy_bank", "?kind=rural_cooperative", ""):
        with django_assert_max_num_queries(12):
            client.get(f"/institutions/{query}")


@pytest.mark.parametrize("role", ["sysadmin", "secadmin", "auditor"])
def test_administrators_have_no_business_here(
    role: str, request: pytest.FixtureRequest, client_of: Callable[[User], Client]
) -> None:
    client = client_of(request.getfixturevalue(role))
    assert client.get("/institutions/").status_code == 403
    assert client.get("/api/v1/institutions/").status_code == 403


def test_a_stranger_is_sent_to_the_login(client: Client) -> None:
    answer = client.get("/institutions/")
    assert answer.status_code == 302
    assert "/login/" in answer.headers["Location"]


def test_the_api_gives_an_institution_by_its_code(
    county_clerk: User, client_of: Callable[[User], Client]
) -> None:
    client = client_of(county_clerk)
    answer = client.get("/api/v1/institutions/psbc-yuepuhu/").json()
    assert (answer["short_name"], answer["parent"]) == ("邮储银行岳普湖县支行", "psbc")
    assert answer["service_areas"] == [{"code": "653128", "name": "岳普湖县"}]
    assert {"name": "邮储岳普湖支行", "kind": "alias"} in answer["names"]
    assert client.get("/api/v1/institutions/psbc/").json()["parent"] is None
    assert client.get("/api/v1/institutions/unknown/").status_code == 404


def test_the_api_changes_nothing(bureau: User, client_of: Callable[[User], Client]) -> None:
    client = client_of(bureau)
    for method in (client.post, client.put, client.patch, client.delete):
        assert method("/api/v1/institutions/psbc/").status_code == 405
