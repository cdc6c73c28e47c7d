"""Changing a clause: refused with a sentence, tried without a trace, put in force as an edition."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from common.errors import IllegalMove, NotAllowed
from common.models import AuditRecord, Sector
from common.months import local_today
from institutions.choices import EditionStatus
from institutions.models import Clause, ListEdition
from institutions.starting import start_due_editions
from matching.additions import read_additions, with_additions
from matching.amendments import (
    Amendment,
    checker_of,
    clause_of,
    enforce_amendment,
)
from matching.checking import parse_condition
from matching.conditions import ConditionError
from matching.forms import ClauseForm
from matching.models import MatchRun, ProjectMatch, VocabularyVersion
from matching.services import run_at_once
from matching.versions import latest_vocabulary
from projects.models import Project
from tests.factories import make_project

ClientOf = Callable[[User], Client]
# Words that no vocabulary of the fixtures has.
ODD, NEW_WORD = "量子茶炊", "量子储地"


@pytest.fixture
def office(bureau: User, client_of: ClientOf) -> Client:
    """The bureau's browser."""
    return client_of(bureau)


@pytest.fixture
def clause(register: None) -> Clause:
    """A clause that excludes."""
    edition = ListEdition.objects.in_force().get(institution__code="adbc")
    return edition.clauses.filter(polarity="negative", strength="hard").exclude(number="")[0]


def url_of(clause: Clause) -> str:
    return reverse("clause_edit", args=[clause.edition_id, clause.polarity, clause.number])


def send(client: Client, clause: Clause, do: str, **changed: Any) -> Any:
    """Post the form as the page shows it, but for what is changed."""
    shown = client.get(url_of(clause)).context["form"]
    data = {name: shown[name].value() or "" for name in shown.fields} | {"do": do} | changed
    return client.post(url_of(clause), data)


def project_of(text: str, county: str = "疏勒县") -> Project:
    project = make_project(f"示例：{text}", county=county)
    project.content = text
    # A sector of which the lists say little, so that the words decide.
    project.sector = Sector.objects.get(code="C1340")
    project.save()
    return project


def changes_in(response: Any) -> list[tuple[str, str, str, str]]:
    return [
        (row["project"].id, row["institution"], row["before"]["word"], row["after"]["word"])
        for row in response.context["trial"]["rows"]
    ]


def counts() -> tuple[int, ...]:
    models = (ListEdition, Clause, VocabularyVersion, MatchRun, ProjectMatch, AuditRecord)
    return tuple(model.objects.count() for model in models)


# --- Refusals at the field ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "sentence"),
    [
        ("{", "不是完整的 JSON：第 1 行"),
        ("[]", "花括号"),
        ("null", "花括号"),
        ("{}", "一个条件只能有一个键，现在是：没有键"),
        ('{"is": ["subject:cotton"], "any": []}', "一个条件只能有一个键，现在是：is、any"),
        ('{"is": ["subject:a"], "is": ["subject:b"]}', "有键写了两次"),
        ('{"is": []}', "至少一项"),
        ('{"is": "subject:cotton"}', "方括号"),
        ('{"is": ["subject:quantum_tea"]}', "没有“subject:quantum_tea”"),
        ('{"is": ["sector:Z99"]}', "没有“sector:Z99”"),
        ('{"is": ["cotton"]}', "类别:编号"),
        ('{"is": [["subject:cotton"]]}', "类别:编号"),
        ('{"is": [{"a": 1}]}', "类别:编号"),
        ('{"all": [{"is": ["subject:cotton"]}, {"maybe": 1}]}', "all 第 2 项：不认识的条件“maybe”"),
        ('{"not": ["subject:cotton"]}', "not：要写成花括号"),
        ('{"shared": "nothing_of_the_sort"}', "公用条件"),
        ('{"shared": ["x"]}', "公用条件"),
        ('{"demand_below": "很多"}', "大于零的万元数"),
        ('{"demand_below": NaN}', "不是数"),
        ('{"demand_from": 1e400}', "大于零的万元数"),
        ('{"demand_from": true}', "大于零的万元数"),
        ('{"term_above": -1}', "大于零的月数"),
        ('{"ask": ""}', "写一句话"),
        ('{"ask": "a\\u0000b"}', "控制字符"),
        ('{"ask": "\\ud800"}', "控制字符"),
        ('{"demand_below": ' + "9" * 5000 + "}", "数太长"),
        ('{"not": ' * 20 + "{}" + "}" * 20, "套得太深"),
        ("[" * 9000, "套得太深"),
        (
            json.dumps({"all": [{"any": [{"not": {"is": ["subject:cotton"]}}] * 3}] * 9}),
            "过于庞大",
        ),
        (json.dumps({"ask": "问" * 30000}), "20000"),
    ],
)
def test_a_wrong_condition_gets_a_sentence_at_the_field(
    condition: str, sentence: str, office: Client, clause: Clause
):
    before = counts()
    for do in ("trial", "enforce"):
        response = send(office, clause, do, condition=condition, reason="试")
        assert response.status_code == 422
        assert sentence in response.context["form"].errors["condition"][0]
        assert counts() == before


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("棉花", "第 1 行要写成"),
        ("\nsubject:cotton", "第 2 行要写成"),
        ("subject:quantum_tea → 茶炊炉", "词表里没有“subject:quantum_tea”"),
        ("subject:cotton → 炉", "一个词 2 到 30 个字"),
        ("subject:cotton → " + "炉" * 31, "一个词 2 到 30 个字"),
        ("subject:cotton → 棉花", "已经是“棉花"),
        ("subject:cotton → 不涉及", "两种意思"),
        ("subject:cotton → " + "、".join(f"量子{n}" for n in range(201)), "最多补充 200"),
    ],
)
def test_wrong_words_get_a_sentence_at_the_field(
    words: str, sentence: str, office: Client, clause: Clause
):
    response = send(office, clause, "trial", words=words)
    assert response.status_code == 422
    assert sentence in response.context["form"].errors["words"][0]


def test_putting_in_force_needs_name_day_and_reason(office: Client, clause: Clause):
    before = counts()
    cases = [
        ({"reason": ""}, "reason", "请写明修改的原因。"),
        ({"name": ""}, "name", "请给新版本起一个名称。"),
        ({"name": clause.edition.name}, "name", "已有名为"),
        ({"effective_from": ""}, "effective_from", "请填写生效日期。"),
        ({"effective_from": "2022-02-19"}, "effective_from", "现行版本的 2022-02-20"),
        ({"strength": "furious"}, "strength", ""),
        ({"title": ""}, "title", ""),
    ]
    for changed, name, sentence in cases:
        data = {"reason": "试", "title": "新标题"} | changed
        response = send(office, clause, "enforce", **data)
        assert response.status_code == 422, changed
        assert sentence in response.context["form"].errors[name][0]
    assert counts() == before


def test_a_change_that_changes_nothing_is_refused(office: Client, clause: Clause):
    for do in ("trial", "enforce"):
        response = send(office, clause, do, reason="没有改")
        assert response.status_code == 422
        assert "没有任何改动" in response.content.decode()


def test_every_condition_in_force_passes_the_check(register: None):
    checker = checker_of(latest_vocabulary())
    raws = [each.condition for each in Clause.objects.all() if each.condition]
    assert len(raws) > 200
    for raw in raws:
        checker.check(raw)
        assert parse_condition(json.dumps(raw)) == raw


# --- Trial ----------------------------------------------------------------------------------------


def test_a_trial_lists_what_would_change_and_saves_nothing(office: Client, clause: Clause):
    cotton = project_of("种植棉花并建设轧花厂")
    project_of("新建小学教学楼")
    before = counts()
    response = send(office, clause, "trial", condition='{"is": ["subject:cotton"]}')
    assert response.status_code == 200
    bank = clause.edition.institution.list_name
    assert changes_in(response) == [(cotton.code, bank, "支持", "排除")]
    (row,) = response.context["trial"]["rows"]
    cited = row["after"]["reasons"][0]
    assert (cited["word"], cited["clause"], cited["is_changed"]) == ("负面", clause.number, True)
    assert "棉花" in "".join(cited["evidence"])
    assert response.context["trial"]["tried"] == 2
    assert "没有保存" in response.content.decode()
    assert counts() == before
    clause.refresh_from_db()
    assert clause.condition != {"is": ["subject:cotton"]}
    # What was typed is still in the form.
    assert response.context["form"]["condition"].value() == '{"is": ["subject:cotton"]}'


def test_strength_and_no_condition_are_tried_too(office: Client, clause: Clause):
    project_of("种植棉花")
    changed = {"condition": '{"is": ["subject:cotton"]}', "strength": "soft"}
    assert [row[3] for row in changes_in(send(office, clause, "trial", **changed))] == ["受限"]
    response = send(office, clause, "trial", condition="")
    assert response.status_code == 200
    assert response.context["trial"]["changed"] == 0
    assert "结论都不变" in response.content.decode()


def test_a_trial_is_narrowed_by_text_and_county(office: Client, clause: Clause):
    here = project_of("种植棉花", "疏勒县")
    there = project_of("收购棉花", "莎车县")
    condition = '{"is": ["subject:cotton"]}'

    def found(**scope: Any) -> set[str]:
        response = send(office, clause, "trial", condition=condition, **scope)
        return {row[0] for row in changes_in(response)}

    assert found() == {here.code, there.code}
    assert found(region=there.region_id) == {there.code}
    assert found(q="种植棉花") == {here.code}
    response = send(office, clause, "trial", condition=condition, q="没有的字")
    assert "没有符合条件的项目" in response.content.decode()


def test_a_trial_stops_at_the_limit_and_says_so(
    office: Client, clause: Clause, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("matching.amendments.MOST_PROJECTS", 2)
    for _ in range(3):
        project_of("种植棉花")
    response = send(office, clause, "trial", condition='{"is": ["subject:cotton"]}')
    assert response.context["trial"]["tried"] == 2
    assert "符合的有 3 个" in response.content.decode()


def test_added_words_are_tried_on_all_institutions(office: Client, clause: Clause):
    project = project_of(f"购置{NEW_WORD}")
    before = counts()
    response = send(office, clause, "trial", words=f"subject:land_reserve → {NEW_WORD}")
    rows = changes_in(response)
    assert {row[0] for row in rows} == {project.code}
    assert clause.edition.institution.list_name in {row[1] for row in rows}
    assert len({row[1] for row in rows}) > 1
    assert {row[3] for row in rows} <= {"排除", "受限"}
    assert NEW_WORD in response.content.decode()
    assert counts() == before


# --- In force -------------------------------------------------------------------------------------


def test_in_force_makes_a_new_edition_and_supersedes_the_old(
    office: Client, bureau: User, clause: Clause
):
    Clause.objects.filter(pk=clause.pk).update(official_text="官方原文")
    old = clause.edition
    project = project_of("种植棉花")
    run_at_once(by=bureau, reason="改前")
    condition = {"is": ["subject:cotton"]}
    response = send(
        office,
        clause,
        "enforce",
        condition=json.dumps(condition),
        name="试行修订",
        reason="棉花另有渠道",
    )
    old.refresh_from_db()
    new = ListEdition.objects.in_force().get(institution=old.institution)
    assert (old.status, old.effective_until) == (EditionStatus.SUPERSEDED, local_today())
    assert (new.name, new.reason, new.created_by) == ("试行修订", "棉花另有渠道", bureau)
    made = new.clauses.get(polarity=clause.polarity, number=clause.number)
    assert made.condition == condition
    assert (made.title, made.text) == (clause.title, clause.text)
    # The wording did not change, so the official one still is that of the clause.
    assert made.official_text == "官方原文"
    assert new.clauses.count() == old.clauses.count()
    assert Clause.objects.get(pk=clause.pk).condition == clause.condition
    assert VocabularyVersion.objects.count() == 1
    actions = set(AuditRecord.objects.values_list("action", flat=True))
    assert {"institutions.draft_edition", "institutions.put_in_force"} <= actions
    # Stored verdicts wait for a new run, which the page offers.
    page = office.get(response.url)
    assert page.status_code == 200
    assert reverse("match_start") in page.content.decode()
    match = ProjectMatch.objects.filter(project=project, institution=old.institution)
    assert match.get().verdict == "supported"
    run_at_once(by=bureau, reason="改后")
    assert match.get().verdict == "excluded"
    assert reverse("match_start") not in office.get(response.url).content.decode()


def test_a_note_is_changed_like_any_other_field(
    office: Client, bank_clerk: User, leader: User, clause: Clause, client_of: ClientOf
):
    old = clause.edition
    Clause.objects.filter(pk=clause.pk).update(official_text="官方原文", note="旧的理解")
    clause.refresh_from_db()
    before = counts()
    tried = send(office, clause, "trial", note="按成品理解")
    assert tried.status_code == 200
    assert tried.context["trial"]["changed"] == 0
    assert send(office, clause, "enforce", note="按" * 1001, reason="试").status_code == 422
    assert counts() == before
    response = send(office, clause, "enforce", note="按成品理解\r\n不含原料", reason="理解变了")
    assert response.status_code == 302
    new = ListEdition.objects.in_force().get(institution=old.institution)
    made = new.clauses.get(polarity=clause.polarity, number=clause.number)
    assert made.note == "按成品理解\n不含原料"
    same = ("title", "text", "strength", "condition", "official_text")
    assert [getattr(made, name) for name in same] == [getattr(clause, name) for name in same]
    assert Clause.objects.get(pk=clause.pk).note == "旧的理解"
    # The bureau reads it beside the clause and in the comparison; nobody else does.
    page = reverse("institution", args=[old.institution.code])
    for person, is_reader in ((office, True), (client_of(bank_clerk), False)):
        assert ("按成品理解" in person.get(page).content.decode()) is is_reader
        compared = person.get(page, {"compare": old.pk}).content.decode()
        assert ("旧的理解" in compared) is is_reader
        assert ("条款完全相同" in compared) is not is_reader
    assert "按成品理解" not in client_of(leader).get(page).content.decode()


def test_no_clause_changes_by_being_opened(register: None):
    for clause in Clause.objects.filter(edition__status=EditionStatus.IN_FORCE).exclude(number=""):
        form = ClauseForm(clause=clause)
        shown = {name: form[name].value() for name in form.fields if form[name].value() is not None}
        sent = ClauseForm(shown, clause=clause)
        assert sent.is_valid(), sent.errors
        assert sent.amendment().is_empty, clause


def test_added_words_become_a_further_version_that_reads_projects(
    office: Client, bureau: User, clause: Clause
):
    project = project_of(f"购置{NEW_WORD}")
    held = latest_vocabulary()
    edition = clause.edition
    response = send(
        office,
        clause,
        "enforce",
        words=f"subject:land_reserve → {NEW_WORD}、{ODD}",
        reason="新设备",
    )
    assert response.status_code == 302
    made = latest_vocabulary()
    assert (made.version, made.reason, made.created_by) == (held.version + 1, "新设备", bureau)
    assert made.data["words"][:-1] == held.data["words"]
    assert made.data["shared"] == held.data["shared"]
    assert AuditRecord.objects.get(action="matching.add_words").after["words"] == {
        "subject:land_reserve": [NEW_WORD, ODD]
    }
    # The clause itself did not change: its edition stays.
    edition.refresh_from_db()
    assert edition.status == EditionStatus.IN_FORCE
    assert ListEdition.objects.filter(institution=edition.institution).count() == 1
    run_at_once(by=bureau, reason="新词")
    match = ProjectMatch.objects.get(project=project, institution=edition.institution)
    assert match.verdict == "excluded"
    assert NEW_WORD in {word for reason in match.reasons for word in reason["evidence"]}
    # And once more, on top of that version.
    again = send(office, clause, "enforce", words="cotton: 量子弹花机", reason="再补")
    assert again.status_code == 302
    assert latest_vocabulary().version == held.version + 2


def test_what_does_not_go_through_leaves_nothing(bureau: User, clause: Clause):
    before = counts()
    # The clash shows only after the edition was made: it must go with it.
    amendment = Amendment(clause, {"title": "新标题"}, {"subject:cotton": ["不涉及"]})
    with pytest.raises(ConditionError):
        enforce_amendment(
            amendment=amendment, name="新", effective_from=local_today(), reason="试", by=bureau
        )
    assert counts() == before


def test_an_edition_that_was_replaced_meanwhile_cannot_be_changed(
    office: Client, bureau: User, clause: Clause
):
    said: dict[str, Any] = {"effective_from": local_today(), "reason": "试", "by": bureau}
    first, second = (Amendment(clause, {"title": title}) for title in ("甲", "乙"))
    enforce_amendment(amendment=first, name="甲", **said)
    with pytest.raises(IllegalMove, match="已被取代"):
        enforce_amendment(amendment=second, name="乙", **said)
    response = office.get(url_of(clause))
    assert response.status_code == 409
    assert "从现行版本的条款进入" in response.content.decode()


def test_what_was_typed_stays_where_somebody_else_came_first(
    office: Client, clause: Clause, monkeypatch: pytest.MonkeyPatch
):
    def overtaken(**_: Any) -> None:
        raise IllegalMove("现行版本刚刚换了。")

    monkeypatch.setattr("matching.clause_views.enforce_amendment", overtaken)
    response = send(office, clause, "enforce", title="改了半天的标题", reason="试")
    assert response.status_code == 409
    assert response.context["form"]["title"].value() == "改了半天的标题"
    assert "现行版本刚刚换了" in response.content.decode()


# --- On a later day -------------------------------------------------------------------------------


def tomorrow() -> date:
    return local_today() + timedelta(days=1)


def enforce_later(office: Client, clause: Clause, name: str = "明天", **said: Any) -> Any:
    data = {"title": "新标题", "reason": "试"} | said
    return send(office, clause, "enforce", name=name, effective_from=tomorrow(), **data)


def test_with_a_later_day_it_waits_and_the_list_in_force_stays_the_one_to_edit(
    office: Client, clause: Clause
):
    response = enforce_later(office, clause)
    assert response.status_code == 302
    made = ListEdition.objects.waiting().get()
    assert ListEdition.objects.in_force().get(institution=made.institution) == clause.edition
    assert made.clauses.get(polarity=clause.polarity, number=clause.number).title == "新标题"
    page = office.get(response.url)
    assert page.context["clause"] == clause
    assert f"已采纳，将于 {tomorrow()} 生效，之后自动重新匹配。" in page.content.decode()
    assert start_due_editions(on=tomorrow(), by=User.objects.system()) == [made]


def test_who_edits_while_an_edition_waits_is_warned(office: Client, clause: Clause):
    assert "退回重新决定" not in office.get(url_of(clause)).content.decode()
    enforce_later(office, clause)
    made = ListEdition.objects.waiting().get()
    page = office.get(url_of(clause)).content.decode()
    assert f"/institutions/adbc/?compare={made.pk}" in page
    assert "待生效的“明天”将退回重新决定。" in page
    before = counts()
    response = enforce_later(office, clause, "后天")
    assert response.status_code == 422
    assert "请先撤回它" in response.context["form"].errors["effective_from"][0]
    assert counts() == before
    response = send(office, clause, "enforce", title="急改", reason="试")
    assert response.status_code == 302
    made.refresh_from_db()
    assert made.status == EditionStatus.DRAFT


def test_words_cannot_wait(office: Client, clause: Clause):
    before = counts()
    words = f"subject:cotton → {ODD}"
    response = enforce_later(office, clause, words=words)
    assert response.status_code == 422
    assert "不能等到以后" in response.content.decode()
    assert counts() == before


# --- Who and where --------------------------------------------------------------------------------


def test_only_the_bureau(
    clause: Clause, bank_clerk: User, county_clerk: User, leader: User, client_of: ClientOf
):
    for person in (bank_clerk, county_clerk, leader):
        client = client_of(person)
        assert client.post(url_of(clause), {"do": "trial"}).status_code == 403
        assert client.get(reverse("clauses")).status_code == 403
        with pytest.raises(NotAllowed):
            enforce_amendment(
                amendment=Amendment(clause, {"title": "新"}),
                name="新",
                effective_from=local_today(),
                reason="试",
                by=person,
            )


def test_a_clause_is_found_by_number_and_by_position(bureau: User, clause: Clause, office: Client):
    by_number = clause_of(clause.edition_id, clause.polarity, clause.number, bureau)
    by_position = clause_of(clause.edition_id, clause.polarity, str(clause.position), bureau)
    assert by_number == by_position == clause
    for place in ("（九十九）", "999", "99999", "²"):
        address = reverse("clause_edit", args=[clause.edition_id, clause.polarity, place])
        assert office.get(address).status_code == 404


def test_a_note_of_a_list_cannot_be_changed(office: Client, clause: Clause):
    last = clause.edition.clauses.order_by("-position")[0].position
    note = Clause.objects.create(
        edition=clause.edition, position=last + 1, polarity="negative", title="注", text="说明"
    )
    address = reverse("clause_edit", args=[clause.edition_id, "negative", note.position])
    assert office.get(address).status_code == 409


def test_the_list_is_narrowed_and_leads_to_the_editor(office: Client, clause: Clause):
    response = office.get(reverse("clauses"), {"institution": "adbc", "polarity": "negative"})
    rows = list(response.context["page_obj"])
    assert {row.edition.institution.code for row in rows} == {"adbc"}
    assert {row.polarity for row in rows} == {"negative"}
    args = [clause.edition_id, clause.polarity, clause.position]
    assert reverse("clause_edit", args=args) in response.content.decode()
    assert "没有符合条件的条款" in office.get(reverse("clauses"), {"q": ODD}).content.decode()


def test_subjects_are_found_by_id_label_and_word(office: Client):
    def found(text: str) -> set[str]:
        response = office.get(reverse("clause_subjects"), {"subject": text})
        return {subject.atom for subject in response.context["subjects"]}

    assert "subject:cotton" in found("cotton")
    assert "subject:cotton" in found("棉花")
    assert "borrower:public_hospital" in found("public_hospital")
    assert "subject:wires_cables" in found("电缆")
    assert found(ODD) == set()
    part = office.get(
        reverse("clause_subjects"), {"subject": "棉花"}, headers={"HX-Request": "true"}
    )
    assert part.content.decode().lstrip().startswith('<div id="subjects">')


def test_a_subject_shows_what_was_sought_first_and_the_deed_goods_need(office: Client):
    response = office.get(reverse("clause_subjects"), {"subject": "电缆"})
    (cables,) = (each for each in response.context["subjects"] if "wires" in each.atom)
    assert "电缆（生产）" in cables.terms[:6]
    assert "电缆（生产）" in response.content.decode()


# --- Words as typed -------------------------------------------------------------------------------


def test_words_are_read_in_the_ways_people_type_them():
    typed = "subject:cotton → 甲甲、乙乙，甲甲\ncotton：丙丙\n\nborrower:company = 丁 丁;戊戊"
    assert read_additions(typed) == {
        "subject:cotton": ["甲甲", "乙乙", "丙丙"],
        "borrower:company": ["丁 丁", "戊戊"],
    }
    assert read_additions(" \n") == {}


def test_an_added_word_keeps_what_its_subject_is_kept_by():
    entry = {"label": "主城区", "terms": ["主城区"], "kept_by": ["places"]}
    data = {"words": [{"subjects": {"core": entry}}], "shared": {}}
    made = with_additions(data, {"subject:core": ["老城核心"]}, 7)
    added = made["words"][-1]["subjects"]["added_7_core"]
    assert added == {
        "label": "主城区",
        "parents": ["core"],
        "terms": ["老城核心"],
        "kept_by": ["places"],
    }
    assert len(data["words"]) == 1
