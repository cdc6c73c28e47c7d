"""Editions that wait for their day, and proposals that another edition overtook."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import User
from common.errors import IllegalMove, NotAllowed
from common.models import AuditRecord
from common.months import local_today
from institutions.choices import EditionStatus, Polarity
from institutions.editions import (
    EditionRequest,
    differences,
    draft_edition,
    put_in_force,
    recall_edition,
)
from institutions.list_reference import load_lists
from institutions.models import Clause, ListEdition
from institutions.rebasing import accept_rebased
from institutions.starting import start_due_editions
from institutions.tasks import start_due
from kashgar_finance.celery import app
from matching.services import run_at_once
from matching.staleness import rematch_if_stale
from tests.factories import make_project
from tests.list_proposals import (
    CODE,
    COMPARED,
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


def tomorrow() -> date:
    return local_today() + timedelta(days=1)


def waiting(bureau: User, name: str = "明天", on: date | None = None) -> ListEdition:
    return put_in_force(edition=draft(bureau, name=name, on=on or tomorrow()), by=bureau)


def system() -> User:
    return User.objects.system()


class TestWaiting:
    def test_an_accepted_edition_waits_for_its_day_and_everybody_reads_when(
        self, client_of: ClientOf, bank_clerk: User, county_clerk: User, bureau: User
    ) -> None:
        old, made = held(), draft(bureau, on=tomorrow())
        client = client_of(bureau)
        page = client.get(PAGE, {"compare": made.pk}).content.decode()
        assert f"采纳后到 {tomorrow()} 自动取代现行版本" in page
        answer = client.post(reverse("edition_accept", args=[made.pk]), follow=True)
        assert f"将于 {tomorrow()} 生效，之后自动重新匹配" in answer.content.decode()
        made.refresh_from_db()
        assert (held(), made.status) == (old, EditionStatus.WAITING)
        for user in (bank_clerk, county_clerk, bureau):
            page = client_of(user).get(PAGE).content.decode()
            assert f"草稿甲将于 {tomorrow()} 生效。" in page
            assert "待生效" in page
        entry = AuditRecord.objects.get(action="institutions.accept_edition")
        assert (entry.actor, entry.after["effective_from"]) == (bureau, tomorrow().isoformat())
        assert "清单修改等待决定" not in client.get("/").content.decode()

    def test_it_is_decided_once(self, client_of: ClientOf, bureau: User) -> None:
        made, client = waiting(bureau), client_of(bureau)
        assert post(client, "edition_accept", made).status_code == 409
        assert post(client, "edition_reject", made, reason="晚了").status_code == 409
        assert AuditRecord.objects.filter(action="institutions.accept_edition").count() == 1

    def test_it_starts_on_its_day_once_and_supersedes_the_one_before(self, bureau: User) -> None:
        old, made = held(), waiting(bureau)
        assert start_due_editions(on=local_today(), by=system()) == []
        assert held() == old
        assert start_due_editions(on=tomorrow(), by=system()) == [made]
        assert start_due_editions(on=tomorrow(), by=system()) == []
        old.refresh_from_db()
        assert held() == made
        assert (old.status, old.effective_until) == (EditionStatus.SUPERSEDED, tomorrow())
        entry = AuditRecord.objects.get(action="institutions.put_in_force")
        assert (entry.actor, entry.before["status"]) == (system(), "waiting")
        assert (entry.before["in_force"], entry.after["in_force"]) == (old.name, made.name)

    def test_a_machine_that_was_off_catches_up_with_the_day_it_holds_from(
        self, bureau: User
    ) -> None:
        old, made = held(), waiting(bureau)
        start_due_editions(on=tomorrow() + timedelta(days=30), by=system())
        old.refresh_from_db()
        assert (held(), old.effective_until) == (made, tomorrow())

    def test_the_day_begins_in_kashgar_and_not_in_greenwich(
        self, bureau: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = waiting(bureau, on=date(2099, 1, 2))
        for hour, is_started in ((15, False), (16, True)):
            now = datetime(2099, 1, 1, hour, 30, tzinfo=UTC)
            monkeypatch.setattr("django.utils.timezone.now", lambda now=now: now)
            start_due.delay()
            assert (held() == made) == is_started

    def test_it_is_on_the_schedule(self) -> None:
        assert start_due.name in {each["task"] for each in app.conf.beat_schedule.values()}

    def test_the_start_leads_to_matching_again(self, bureau: User) -> None:
        make_project()
        run_at_once(by=bureau, reason="试")
        waiting(bureau)
        assert rematch_if_stale(by=system()) is None
        start_due_editions(on=tomorrow(), by=system())
        run = rematch_if_stale(by=system())
        assert run is not None
        assert (run.reason, run.editions[CODE]) == ("机构清单有新版本", held().pk)

    def test_only_the_bureau_and_the_portal_itself_start_editions(
        self, bank_clerk: User, leader: User, bureau: User
    ) -> None:
        waiting(bureau)
        for user in (bank_clerk, leader):
            with pytest.raises(NotAllowed):
                start_due_editions(on=tomorrow(), by=user)
        assert len(start_due_editions(on=tomorrow(), by=bureau)) == 1

    def test_a_second_one_cannot_wait_beside_it(self, client_of: ClientOf, bureau: User) -> None:
        waiting(bureau)
        second = draft(bureau, name="后天", on=tomorrow() + timedelta(days=1))
        client = client_of(bureau)
        page = client.get(PAGE, {"compare": second.pk}).content.decode()
        assert f"“明天”已经采纳，将于 {tomorrow()} 生效；请先撤回它" in page
        assert reverse("edition_accept", args=[second.pk]) not in page
        with pytest.raises(IllegalMove, match="“明天”已经采纳"):
            put_in_force(edition=second, by=bureau)
        with pytest.raises(IntegrityError), transaction.atomic():
            ListEdition.objects.filter(pk=second.pk).update(status=EditionStatus.WAITING)

    def test_what_waits_goes_back_when_another_edition_overtakes_it(
        self, client_of: ClientOf, bureau: User
    ) -> None:
        made, urgent = waiting(bureau), draft(bureau, name="急改", text="更正")
        client = client_of(bureau)
        page = client.get(PAGE, {"compare": urgent.pk}).content.decode()
        assert "待生效的“明天”将退回重新决定。" in page
        put_in_force(edition=urgent, by=bureau)
        made.refresh_from_db()
        assert (held(), made.status) == (urgent, EditionStatus.DRAFT)
        assert start_due_editions(on=tomorrow(), by=system()) == []
        assert "现行版本“急改”也改了" in client.get(PAGE, {"compare": made.pk}).content.decode()
        entry = AuditRecord.objects.get(action="institutions.recall_edition")
        assert "现行版本已换成“急改”" in entry.reason

    def test_the_bureau_takes_it_back_with_a_reason(
        self, client_of: ClientOf, bank_clerk: User, bureau: User
    ) -> None:
        made, client = waiting(bureau), client_of(bureau)
        recall = reverse("edition_recall", args=[made.pk])
        assert recall in client.get(PAGE, {"compare": made.pk}).content.decode()
        seen = client_of(bank_clerk).get(PAGE, {"compare": made.pk}).content.decode()
        assert recall not in seen
        assert client.post(recall, {"reason": " "}).status_code == 422
        assert client.post(recall, {"reason": "机构要求推迟"}).status_code == 302
        assert client.post(recall, {"reason": "机构要求推迟"}).status_code == 409
        made.refresh_from_db()
        assert made.status == EditionStatus.DRAFT
        assert start_due_editions(on=tomorrow(), by=system()) == []
        entry = AuditRecord.objects.get(action="institutions.recall_edition")
        assert (entry.actor, entry.reason) == (bureau, "机构要求推迟")
        with pytest.raises(NotAllowed):
            recall_edition(edition=made, reason="不要", by=bank_clerk)

    def test_the_institution_confirms_it_before_its_day(
        self, client_of: ClientOf, bank_clerk: User, bureau: User
    ) -> None:
        made, client = waiting(bureau), client_of(bank_clerk)
        assert reverse("edition_confirm", args=[made.pk]) in client.get(PAGE).content.decode()
        assert post(client, "edition_confirm", made).status_code == 302
        made.refresh_from_db()
        assert (made.status, made.confirmed_by) == (EditionStatus.WAITING, bank_clerk)
        made = recall_edition(edition=made, reason="推迟", by=bureau)
        assert made.status == EditionStatus.CONFIRMED

    def test_who_proposes_meanwhile_is_told(
        self, client_of: ClientOf, bank_clerk: User, bureau: User
    ) -> None:
        client = client_of(bank_clerk)
        assert "已经采纳" not in client.get(PROPOSE).content.decode()
        waiting(bureau)
        page = client.get(PROPOSE).content.decode()
        assert f"明天已经采纳，将于 {tomorrow()} 生效" in page

    def test_a_first_list_with_a_later_day_waits_too(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client_of: ClientOf, leader: User
    ) -> None:
        entry = json.loads((settings.FIXTURES / "lists" / f"{CODE}.json").read_text("utf-8"))
        entry["institution"] = "spdb"
        entry["edition"]["effective_from"] = tomorrow().isoformat()
        (tmp_path / "lists").mkdir()
        (tmp_path / "lists" / "spdb.json").write_text(json.dumps(entry), encoding="utf-8")
        monkeypatch.setattr(settings, "FIXTURES", tmp_path)
        load_lists(system())
        page = client_of(leader).get("/institutions/spdb/").content.decode()
        assert f"将于 {tomorrow()} 生效" in page
        (made,) = start_due_editions(on=tomorrow(), by=system())
        assert held("spdb") == made


class TestOvertaken:
    """A proposal, and an edition of the bureau that came into force after it was made."""

    def overtake(self, by: User, polarity: str = Polarity.NEGATIVE, **values: Any) -> ListEdition:
        """Put an edition in force that changes one clause, and attach wordings to all."""
        clause = clause_of(held(), polarity)
        changes = {(clause.polarity, clause.number): values or {"note": "财政局的理解"}}
        request = EditionRequest(f"修订 {by.pk}-{polarity}", local_today(), "财政局修订", changes)
        made = draft_edition(institution=held().institution, request=request, by=by)
        put_in_force(edition=made, by=by)
        Clause.objects.filter(edition=made).update(official_text="官方原文")
        return made

    def rebase(self, client: Client, edition: ListEdition, onto: ListEdition | None = None) -> Any:
        return post(client, "edition_rebase", edition, onto=str((onto or held()).pk))

    def states(self) -> list[Any]:
        rows = ListEdition.objects.order_by("pk").values_list()
        clauses = Clause.objects.order_by("edition", "position").values_list()
        return [list(rows), list(clauses), AuditRecord.objects.count()]

    def test_where_nobody_else_touched_its_clauses_it_is_accepted_on_the_newer_edition(
        self, client_of: ClientOf, bank_clerk: User, bureau: User
    ) -> None:
        first = held()
        made = proposed(client_of(bank_clerk), "改后的文字")
        post(client_of(bank_clerk), "edition_confirm", made)
        newer = self.overtake(bureau, text="财政局改的", note="财政局的理解")
        client = client_of(bureau)
        page = client.get(PAGE, {"compare": made.pk}).content.decode()
        assert reverse("edition_rebase", args=[made.pk]) in page
        assert reverse("edition_accept", args=[made.pk]) not in page
        assert "机构要重新确认" in page
        assert self.rebase(client, made).status_code == 302

        now = held()
        assert (now, now.based_on, now.created_by) == (made, newer, bank_clerk)
        assert (now.status, now.effective_from) == (EditionStatus.IN_FORCE, local_today())
        positive, negative = (clause_of(now, p) for p in Polarity)
        assert (positive.text, positive.official_text) == ("改后的文字", "")
        # Nothing of the newer edition is lost, down to what was attached to it.
        assert (negative.text, negative.note) == ("财政局改的", "财政局的理解")
        others = now.clauses.exclude(pk=positive.pk).order_by("position").values_list(*COMPARED)
        theirs = newer.clauses.exclude(position=positive.position).order_by("position")
        assert list(others) == list(theirs.values_list(*COMPARED))
        newer.refresh_from_db()
        first.refresh_from_db()
        assert {newer.status, first.status} == {EditionStatus.SUPERSEDED}
        # The bank stood by other lists than these: it may confirm what holds now.
        assert (now.confirmed_at, now.confirmed_by) == (None, None)
        assert post(client_of(bank_clerk), "edition_confirm", now).status_code == 302
        entry = AuditRecord.objects.get(action="institutions.rebase_edition")
        assert (entry.actor, entry.after["based_on"]) == (bureau, str(newer))
        assert entry.before["confirmed_by"] == str(bank_clerk)
        assert entry.after["changed"] == [positive.number]

    def test_where_both_changed_a_clause_the_page_shows_both_and_it_is_not_accepted(
        self, client_of: ClientOf, bank_clerk: User, bureau: User, leader: User
    ) -> None:
        clause = clause_of(held(), Polarity.POSITIVE)
        made = proposed(client_of(bank_clerk), "机构要的文字")
        newer = self.overtake(bureau, Polarity.POSITIVE, text="财政局要的文字", note="内部理解")
        before = self.states()
        client = client_of(bureau)
        response = client.get(PAGE, {"compare": made.pk})
        (clash,) = response.context["comparison"].clashes
        assert clash["clause"].number == clause.number
        texts = [{each["word"]: each["value"] for each in side} for side in clash["sides"]]
        assert [each["内容"] for each in texts] == ["财政局要的文字", "机构要的文字"]
        page = response.content.decode()
        assert f"现行版本“{newer.name}”也改了正面清单{clause.number}" in page
        for name in ("edition_rebase", "edition_accept"):
            assert reverse(name, args=[made.pk]) not in page
            refused = post(client, name, made, onto=str(newer.pk))
            assert refused.status_code == 409
        assert f"正面清单{clause.number}" in self.rebase(client, made).content.decode()
        assert self.states() == before
        # The bureau's note is for the bureau.
        assert "内部理解" in page
        for user in (bank_clerk, leader):
            seen = client_of(user).get(PAGE, {"compare": made.pk}).content.decode()
            assert "财政局要的文字" in seen
            assert "内部理解" not in seen
            assert (f"{PROPOSE}?again={made.pk}" in seen) == (user == bank_clerk)
        assert post(client, "edition_reject", made, reason="已另行修订").status_code == 302
        assert held() == newer

    @pytest.mark.parametrize("values", [{"strength": "case_by_case"}, {"note": "新的理解"}])
    def test_any_field_of_a_clause_counts_as_touched(
        self, values: dict[str, str], client_of: ClientOf, bank_clerk: User, bureau: User
    ) -> None:
        clause = clause_of(held(), Polarity.NEGATIVE)
        assert clause.strength != "case_by_case"
        assert propose(client_of(bank_clerk), **{f"text_{clause.pk}": "新"}).status_code == 302
        made = ListEdition.objects.order_by("-pk")[0]
        self.overtake(bureau, **values)
        assert self.rebase(client_of(bureau), made).status_code == 409

    def test_what_holds_already_is_no_clash_and_nothing_to_accept(
        self, client_of: ClientOf, bank_clerk: User, bureau: User
    ) -> None:
        made = proposed(client_of(bank_clerk), "两边一样的文字")
        self.overtake(bureau, Polarity.POSITIVE, text="两边一样的文字", note="顺带写明")
        client = client_of(bureau)
        page = client.get(PAGE, {"compare": made.pk}).content.decode()
        assert "已经是这样写的" in page
        assert reverse("edition_reject", args=[made.pk]) in page
        before = self.states()
        assert self.rebase(client, made).status_code == 409
        assert self.states() == before

    def test_what_was_looked_at_is_what_it_is_accepted_on(
        self, client_of: ClientOf, bank_clerk: User, bureau: User
    ) -> None:
        first, made = held(), proposed(client_of(bank_clerk))
        client = client_of(bureau)
        # Not overtaken yet: the plain way is the way.
        assert self.rebase(client, made).status_code == 409
        newer = self.overtake(bureau)
        before = self.states()
        for onto in ("", "abc", str(first.pk), "999999"):
            assert post(client, "edition_rebase", made, onto=onto).status_code == 409
        assert post(client, "edition_accept", made).status_code == 409
        assert client.post(reverse("edition_rebase", args=[999999])).status_code == 404
        assert self.states() == before
        assert self.rebase(client, made, newer).status_code == 302
        assert self.rebase(client, made, newer).status_code == 409

    def test_a_later_day_waits_and_an_earlier_one_becomes_today(
        self, client_of: ClientOf, bank_clerk: User, bureau: User
    ) -> None:
        early = draft(bank_clerk, name="早", on=held().effective_from)
        late = draft(bank_clerk, name="晚", on=tomorrow())
        newer = self.overtake(bureau)
        client = client_of(bureau)
        page = client.get(PAGE, {"compare": late.pk}).content.decode()
        assert f"其余照现行版本。采纳后到 {tomorrow()} 自动取代现行版本" in page
        answer = client.get(self.rebase(client, late).url).content.decode()
        assert f"晚已采纳，将于 {tomorrow()} 生效" in answer
        late.refresh_from_db()
        assert (held(), late.based_on, late.status) == (newer, newer, EditionStatus.WAITING)

        page = client.get(PAGE, {"compare": early.pk}).content.decode()
        assert "待生效的“晚”将退回重新决定。" in page
        assert "早已生效" in client.get(self.rebase(client, early).url).content.decode()
        assert (held(), held().effective_from) == (early, local_today())
        late.refresh_from_db()
        assert late.status == EditionStatus.DRAFT
        assert start_due_editions(on=tomorrow(), by=system()) == []

    def test_it_starts_on_its_day_with_all_of_the_edition_it_was_drawn_up_from(
        self, client_of: ClientOf, bank_clerk: User, bureau: User
    ) -> None:
        late = draft(bank_clerk, name="晚", on=tomorrow(), text="到时候的文字")
        self.overtake(bureau, text="财政局改的")
        client = client_of(bureau)
        assert self.rebase(client, late).status_code == 302
        assert post(client, "edition_recall", late, reason="推迟").status_code == 302
        # Drawn up anew already: the plain way is the way.
        assert post(client, "edition_accept", late).status_code == 302
        assert start_due_editions(on=tomorrow(), by=system()) == [late]
        positive, negative = (clause_of(held(), p) for p in Polarity)
        assert (positive.text, negative.text) == ("到时候的文字", "财政局改的")

    def test_what_was_handed_back_is_accepted_anew_for_its_day(
        self, client_of: ClientOf, bureau: User
    ) -> None:
        made = waiting(bureau)
        newer, client = self.overtake(bureau), client_of(bureau)
        assert self.rebase(client, made).status_code == 302
        made.refresh_from_db()
        assert (made.based_on, made.status) == (newer, EditionStatus.WAITING)

    def test_it_cannot_wait_beside_another(
        self, client_of: ClientOf, bank_clerk: User, bureau: User
    ) -> None:
        late = draft(bank_clerk, name="晚", on=tomorrow())
        self.overtake(bureau)
        waiting(bureau)
        client = client_of(bureau)
        page = client.get(PAGE, {"compare": late.pk}).content.decode()
        assert "“明天”已经采纳" in page
        assert reverse("edition_rebase", args=[late.pk]) not in page
        before = self.states()
        assert self.rebase(client, late).status_code == 409
        assert self.states() == before

    def test_only_the_bureau_accepts(
        self, client_of: ClientOf, bank_clerk: User, other_bank_clerk: User, bureau: User
    ) -> None:
        made = proposed(client_of(bank_clerk))
        newer = self.overtake(bureau)
        for user in (bank_clerk, other_bank_clerk):
            assert self.rebase(client_of(user), made).status_code == 403
            page = client_of(user).get(PAGE).content.decode()
            assert reverse("edition_rebase", args=[made.pk]) not in page
            with pytest.raises(NotAllowed):
                accept_rebased(edition=made, onto_id=newer.pk, by=user)
        assert client_of(other_bank_clerk).get(PAGE, {"compare": made.pk}).status_code == 404

    def test_it_is_proposed_again_with_its_words_filled_in(
        self, client_of: ClientOf, bank_clerk: User, other_bank_clerk: User, bureau: User
    ) -> None:
        negative = clause_of(held(), Polarity.NEGATIVE)
        client = client_of(bank_clerk)
        assert propose(client, **{f"text_{negative.pk}": "机构要的文字"}).status_code == 302
        made = ListEdition.objects.order_by("-pk")[0]
        newer = self.overtake(bureau, strength="case_by_case", text="财政局要的文字")
        again = f"{PROPOSE}?again={made.pk}"
        assert again in client.get(PAGE, {"compare": made.pk}).content.decode()
        form = client.get(again).context["form"]
        clause = clause_of(newer, Polarity.NEGATIVE)
        assert form[f"text_{clause.pk}"].value() == "机构要的文字"
        # What it did not change is as the newer edition has it.
        assert form[f"strength_{clause.pk}"].value() == "case_by_case"
        assert [row[0] for row in form.rows() if row[2]] == [clause]
        data = {name: str(form[name].value()) for name in form.fields}
        assert client.post(again, data).status_code == 302
        second = ListEdition.objects.order_by("-pk")[0]
        assert second.based_on == newer
        (row,) = differences(newer, second)
        assert (row["after"].text, row["fields"]) == ("机构要的文字", ["text"])
        assert post(client_of(bureau), "edition_accept", second).status_code == 302
        for wrong in ("abc", "999999", str(held("icbc").pk), "１"):
            assert client.get(f"{PROPOSE}?again={wrong}").status_code == 404
        assert client_of(other_bank_clerk).get(again).status_code == 403

    def test_queries_do_not_grow_with_what_changed(
        self, client_of: ClientOf, bank_clerk: User, bureau: User
    ) -> None:
        client = client_of(bureau)
        clauses = [c for c in held().clauses.order_by("position") if c.number][:12]

        def overtaken(name: str, count: int) -> str:
            changes = {(c.polarity, c.number): {"text": f"{name} 机构"} for c in clauses[:count]}
            made = draft_edition(
                institution=held().institution,
                request=EditionRequest(f"提出 {name}", local_today(), "试", changes),
                by=bank_clerk,
            )
            mine = {key: {"text": f"{name} 财政局"} for key in changes}
            other = draft_edition(
                institution=held().institution,
                request=EditionRequest(f"修订 {name}", local_today(), "试", mine),
                by=bureau,
            )
            put_in_force(edition=other, by=bureau)
            return f"{PAGE}?compare={made.pk}"

        one, many = overtaken("一", 1), overtaken("多", 12)
        client.get(one)
        assert count_queries(client, many) == count_queries(client, one)
