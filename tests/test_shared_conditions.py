"""Conditions that clauses share: who goes by them, tried without a trace, put in force whole."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from common.errors import IllegalMove, InvalidInput, NotAllowed, NotFound
from common.models import AuditRecord, Sector
from institutions.choices import EditionStatus
from institutions.models import Clause, ListEdition
from matching.amendments import checker_of
from matching.checking import ConditionChecker, shared_of
from matching.conditions import ConditionError
from matching.models import MatchRun, ProjectMatch, VocabularyVersion
from matching.services import run_at_once
from matching.shared_conditions import SharedChange, SharedUse, enforce_shared, use_of, uses_of
from matching.versions import latest_vocabulary
from projects.models import Project
from tests.factories import make_project

pytestmark = pytest.mark.usefixtures("register")

ClientOf = Callable[[User], Client]
LIST = reverse("shared_conditions")
# Many clauses go by it, some through a condition that refers to it.
NAME, THROUGH = "land_reserve", "commercial_real_estate_and_land_reserve"
URL = reverse("shared_condition", args=[NAME])
COTTON = {"is": ["subject:cotton"]}


@pytest.fixture
def office(bureau: User, client_of: ClientOf) -> Client:
    """The bureau's browser."""
    return client_of(bureau)


def shared() -> dict[str, Any]:
    found: dict[str, Any] = latest_vocabulary().data["shared"]
    return found


def send(client: Client, do: str, url: str = URL, **changed: Any) -> Any:
    """Post the form as the page shows it, but for what is changed."""
    shown = client.get(url).context["form"]
    data = {name: shown[name].value() or "" for name in shown.fields} | {"do": do}
    return client.post(url, data | changed)


def change(raw: dict[str, Any], name: str = NAME, version: int | None = None) -> SharedChange:
    return SharedChange(name, raw, version or latest_vocabulary().version)


def add_version(by: User, **conditions: Any) -> VocabularyVersion:
    held = latest_vocabulary()
    data = {**held.data, "shared": {**held.data["shared"], **conditions}}
    return VocabularyVersion.objects.create(
        version=held.version + 1, data=data, reason="别处的改动。", created_by=by
    )


def project_of(text: str, county: str = "疏勒县") -> Project:
    project = make_project(f"示例：{text}", county=county)
    project.content = text
    # A sector of which the lists say little, so that the words decide.
    project.sector = Sector.objects.get(code="C1340")
    project.save()
    return project


def counts() -> tuple[int, ...]:
    models = (VocabularyVersion, ListEdition, Clause, MatchRun, ProjectMatch, AuditRecord)
    return tuple(model.objects.count() for model in models)


def queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


# --- Who goes by them -----------------------------------------------------------------------------


def test_the_list_counts_the_clauses_that_go_by_each(office: Client, bureau: User):
    uses = {use.name: use for use in uses_of(latest_vocabulary(), bureau)}
    assert set(uses) == set(shared())
    direct = [c for c in Clause.objects.all() if NAME in shared_of(c.condition)]
    through = [c for c in Clause.objects.all() if THROUGH in shared_of(c.condition)]
    assert direct
    assert through
    assert {c.pk for c in uses[NAME].clauses} == {c.pk for c in direct + through}
    assert THROUGH in uses[NAME].referring
    assert sum(map(len, uses[NAME].by_institution.values())) == len(uses[NAME].clauses)
    page = office.get(LIST, {"q": "土地收储"})
    names = [use.name for use in page.context["page_obj"]]
    assert NAME in names
    assert len(names) < len(uses)
    text = page.content.decode()
    assert f'href="{URL}"' in text
    assert uses[NAME].note in text
    assert "没有这样的公用条件" in office.get(LIST, {"q": "量子茶炊"}).content.decode()


def test_only_the_lists_in_force_count(bureau: User):
    before = use_of(NAME, latest_vocabulary(), bureau).clauses
    edition = before[0].edition
    ListEdition.objects.filter(pk=edition.pk).update(status=EditionStatus.SUPERSEDED)
    after = use_of(NAME, latest_vocabulary(), bureau).clauses
    assert [c.pk for c in after] == [c.pk for c in before if c.edition_id != edition.pk]


def test_the_page_of_one_leads_to_its_clauses(office: Client, bureau: User):
    page = office.get(URL)
    text = page.content.decode()
    for clause in use_of(NAME, latest_vocabulary(), bureau).clauses:
        place = [clause.edition_id, clause.polarity, clause.position]
        assert reverse("clause_edit", args=place) in text
    assert reverse("shared_condition", args=[THROUGH]) in text
    form = page.context["form"]
    assert form["note"].value() == shared()[NAME]["note"]
    assert "note" not in json.loads(form["condition"].value())
    assert LIST in office.get(reverse("clauses")).content.decode()


def test_every_shared_condition_opens_and_checks_as_it_stands(office: Client):
    checker = checker_of(latest_vocabulary())
    for name, raw in shared().items():
        checker.check(raw, name=name)
        response = send(office, "trial", reverse("shared_condition", args=[name]), q="没有的字")
        assert response.status_code == 422
        assert "没有任何改动" in response.content.decode()


def test_queries_do_not_grow_with_clauses_and_conditions(office: Client, bureau: User):
    office.get(LIST)
    few = queries(office, LIST), queries(office, URL)
    template = Clause.objects.filter(condition__has_key="shared").exclude(number="")[0]
    for place in range(200, 230):
        template.pk, template.position, template.number = None, place, f"（{place}）"
        template.condition = {"shared": NAME}
        template.save()
    add_version(bureau, **{f"further_{n}": {"shared": NAME} for n in range(20)})
    assert (queries(office, LIST), queries(office, URL)) == few


# --- Refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "sentence"),
    [
        ("", "必填"),
        ("  ", "不能留空"),
        ("{", "不是完整的 JSON"),
        ('{"note": "只有说明"}', "写在“说明”一栏"),
        ('{"is": ["subject:quantum_tea"]}', "没有“subject:quantum_tea”"),
        ('{"shared": "nothing_of_the_sort"}', "没有叫“nothing_of_the_sort”的公用条件"),
        (f'{{"shared": "{NAME}"}}', f"绕回了自己：{NAME} → {NAME}。"),
        (
            f'{{"any": [{{"is": ["subject:cotton"]}}, {{"not": {{"shared": "{THROUGH}"}}}}]}}',
            f"绕回了自己：{NAME} → {THROUGH} → {NAME}。",
        ),
        ('{"any": [{"hard": {"is": ["subject:cotton"]}}]}', "写在公用条件里不起作用"),
        (
            json.dumps({"all": [{"any": [{"not": COTTON}] * 3}] * 9}),
            "过于庞大",
        ),
    ],
)
def test_a_condition_that_does_not_check_gets_a_sentence_at_the_field(
    condition: str, sentence: str, office: Client
):
    before = counts()
    for do in ("trial", "enforce"):
        response = send(office, do, condition=condition, reason="试")
        assert response.status_code == 422
        errors = response.context["form"].errors["condition"]
        assert len(errors) == 1
        assert sentence in errors[0]
        assert response.context["form"]["condition"].value() == condition
    assert counts() == before


def test_a_condition_too_large_for_a_clause_that_goes_by_it_is_refused(bureau: User):
    clause = use_of(NAME, latest_vocabulary(), bureau).clauses[0]
    factor = {"any": [{"not": COTTON}, {"not": {"is": ["subject:grain"]}}]}
    clause.condition = {"all": [{"shared": NAME}, *[factor] * 7]}
    clause.save()
    checker_of(latest_vocabulary()).check(clause.condition)
    before = counts()
    raw = {"any": [{"not": {"is": [f"subject:{name}"]}} for name in ("cotton", "grain")] * 10}
    with pytest.raises(ConditionError, match="引用它，改后展开过于庞大") as refusal:
        enforce_shared(change=change(raw), reason="试", by=bureau)
    assert f"{clause.edition.institution}{clause.get_polarity_display()}{clause.number}" in str(
        refusal.value
    )
    assert counts() == before


def test_what_comes_back_to_itself_elsewhere_is_found_too():
    checker = ConditionChecker({"subject:a"}, {"x": {"shared": "y"}, "y": {"shared": "x"}})
    with pytest.raises(ConditionError, match="x → y → x"):
        checker.check({"shared": "x"})


@pytest.mark.parametrize("do", ["trial", "enforce"])
def test_a_version_that_came_meanwhile_is_not_overwritten(
    do: str, office: Client, leader: User, bureau: User
):
    opened = latest_vocabulary().version
    newer = add_version(leader, **{NAME: {"is": ["subject:grain"], "note": "别人的"}})
    before = counts()
    typed = json.dumps(COTTON)
    response = send(office, do, version=opened, condition=typed, reason="试")
    assert response.status_code == 409
    text = response.content.decode()
    assert f"行署 领导让{newer}生效了（别处的改动）" in text
    # What was typed is still there, and what holds now stands beside it.
    assert response.context["form"]["condition"].value() == typed
    assert "subject:grain" in response.context["holding"]
    assert counts() == before
    # The page keeps refusing until it is opened anew.
    assert response.context["form"]["version"].value() == str(opened)
    assert send(office, do, version="", condition=typed, reason="试").status_code == 409
    with pytest.raises(IllegalMove, match="重新打开"):
        enforce_shared(change=change(COTTON, version=opened), reason="试", by=bureau)
    assert counts() == before


def test_no_reason_and_no_change_are_refused(office: Client, bureau: User):
    before = counts()
    response = send(office, "enforce", condition=json.dumps(COTTON), reason=" ")
    assert response.status_code == 422
    assert response.context["form"].errors["reason"] == ["请写明修改的原因。"]
    assert send(office, "enforce", reason="没有改").status_code == 422
    with pytest.raises(InvalidInput, match="原因"):
        enforce_shared(change=change(COTTON), reason=" ", by=bureau)
    with pytest.raises(NotFound):
        enforce_shared(change=change(COTTON, "nothing_of_the_sort"), reason="试", by=bureau)
    assert counts() == before


def test_only_the_bureau_and_only_what_there_is(
    office: Client, bank_clerk: User, county_clerk: User, leader: User, client_of: ClientOf
):
    before = counts()
    for person in (bank_clerk, county_clerk, leader):
        client = client_of(person)
        assert client.get(LIST).status_code == 403
        assert client.post(URL, {"do": "enforce"}).status_code == 403
        with pytest.raises(NotAllowed):
            enforce_shared(change=change(COTTON), reason="试", by=person)
    gone = reverse("shared_condition", args=["nothing_of_the_sort"])
    assert office.get(gone).status_code == 404
    assert office.post(gone, {"do": "enforce"}).status_code == 404
    assert counts() == before


# --- Trial ----------------------------------------------------------------------------------------


def changes_in(response: Any) -> set[tuple[str, str, str]]:
    return {
        (row["project"].id, row["institution"], row["after"]["word"])
        for row in response.context["trial"]["rows"]
    }


def names_of(use: SharedUse) -> set[str]:
    return {institution.list_name for institution in use.by_institution}


def test_a_trial_says_what_changes_at_every_institution_and_saves_nothing(
    office: Client, bureau: User
):
    cotton = project_of("种植棉花并建设轧花厂")
    project_of("新建小学教学楼")
    before = counts()
    response = send(office, "trial", condition=json.dumps(COTTON))
    assert response.status_code == 200
    found = changes_in(response)
    assert {row[0] for row in found} == {cotton.code}
    affected = {row[1] for row in found}
    assert 1 < len(affected) <= len(names_of(use_of(NAME, latest_vocabulary(), bureau)))
    assert affected <= names_of(use_of(NAME, latest_vocabulary(), bureau))
    assert {row[2] for row in found} <= {"排除", "受限"}
    assert dict(response.context["trial"]["institutions"]) == dict.fromkeys(affected, 1)
    # The clauses that go by the condition come first and are marked.
    for row in response.context["trial"]["rows"]:
        assert row["after"]["reasons"][0]["is_changed"]
    assert response.context["trial"]["tried"] == 2
    assert "没有保存" in response.content.decode()
    assert counts() == before


def test_a_trial_is_narrowed_by_text_and_county_and_stops_at_the_limit(
    office: Client, monkeypatch: pytest.MonkeyPatch
):
    here, there = project_of("种植棉花", "疏勒县"), project_of("收购棉花", "莎车县")
    typed = json.dumps(COTTON)

    def tried(**scope: Any) -> set[str]:
        return {row[0] for row in changes_in(send(office, "trial", condition=typed, **scope))}

    assert tried() == {here.code, there.code}
    assert tried(region=there.region_id) == {there.code}
    assert tried(q="种植棉花") == {here.code}
    monkeypatch.setattr("matching.shared_conditions.MOST_PROJECTS", 1)
    response = send(office, "trial", condition=typed)
    assert response.context["trial"]["tried"] == 1
    assert "符合的有 2 个" in response.content.decode()


def test_a_condition_nobody_goes_by_changes_no_verdict(office: Client, bureau: User):
    add_version(bureau, nobody={"is": ["subject:grain"]})
    project_of("种植棉花")
    url = reverse("shared_condition", args=["nobody"])
    assert "没有条款引用它" in office.get(url).content.decode()
    response = send(office, "trial", url, condition=json.dumps(COTTON))
    assert response.context["trial"]["changed"] == 0


# --- In force -------------------------------------------------------------------------------------


def test_in_force_makes_a_further_version_by_which_all_its_clauses_decide(
    office: Client, bureau: User
):
    project = project_of("种植棉花")
    held = latest_vocabulary()
    old = held.data["shared"][NAME]
    clause = next(
        c
        for c in use_of(NAME, held, bureau).clauses
        if c.strength == "hard" and c.condition == {"shared": NAME}
    )
    run_at_once(by=bureau, reason="改前")
    typed = {"condition": json.dumps(COTTON), "note": "改成\n棉花"}
    response = send(office, "enforce", **typed, reason="试行新口径")
    assert response.status_code == 302
    made = latest_vocabulary()
    assert (made.version, made.reason, made.created_by) == (held.version + 1, "试行新口径", bureau)
    assert made.data["shared"] == held.data["shared"] | {NAME: {"note": "改成 棉花", **COTTON}}
    assert made.data["words"] == held.data["words"]
    assert VocabularyVersion.objects.get(pk=held.pk).data["shared"][NAME] == old
    entry = AuditRecord.objects.get(action="matching.change_shared")
    assert (entry.actor, entry.reason, entry.object_id) == (bureau, "试行新口径", str(made.pk))
    assert (entry.before["condition"], entry.after["condition"]["is"]) == (old, COTTON["is"])
    # No edition of a list changed: the lists are as published.
    clause.edition.refresh_from_db()
    assert clause.edition.status == EditionStatus.IN_FORCE
    # Stored verdicts wait for a new run, which the page offers.
    assert reverse("match_start") in office.get(URL).content.decode()
    match = ProjectMatch.objects.filter(project=project, institution=clause.edition.institution)
    assert match.get().verdict != "excluded"
    run_at_once(by=bureau, reason="改后")
    assert match.get().verdict == "excluded"
    assert reverse("match_start") not in office.get(URL).content.decode()


def test_a_note_alone_can_be_changed_and_taken_away(office: Client):
    condition = {key: value for key, value in shared()[NAME].items() if key != "note"}
    assert send(office, "enforce", note="新的说明", reason="说清楚").status_code == 302
    assert shared()[NAME] == {"note": "新的说明", **condition}
    assert send(office, "enforce", note="", reason="不要了").status_code == 302
    assert shared()[NAME] == condition
