"""An institution's page and its lists: scope, confirming, proposing, accepting, rejecting."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from accounts.models import User
from common.errors import IllegalMove, InvalidInput, NotAllowed
from common.models import AuditRecord
from common.months import local_today
from institutions.choices import EditionStatus, Polarity
from institutions.editions import (
    EditionRequest,
    draft_edition,
    put_in_force,
)
from institutions.models import Clause, Institution, ListEdition
from institutions.proposals import reject_edition
from matching.models import MatchRun, ProjectMatch, VerdictChoice, VocabularyVersion
from matching.types import Verdict
from projects.models import Project
from tests.factories import make_project, make_referral
from tests.list_proposals import (
    CODE,
    PAGE,
    PROPOSE,
    ClientOf,
    clause_of,
    count_queries,
    draft,
    held,
    post,
    propose,
    proposed,
)

pytestmark = pytest.mark.usefixtures("register")


class TestPage:
    def test_it_shows_facts_every_clause_and_the_edition(
        self, client_of: ClientOf, county_clerk: User
    ) -> None:
        edition = held()
        page = client_of(county_clerk).get(PAGE).content.decode()
        for clause in edition.clauses.all():
            assert clause.title in page
        assert edition.institution.full_name in page
        assert "还没有确认" in page
        assert "不得" in page
        assert "公布的原文" not in page
        assert "确认清单" not in page
        assert "提出修改" not in page

    def test_the_official_wording_is_shown_where_it_is_attached(
        self, client_of: ClientOf, leader: User
    ) -> None:
        clause = clause_of(held(), Polarity.NEGATIVE)
        Clause.objects.filter(pk=clause.pk).update(official_text="公布时的那一句 <b>")
        page = client_of(leader).get(PAGE).content.decode()
        assert page.count("公布的原文") == 1
        assert "公布时的那一句 &lt;b&gt;" in page

    def test_the_register_leads_to_each_page_and_each_opens(
        self, client_of: ClientOf, leader: User
    ) -> None:
        client = client_of(leader)
        register = client.get(reverse("institutions")).content.decode()
        for code in Institution.objects.values_list("code", flat=True):
            assert f'href="/institutions/{code}/"' in register
            assert client.get(f"/institutions/{code}/").status_code == 200
        assert client.get("/institutions/no-such-bank/").status_code == 404

    def test_a_bank_finds_its_own_lists_in_the_menu(
        self, client_of: ClientOf, bank_clerk: User, other_bank_clerk: User
    ) -> None:
        for user, name in ((bank_clerk, "喀什农商银行"), (other_bank_clerk, "中国工商银行")):
            response = client_of(user).get(reverse("own_institution"))
            assert response.context["institution"].short_name == name
            assert "本行清单" in response.content.decode()

    def test_an_account_without_institution_is_told_so(
        self, client_of: ClientOf, bank_clerk: User
    ) -> None:
        bank_clerk.membership.delete()
        response = client_of(bank_clerk).get(reverse("own_institution"))
        assert response.status_code == 404
        assert "没有关联机构" in response.content.decode()

    def test_queries_do_not_grow_with_clauses_editions_or_matches(
        self, client_of: ClientOf, bureau: User
    ) -> None:
        client = client_of(bureau)
        match("少")
        client.get(PAGE)
        few = count_queries(client, PAGE)
        edition = held()
        template = clause_of(edition, Polarity.POSITIVE)
        for place in range(100, 130):
            template.pk, template.position, template.number = None, place, f"（{place}）"
            template.save()
        for number in range(5):
            draft(bureau, name=f"草稿 {number}")
            match(f"多 {number}")
        assert count_queries(client, PAGE) == few


class TestConfirm:
    def test_its_own_people_confirm_once_with_name_and_time(
        self, client_of: ClientOf, bank_clerk: User
    ) -> None:
        client, edition = client_of(bank_clerk), held()
        assert "确认清单" in client.get(PAGE).content.decode()
        assert post(client, "edition_confirm", edition).status_code == 302
        edition.refresh_from_db()
        assert (edition.status, edition.confirmed_by) == (EditionStatus.IN_FORCE, bank_clerk)
        assert edition.confirmed_at is not None
        page = client.get(PAGE).content.decode()
        assert "农商行 李静 于" in page
        assert 'class="btn btn-primary"' not in page
        assert post(client, "edition_confirm", edition).status_code == 409
        assert AuditRecord.objects.filter(action="institutions.confirm_edition").count() == 1

    def test_another_bank_and_the_bureau_may_not(
        self, client_of: ClientOf, other_bank_clerk: User, bureau: User
    ) -> None:
        for user in (other_bank_clerk, bureau):
            client = client_of(user)
            assert "确认清单" not in client.get(PAGE).content.decode()
            assert post(client, "edition_confirm", held()).status_code == 403
        assert held().confirmed_at is None

    def test_what_no_longer_holds_cannot_be_confirmed(
        self, client_of: ClientOf, bank_clerk: User, bureau: User
    ) -> None:
        old = held()
        put_in_force(edition=draft(bureau), by=bureau)
        rejected = reject_edition(edition=draft(bureau, name="乙"), reason="不合适", by=bureau)
        for edition in (old, rejected):
            assert post(client_of(bank_clerk), "edition_confirm", edition).status_code == 409


class TestPropose:
    def test_only_what_was_changed_is_changed(self, client_of: ClientOf, bank_clerk: User) -> None:
        before = held()
        Clause.objects.filter(edition=before).update(official_text="公布时的文字")
        positive, negative = (clause_of(before, p) for p in Polarity)
        other = "soft" if negative.strength != "soft" else "case_by_case"
        changed = {f"text_{positive.pk}": "第一行\n第二行", f"strength_{negative.pk}": other}
        response = propose(client_of(bank_clerk), **changed)
        assert response.status_code == 302
        made = ListEdition.objects.order_by("-pk")[0]
        assert made.status == EditionStatus.DRAFT
        assert (made.based_on, made.created_by) == (before, bank_clerk)
        assert held() == before
        pairs = {
            clause.position: (clause, made.clauses.get(position=clause.position))
            for clause in before.clauses.all()
        }
        different = {
            p for p, (a, b) in pairs.items() if (a.text, a.strength) != (b.text, b.strength)
        }
        assert different == {positive.position, negative.position}
        new_positive, new_negative = pairs[positive.position][1], pairs[negative.position][1]
        assert (new_positive.text, new_positive.official_text) == ("第一行\n第二行", "")
        assert (new_negative.strength, new_negative.official_text) == (other, "公布时的文字")

    def test_two_of_one_day_get_names_of_their_own(
        self, client_of: ClientOf, bank_clerk: User
    ) -> None:
        names = [proposed(client_of(bank_clerk), text).name for text in ("甲", "乙", "丙")]
        day = local_today().isoformat()
        assert names == [f"{day} 版", f"{day} 版（2）", f"{day} 版（3）"]

    @pytest.mark.parametrize(
        ("changed", "words"),
        [
            ({}, "没有改动任何条款"),
            ({"reason": "  "}, "有 1 处要改"),
            ({"text": "新", "effective_from": "2000-01-01"}, "不能早于现行版本"),
            ({"text": "新", "effective_from": "某日"}, "有 1 处要改"),
            ({"text": "   "}, "有 1 处要改"),
            ({"strength": "forbidden"}, "有 1 处要改"),
        ],
    )
    def test_what_is_wrong_comes_back_with_the_reason(
        self, client_of: ClientOf, bank_clerk: User, changed: dict[str, str], words: str
    ) -> None:
        clauses = {
            name: clause_of(held(), p)
            for name, p in zip(("text", "strength"), Polarity, strict=True)
        }
        sent = {
            f"{name}_{clauses[name].pk}" if name in clauses else name: value
            for name, value in changed.items()
        }
        response = propose(client_of(bank_clerk), **sent)
        assert response.status_code == 422
        assert words in response.content.decode()
        assert ListEdition.objects.exclude(status=EditionStatus.IN_FORCE).count() == 0

    def test_a_form_that_was_read_before_a_new_edition_is_refused(
        self, client_of: ClientOf, bank_clerk: User, bureau: User
    ) -> None:
        old = held()
        put_in_force(edition=draft(bureau), by=bureau)
        response = propose(client_of(bank_clerk), based_on=str(old.pk))
        assert response.status_code == 409
        assert "刷新" in response.content.decode()

    def test_only_the_institution_itself_proposes(
        self, client_of: ClientOf, other_bank_clerk: User
    ) -> None:
        client = client_of(other_bank_clerk)
        assert client.get(PROPOSE).status_code == 403
        assert client.post(PROPOSE).status_code == 403
        assert client.get("/institutions/no-such-bank/propose/").status_code == 404

    def test_the_strength_must_fit_the_list(self, bureau: User) -> None:
        for polarity, strength in ((Polarity.POSITIVE, "hard"), (Polarity.NEGATIVE, "")):
            key = (str(polarity), clause_of(held(), polarity).number)
            request = EditionRequest("丁", local_today(), "试", {key: {"strength": strength}})
            with pytest.raises(InvalidInput, match="力度"):
                draft_edition(institution=held().institution, request=request, by=bureau)


class TestDraftsAreNotPublished:
    def test_who_sees_a_proposal(
        self,
        client_of: ClientOf,
        bank_clerk: User,
        other_bank_clerk: User,
        county_clerk: User,
        bureau: User,
        leader: User,
    ) -> None:
        made = proposed(client_of(bank_clerk))
        for user, status in (
            (bank_clerk, 200),
            (bureau, 200),
            (leader, 200),
            (other_bank_clerk, 404),
            (county_clerk, 404),
        ):
            client = client_of(user)
            assert client.get(PAGE, {"compare": made.pk}).status_code == status
            assert (made.name in client.get(PAGE).content.decode()) == (status == 200)
            listed = client.get(reverse("institutions")).content.decode()
            assert ("等待决定的清单修改" in listed) == (status == 200)
        assert post(client_of(other_bank_clerk), "edition_confirm", made).status_code == 404

    def test_what_cannot_be_compared_is_not_there(self, client_of: ClientOf, bureau: User) -> None:
        for wrong in ("abc", "999999", str(held("icbc").pk), "１"):
            assert client_of(bureau).get(PAGE, {"compare": wrong}).status_code == 404
        assert client_of(bureau).get("/institutions/spdb/", {"compare": "1"}).status_code == 404


class TestDecide:
    def test_accepting_replaces_the_edition_and_keeps_the_old_readable(
        self, client_of: ClientOf, bank_clerk: User, bureau: User, county_clerk: User
    ) -> None:
        old = held()
        clause = clause_of(old, Polarity.POSITIVE)
        made = proposed(client_of(bank_clerk), "改后的文字")
        client = client_of(bureau)
        assert "1 份清单修改等待决定" in client.get("/").content.decode()
        page = client.get(PAGE, {"compare": made.pk}).content.decode()
        assert f'action="{reverse("edition_accept", args=[made.pk])}"' in page
        assert "仍按原条件匹配" in page
        response = client.post(reverse("edition_accept", args=[made.pk]), follow=True)
        assert "请重新匹配" in response.content.decode()
        old.refresh_from_db()
        assert (held(), old.status) == (made, EditionStatus.SUPERSEDED)
        assert old.effective_until == made.effective_from
        assert "清单修改等待决定" not in client.get("/").content.decode()

        seen = client_of(county_clerk).get(PAGE, {"compare": old.pk})
        comparison = seen.context["comparison"]
        assert (comparison.old, comparison.new) == (old, made)
        (row,) = comparison.rows
        assert row["clause"].number == clause.number
        assert row["fields"] == [{"word": "内容", "before": clause.text, "after": "改后的文字"}]
        assert not comparison.may_decide

    def test_nothing_is_decided_twice(
        self, client_of: ClientOf, bank_clerk: User, bureau: User
    ) -> None:
        made = proposed(client_of(bank_clerk))
        client = client_of(bureau)
        assert post(client, "edition_accept", made).status_code == 302
        assert post(client, "edition_accept", made).status_code == 409
        assert post(client, "edition_reject", made, reason="晚了").status_code == 409
        assert client.post(reverse("edition_accept", args=[999999])).status_code == 404

    def test_a_proposal_cannot_undo_what_came_into_force_since(self, bureau: User) -> None:
        first, second = draft(bureau, name="甲"), draft(bureau, name="乙", text="另一种写法")
        put_in_force(edition=first, by=bureau)
        with pytest.raises(IllegalMove, match="现行版本已换成“甲”"):
            put_in_force(edition=second, by=bureau)
        assert held() == first

    def test_the_page_says_why_it_cannot_be_accepted(
        self, client_of: ClientOf, bureau: User
    ) -> None:
        first, second = draft(bureau, name="甲"), draft(bureau, name="乙", text="另一种写法")
        put_in_force(edition=first, by=bureau)
        client = client_of(bureau)
        page = client.get(PAGE, {"compare": second.pk}).content.decode()
        assert "现行版本“甲”也改了正面清单" in page
        assert reverse("edition_accept", args=[second.pk]) not in page
        assert reverse("edition_reject", args=[second.pk]) in page
        assert post(client, "edition_accept", second).status_code == 409

    def test_rejecting_needs_a_reason_which_the_institution_reads(
        self, client_of: ClientOf, bank_clerk: User, bureau: User
    ) -> None:
        before = held()
        made = proposed(client_of(bank_clerk))
        client = client_of(bureau)
        assert post(client, "edition_reject", made, reason=" ").status_code == 422
        made.refresh_from_db()
        assert made.status == EditionStatus.DRAFT
        assert post(client, "edition_reject", made, reason="与监管要求不符").status_code == 302
        made.refresh_from_db()
        assert (made.status, held()) == (EditionStatus.REJECTED, before)
        page = client_of(bank_clerk).get(PAGE).content.decode()
        assert "未采纳" in page
        assert "与监管要求不符" in page
        entry = AuditRecord.objects.get(action="institutions.reject_edition")
        assert (entry.actor, entry.reason) == (bureau, "与监管要求不符")
        assert post(client, "edition_accept", made).status_code == 409

    def test_the_institution_decides_nothing(self, bank_clerk: User, bureau: User) -> None:
        made = draft(bureau)
        with pytest.raises(NotAllowed):
            put_in_force(edition=made, by=bank_clerk)
        with pytest.raises(NotAllowed):
            reject_edition(edition=made, reason="不要", by=bank_clerk)


def match(name: str, score: int = 50, verdict: Verdict = Verdict.SUPPORTED) -> Project:
    """A project with a stored verdict of the bank, from a run by the lists in force."""
    project = make_project(name)
    bank = Institution.objects.get(code=CODE)
    run = MatchRun.objects.first() or MatchRun.objects.create(
        vocabulary=VocabularyVersion.objects.latest("version"),
        editions={CODE: held().pk},
        reason="试",
        started_by=User.objects.system(),
    )
    ProjectMatch.objects.create(
        run=run, project=project, institution=bank, verdict=verdict.value, score=score
    )
    return project


class TestSuitingProjects:
    def panel(self, client: Client) -> dict[str, Any]:
        (panel,) = client.get(PAGE).context["panels"]
        return dict(panel.context)

    def test_the_best_supported_come_first_and_all_verdicts_are_counted(
        self, client_of: ClientOf, bureau: User
    ) -> None:
        for score in range(25):
            match(f"支持 {score}", score)
        match("排除", 0, Verdict.EXCLUDED)
        match("中性", 99, Verdict.NEUTRAL)
        seen = self.panel(client_of(bureau))
        assert [row.score for row in seen["rows"]] == list(range(24, 4, -1))
        counts = {each["verdict"]: each["count"] for each in seen["counts"]}
        assert counts == {
            VerdictChoice.SUPPORTED: 25,
            VerdictChoice.RESTRICTED: 0,
            VerdictChoice.EXCLUDED: 1,
            VerdictChoice.NEUTRAL: 1,
        }

    def test_counts_lead_to_their_projects_for_whom_the_matrix_is(
        self, client_of: ClientOf, bureau: User, county_clerk: User
    ) -> None:
        project = match("支持")
        link = f"{reverse('matches')}?institution={CODE}&verdict=supported"
        client = client_of(bureau)
        assert escape(link) in client.get(PAGE).content.decode()
        assert [line.project for line in client.get(link).context["lines"]] == [project]
        assert reverse("matches") + "?" not in client_of(county_clerk).get(PAGE).content.decode()

    def test_each_sees_only_its_own_projects(
        self, client_of: ClientOf, bank_clerk: User, other_bank_clerk: User
    ) -> None:
        mine, _ = match("推给农商行的"), match("没有推送的")
        make_referral(mine, "喀什农商银行")
        assert [row.project for row in self.panel(client_of(bank_clerk))["rows"]] == [mine]
        assert self.panel(client_of(other_bank_clerk))["rows"] == []

    def test_a_new_edition_asks_for_a_new_run(self, client_of: ClientOf, bureau: User) -> None:
        match("甲")
        client = client_of(bureau)
        assert not self.panel(client)["is_outdated"]
        put_in_force(edition=draft(bureau), by=bureau)
        assert self.panel(client)["is_outdated"]
        page = client.get(PAGE).content.decode()
        assert "请重新匹配" in page
        assert f'action="{reverse("match_start")}"' in page
