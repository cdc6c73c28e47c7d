"""The pages and the API of the projects: scope, filters, sums, sorting, and what they cost."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from common.names import name_key
from projects.models import Project, ProjectCategory
from projects.panels import Panel, hand_in_panel
from projects.templatetags.project_names import with_whole_tail
from tests.factories import make_project, make_referral, set_demand

pytestmark = pytest.mark.usefixtures("register")

ClientOf = Callable[[User], Client]


def shown(response: Any) -> list[str]:
    assert response.status_code == 200
    return [project.name for project in response.context["page_obj"]]


def listed(client: Client, **query: Any) -> list[str]:
    """The names on the page; the API must give the same for the same parameters."""
    names = shown(client.get(reverse("projects"), query))
    results = client.get(reverse("api_projects"), query).json()["results"]
    assert [project["name"] for project in results] == names
    return names


class TestScope:
    def test_each_sees_its_own(
        self,
        client_of: ClientOf,
        bureau: User,
        leader: User,
        county_clerk: User,
        department_clerk: User,
        bank_clerk: User,
        other_bank_clerk: User,
    ) -> None:
        here, there = make_project("甲", county="疏勒县"), make_project("乙", county="塔县")
        Project.objects.filter(pk=there.pk).update(department="development")
        make_referral(here, "喀什农商银行")
        expected = {
            bureau: ["甲", "乙"],
            leader: ["甲", "乙"],
            county_clerk: ["甲"],
            department_clerk: ["乙"],
            bank_clerk: ["甲"],
            other_bank_clerk: [],
        }
        for user, names in expected.items():
            client = client_of(user)
            assert listed(client) == names
            for project in (here, there):
                status = 200 if project.name in names else 404
                for name in ("project", "api_project"):
                    assert client.get(reverse(name, args=[project.code])).status_code == status

    def test_administrators_have_no_business_here(self, client_of: ClientOf, auditor: User) -> None:
        code = make_project().code
        client = client_of(auditor)
        for url in (reverse("projects"), reverse("project", args=[code]), reverse("api_projects")):
            assert client.get(url).status_code == 403

    def test_sums_cover_the_scope_only(self, client_of: ClientOf, county_clerk: User) -> None:
        make_project("甲", demand_wan="100", county="疏勒县")
        make_project("乙", demand_wan="900", county="塔县")
        context = client_of(county_clerk).get(reverse("projects")).context
        assert (context["total_projects"], context["total_demand"]) == (1, Decimal(100))


class TestFilters:
    @pytest.fixture
    def client(self, client_of: ClientOf, bureau: User) -> Client:
        small = make_project("棉纺项目（一期）", demand_wan="299.99", county="疏勒县")
        middle = make_project("温泉酒店", demand_wan="5000", county="塔县")
        large = make_project("风电场", demand_wan="30000", county="塔县")
        Project.objects.filter(pk=small.pk).update(
            sector="C1711", department="industry", name_key=name_key("棉纺项目（一期）")
        )
        Project.objects.filter(pk=middle.pk).update(sector="H6110")
        Project.objects.filter(pk=large.pk).update(
            sector="D4415", borrower="塔县示例公司", borrower_key="塔县示例公司"
        )
        for project, category in ((small, "major"), (small, "key_field"), (large, "key_field")):
            ProjectCategory.objects.create(project=project, category=category)
        return client_of(bureau)

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ({}, ["棉纺项目（一期）", "温泉酒店", "风电场"]),
            ({"q": "温 泉"}, ["温泉酒店"]),
            ({"q": "棉纺项目(一期)"}, ["棉纺项目（一期）"]),
            ({"q": "塔县示例"}, ["风电场"]),
            ({"q": "没有"}, []),
            ({"region": "653131"}, ["温泉酒店", "风电场"]),
            ({"department": "industry"}, ["棉纺项目（一期）"]),
            ({"category": "key_field"}, ["棉纺项目（一期）", "风电场"]),
            ({"category": "major"}, ["棉纺项目（一期）"]),
            ({"sector": "C"}, ["棉纺项目（一期）"]),
            ({"sector": "17"}, ["棉纺项目（一期）"]),
            ({"sector": "住宿业"}, ["温泉酒店"]),
            ({"sector": "不存在"}, []),
            ({"demand_min": "5000"}, ["温泉酒店", "风电场"]),
            ({"demand_below": "5000"}, ["棉纺项目（一期）"]),
            ({"demand_min": "5000", "demand_below": "30000"}, ["温泉酒店"]),
            ({"region": "653131", "demand_min": "30000"}, ["风电场"]),
            ({"sort": "-demand"}, ["风电场", "温泉酒店", "棉纺项目（一期）"]),
            ({"sort": "demand"}, ["棉纺项目（一期）", "温泉酒店", "风电场"]),
            ({"sort": "-region"}, ["温泉酒店", "风电场", "棉纺项目（一期）"]),
            ({"sort": "sector"}, ["棉纺项目（一期）", "风电场", "温泉酒店"]),
        ],
    )
    def test_page_and_api_find_the_same(
        self, client: Client, query: dict[str, str], names: list[str]
    ) -> None:
        assert listed(client, **query) == names

    def test_the_totals_are_those_of_what_was_found(self, client: Client) -> None:
        response = client.get(reverse("projects"), {"region": "653131"})
        assert response.context["total_demand"] == 35000
        html = response.content.decode()
        assert "符合条件的全部 2 个" in html
        assert "35,000" in html
        assert "3.50 亿元" in html

    def test_by_code(self, client: Client) -> None:
        code = Project.objects.get(name="风电场").code
        assert listed(client, q=code.lower()) == ["风电场"]

    def test_what_cannot_be_read_is_said_at_the_filter(self, client: Client) -> None:
        response = client.get(reverse("projects"), {"demand_min": "很多"})
        assert response.status_code == 200
        assert "field-error" in response.content.decode()
        assert client.get(reverse("api_projects"), {"demand_min": "很多"}).status_code == 400

    def test_nothing_found_offers_the_way_back(self, client: Client) -> None:
        html = client.get(reverse("projects"), {"q": "没有"}).content.decode()
        assert "没有符合条件的项目" in html
        assert f'href="{reverse("projects")}"' in html


class TestDemand:
    def test_is_that_of_today(
        self, client_of: ClientOf, bureau: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        project = make_project("甲", demand_wan="100")
        set_demand(project, "250", date(2022, 3, 1))
        make_project("乙", demand_wan="900", counts_from=date(2022, 6, 1))
        client = client_of(bureau)
        for today, sums in {
            date(2022, 2, 28): (100, [Decimal(100), None]),
            date(2022, 3, 1): (250, [Decimal(250), None]),
            date(2022, 6, 1): (1150, [Decimal(250), Decimal(900)]),
        }.items():
            monkeypatch.setattr("projects.views.local_today", lambda today=today: today)
            context = client.get(reverse("projects"), {"sort": "code"}).context
            amounts = [project.demand_wan for project in context["page_obj"]]
            assert (context["total_demand"], amounts) == sums

    def test_unknown_demand_is_a_dash_and_comes_last(
        self, client_of: ClientOf, bureau: User
    ) -> None:
        make_project("未知", counts_from=date(2999, 1, 1))
        make_project("甲", demand_wan="100")
        client = client_of(bureau)
        assert listed(client, sort="demand") == ["甲", "未知"]
        assert listed(client, sort="-demand") == ["甲", "未知"]
        html = client.get(reverse("projects")).content.decode()
        assert '<td data-label="融资需求（万元）" class="num">—</td>' in html

    def test_the_history_shows_spans_with_their_last_day(
        self, client_of: ClientOf, bureau: User
    ) -> None:
        project = make_project("甲", demand_wan="100")
        set_demand(project, "250", date(2022, 3, 1))
        spans = client_of(bureau).get(reverse("project", args=[project.code])).context["demands"]
        assert [(span.row.demand_wan, span.first_day, span.last_day) for span in spans] == [
            (250, date(2022, 3, 1), None),
            (100, None, date(2022, 2, 28)),
        ]


class TestPages:
    def test_fifty_a_page_with_both_sums(self, client_of: ClientOf, bureau: User) -> None:
        for number in range(51):
            make_project(f"项目{number:02}", demand_wan="10.5")
        client = client_of(bureau)
        first = client.get(reverse("projects"))
        assert len(shown(first)) == 50
        assert (first.context["page_demand"], first.context["total_demand"]) == (
            Decimal("525"),
            Decimal("535.5"),
        )
        html = first.content.decode()
        assert "本页 50 个" in html
        assert "全部 51 个" in html
        assert shown(client.get(reverse("projects"), {"page": 2})) == ["项目50"]

    @pytest.mark.parametrize("url_name", ["projects", "api_projects"])
    def test_the_cost_does_not_grow_with_the_rows(
        self, client_of: ClientOf, bureau: User, url_name: str
    ) -> None:
        client = client_of(bureau)
        counts = []
        for total in (2, 20):
            while Project.objects.count() < total:
                project = make_project()
                ProjectCategory.objects.create(project=project, category="major")
            with CaptureQueriesContext(connection) as queries:
                assert client.get(reverse(url_name)).status_code == 200
            counts.append(len(queries))
        assert counts[0] == counts[1]

    def test_empty_pages_say_what_comes_next(
        self, client_of: ClientOf, bureau: User, bank_clerk: User
    ) -> None:
        page = client_of(bureau).get(reverse("projects")).content.decode()
        assert "import_ledger" in page
        assert "推送后" in client_of(bank_clerk).get(reverse("projects")).content.decode()

    def test_what_users_typed_is_text(self, client_of: ClientOf, bureau: User) -> None:
        project = make_project("<script>alert(1)</script>（一期）")
        Project.objects.filter(pk=project.pk).update(content="<b>x</b>", borrower="<i>y</i>")
        client = client_of(bureau)
        for url in (reverse("projects"), reverse("project", args=[project.code])):
            html = client.get(url).content.decode()
            assert "<script>alert" not in html
            assert "<b>x</b>" not in html
            assert "<i>y</i>" not in html

    def test_the_page_of_a_project_shows_its_facts(self, client_of: ClientOf, bureau: User) -> None:
        project = make_project("甲", demand_wan="6980.5")
        Project.objects.filter(pk=project.pk).update(
            guarantees=["mortgage", "credit"], permits=["land"], is_synthetic=True, term_months=60
        )
        html = client_of(bureau).get(reverse("project", args=[project.code])).content.decode()
        for text in ("抵押、信用", "用地", "6,980.5 万元", "60 个月", "合成数据", "总投资"):
            assert text in html
        assert "<dd>0" not in html

    def test_a_higher_room_can_show_a_block(
        self, client_of: ClientOf, bureau: User, leader: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("projects.panels._MAKERS", [])
        hand_in_panel(
            lambda user, project: (
                Panel("includes/empty.html", {"sentence": project.name}) if user == bureau else None
            )
        )
        url = reverse("project", args=[make_project("甲").code])
        assert len(client_of(bureau).get(url).context["panels"]) == 1
        assert client_of(leader).get(url).context["panels"] == []

    def test_the_end_of_a_name_stays_together(self) -> None:
        assert with_whole_tail("甲项目（一期）（续建）") == (
            '甲项目<span class="keep-together">（一期）（续建）</span>'
        )
        assert with_whole_tail("甲项目") == "甲项目"
        assert with_whole_tail("<a>（一期）").startswith("&lt;a&gt;")


class TestApi:
    def test_one_project(self, client_of: ClientOf, bureau: User) -> None:
        project = make_project("甲", demand_wan="6980.5")
        ProjectCategory.objects.create(project=project, category="major")
        body = client_of(bureau).get(reverse("api_project", args=[project.code])).json()
        assert body["code"] == project.code
        assert body["demand_wan"] == "6980.5000"
        assert body["region"] == {"code": "653122", "short_name": "疏勒县"}
        assert body["sector"]["code"] == "A0131"
        assert body["categories"] == ["major"]
        assert body["total_investment_wan"] is None

    def test_unknown_demand_is_null(self, client_of: ClientOf, bureau: User) -> None:
        code = make_project(counts_from=date(2999, 1, 1)).code
        body = client_of(bureau).get(reverse("api_project", args=[code])).json()
        assert body["demand_wan"] is None

    def test_is_read_only(self, client_of: ClientOf, bureau: User) -> None:
        url = reverse("api_project", args=[make_project().code])
        client = client_of(bureau)
        for method in (client.post, client.put, client.delete):
            assert method(url).status_code == 405
