"""The engine on whole projects: verdicts, evidence, questions, refusal of nothing."""

import json
from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from common.errors import NotAllowed
from common.months import local_today
from institutions.models import Institution
from matching.conditions import Compiler, ConditionError
from matching.engine import Rulebook
from matching.loaders import load_rulebook, project_facts
from matching.models import MatchChange, MatchRun, ProjectMatch, VocabularyVersion
from matching.services import latest_run, match_chunk, run_at_once, start_run
from matching.staleness import rematch_if_stale, what_changed
from matching.types import Match, ProjectFacts, Truth, Verdict
from projects.models import ImportedFile, Project
from referrals.lifecycle import Stage
from tests.factories import make_deal, make_project
from tests.test_clauses import CODES, cases, facts

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("register")]

CDB, BOCOM = "国家开发银行喀什地区分行", "交通银行喀什分行"


@pytest.fixture(scope="module")
def rulebook(django_db_setup: None, django_db_blocker: Any) -> Rulebook:
    """All lists in force, compiled once."""
    with django_db_blocker.unblock():
        return load_rulebook()


def matches(rulebook: Rulebook, **project: Any) -> dict[str, Match]:
    values: dict[str, Any] = {"id": "p", "name": "示例项目", "county": "疏勒县"}
    return {m.institution: m for m in rulebook.evaluate(ProjectFacts(**values | project))}


@pytest.mark.parametrize("code", CODES)
def test_the_fast_path_gives_the_verdicts_of_the_full_one(code: str, rulebook: Rulebook):
    for case in cases(code):
        for project in [*case.get("applies", []), *case.get("not", []), *case.get("asks", [])]:
            found = facts(project)
            full = [match.verdict for match in rulebook.evaluate(found)]
            assert rulebook.verdicts(found) == full, project["name"]


def test_every_institution_with_a_list_answers(rulebook: Rulebook):
    names = set(Institution.objects.exclude(list_name="").values_list("list_name", flat=True))
    assert set(matches(rulebook, content="新建棉花加工厂")) == names
    assert len(names) == 26


@pytest.mark.parametrize(
    "project",
    [
        {"sector": "X99"},
        {"sector": "不存在的行业"},
        {"sector": "Ｃ１７１１"},
        {"content": "", "purpose": "", "name": ""},
        {"content": "棉花" * 50_000},
        {"content": "Хлопок 棉花 cotton كىۋەز ＡＢＣ　１２３\t\r\n\0"},
        {"content": "（（（（【【【不涉及不涉及，，，，"},
        {"demand_wan": None, "term_months": None},
        {"demand_wan": Decimal("-1")},
        {"county": "不存在的县"},
        {"content": "İſŉ棉花"},
    ],
)
def test_odd_input_gives_a_result_never_an_exception(project: dict[str, Any], rulebook: Rulebook):
    found = matches(rulebook, **project)
    assert len(found) == 26
    for match in found.values():
        assert 0 <= match.score <= 100


def test_missing_data_is_a_question_and_never_an_exclusion(rulebook: Rulebook):
    for match in matches(rulebook, name="").values():
        assert match.verdict in (Verdict.NEUTRAL, Verdict.SUPPORTED, Verdict.EXCLUDED)
        excluding = [r for r in match.reasons if r.effect == "excludes"]
        assert all(reason.list == "area" for reason in excluding)
        assert any("行业" in each.question for each in match.to_check)


def test_evidence_is_the_projects_own_words_at_their_place(rulebook: Rulebook):
    content = "新建商品住宅小区12栋，配套商铺。"
    reasons = matches(rulebook, content=content, county="喀什市")[CDB].reasons
    spans = [span for reason in reasons for span in reason.evidence if span.field == "content"]
    assert spans
    for span in spans:
        assert content[span.start : span.end] == span.text


@pytest.mark.parametrize(
    "words", ["不涉及房地产开发", "毗邻商品住宅小区", "产品销往房地产开发企业"]
)
def test_what_the_project_is_not_does_not_count_against_it(words: str, rulebook: Rulebook):
    found = matches(rulebook, content=f"新建核桃加工厂，年加工核桃2000吨，{words}。")
    for match in found.values():
        assert not any("房地产" in r.text and r.effect != "supports" for r in match.reasons), words


def test_a_county_cooperative_stays_in_its_county_whatever_the_county_is_called(
    rulebook: Rulebook,
):
    name = "塔什库尔干县农村信用合作联社"
    for county in ("塔县", "塔什库尔干县", "塔什库尔干塔吉克自治县"):
        assert matches(rulebook, content="养殖牦牛", county=county)[name].verdict == "supported"
    outside = matches(rulebook, content="养殖牦牛", county="疏勒县")[name]
    assert (outside.verdict, outside.score) == ("excluded", 0)
    assert [(r.list, r.clause) for r in outside.reasons][0] == ("area", "服务区域")


def test_clauses_no_data_can_decide_become_questions(rulebook: Rulebook):
    asked = matches(rulebook, content="新建核桃加工厂", purpose="项目建设", sector="C1373")[BOCOM]
    assert asked.verdict != "excluded"
    assert {"（六）"} <= {each.clause for each in asked.to_check}


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"is": []}, "至少"),
        ({"any": [], "all": []}, "一个键"),
        ({"shared": "没有这个"}, "没有这个"),
        ({"sometimes": ["x"]}, "sometimes"),
    ],
)
def test_a_condition_that_cannot_be_read_is_refused_with_the_part(raw: Any, message: str):
    with pytest.raises(ConditionError, match=message):
        Compiler().compile(raw)


def test_a_shared_condition_that_refers_to_itself_is_refused():
    with pytest.raises(ConditionError, match="自己"):
        Compiler({"a": {"any": [{"shared": "a"}]}}).compile({"shared": "a"})


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"is": ["x"]}, Truth.TRUE),
        ({"is": ["u"]}, Truth.UNKNOWN),
        ({"is": ["f"]}, Truth.FALSE),
        ({"not": {"is": ["u"]}}, Truth.UNKNOWN),
        ({"all": [{"is": ["x"]}, {"is": ["u"]}]}, Truth.UNKNOWN),
        ({"all": [{"is": ["f"]}, {"is": ["u"]}]}, Truth.FALSE),
        ({"any": [{"is": ["x"]}, {"is": ["u"]}]}, Truth.TRUE),
        ({"any": [{"is": ["f"]}, {"is": ["u"]}]}, Truth.UNKNOWN),
        ({"not": {"all": [{"is": ["x"]}, {"is": ["u"]}]}}, Truth.UNKNOWN),
        ({"not": {"any": [{"is": ["x"]}, {"is": ["u"]}]}}, Truth.FALSE),
        ({"all": [{"is": ["x", "f"]}, {"not": {"is": ["f"]}}]}, Truth.TRUE),
    ],
)
def test_three_values(raw: Any, expected: Truth):
    compiler = Compiler()
    condition = compiler.compile(raw)
    bits = compiler.atoms.known
    assert condition.truth(bits(["x"]), bits(["u"])) is expected


def test_match_input_prints_a_line_for_each_project(tmp_path: Path):
    path = tmp_path / "in.jsonl"
    path.write_text(
        '{"id": "a", "name": "棉花加工厂", "county": "疏勒县"}\n\n{"id": "b", "name": "养羊"}\n',
        encoding="utf-8",
    )
    out = StringIO()
    call_command("match", "--input", str(path), stdout=out)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["id"] for line in lines] == ["a", "b"]
    assert all(len(line["matches"]) == 26 for line in lines)
    keys = {"institution", "verdict", "score", "reasons", "to_check"}
    assert keys <= set(lines[0]["matches"][0])
    assert not Project.objects.exists()


@pytest.mark.parametrize(("content", "code"), [("{", 1), ('{"name": "x"}', 1), (None, 2)])
def test_match_input_refuses_what_is_no_project(content: str | None, code: int, tmp_path: Path):
    path = tmp_path / "in.jsonl"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(CommandError) as refusal:
        call_command("match", "--input", str(path), stdout=StringIO())
    assert refusal.value.returncode == code


def test_a_run_stores_what_the_engine_says_and_by_what(bureau: User):
    project = make_project("核桃加工厂", demand_wan="2000")
    run = run_at_once(by=bureau, reason="试")
    assert ProjectMatch.objects.filter(project=project).count() == 26
    assert run.vocabulary.version == 1
    assert len(run.editions) == 26
    rulebook = load_rulebook()
    stored = {
        m.institution.list_name: m for m in ProjectMatch.objects.select_related("institution")
    }
    for match in rulebook.evaluate(project_facts(Project.objects.in_full(local_today()).get())):
        assert stored[match.institution].verdict == match.verdict
        assert stored[match.institution].score == match.score


def test_a_further_run_lists_what_changed_and_may_run_twice(bureau: User):
    project = make_project("核桃加工厂")
    run_at_once(by=bureau, reason="第一次")
    Project.objects.filter(pk=project.pk).update(name="商品住宅小区开发", name_key="x")
    second = run_at_once(by=bureau, reason="第二次")
    changed = MatchChange.objects.filter(run=second)
    assert changed.filter(institution__code="cdb", after="excluded").count() == 1
    before = changed.count()
    match_chunk(run=second, project_ids=[project.pk], rulebook=load_rulebook())
    assert MatchChange.objects.filter(run=second).count() == before
    assert ProjectMatch.objects.count() == 26
    assert latest_run() == second


def test_workers_share_a_run_in_chunks(
    bureau: User, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("matching.services.CHUNK", 2)
    for _ in range(5):
        make_project()
    with django_capture_on_commit_callbacks(execute=True):
        start_run(by=bureau, reason="试")
    assert bureau.jobs.count() == 3
    assert set(bureau.jobs.values_list("state", flat=True)) == {"succeeded"}
    assert ProjectMatch.objects.count() == 5 * 26


def test_only_the_bureau_starts_a_run(bank_clerk: User, leader: User):
    for person in (bank_clerk, leader):
        with pytest.raises(NotAllowed):
            start_run(by=person, reason="试")
    assert not MatchRun.objects.exists()


def test_a_projects_page_shows_the_stored_verdicts(bureau: User, client_of: Any):
    project = make_project("核桃加工厂")
    client = client_of(bureau)
    address = f"/projects/{project.code}/"
    assert "还没有匹配" in client.get(address).content.decode()
    run_at_once(by=bureau, reason="试")
    page = client.get(address).content.decode()
    assert "支持" in page
    assert "核桃" in page
    assert "服务区域不含疏勒县" in page


def test_a_new_ledger_a_new_list_and_new_words_are_matched_again_and_nothing_else(
    bureau: User, django_capture_on_commit_callbacks: Any
):
    assert what_changed() is None
    make_project("核桃加工厂")
    with django_capture_on_commit_callbacks(execute=True):
        assert rematch_if_stale(by=bureau) is not None
    assert ProjectMatch.objects.count() == 26
    assert rematch_if_stale(by=bureau) is None
    ImportedFile.objects.create(kind="ledger", file_name="x", sha256="x", imported_by=bureau)
    assert "台账" in str(what_changed())
    with django_capture_on_commit_callbacks(execute=True):
        rematch_if_stale(by=bureau)
    latest = VocabularyVersion.objects.get()
    VocabularyVersion.objects.create(version=2, data=latest.data, reason="试", created_by=bureau)
    assert "词表" in str(what_changed())
    with django_capture_on_commit_callbacks(execute=True):
        rematch_if_stale(by=bureau)
    assert what_changed() is None


def test_the_score_knows_what_an_institution_has_lent_to(bureau: User):
    farm = make_project("核桃加工厂")
    before = {m.institution: m for m in load_rulebook().evaluate(project_facts(in_full(farm)))}
    make_deal(farm, "国家开发银行", paid={date(2022, 2, 1): "100"}, stage=Stage.DISBURSED)
    after = {m.institution: m for m in load_rulebook().evaluate(project_facts(in_full(farm)))}
    assert before[CDB].score_parts["experience"] == 0
    assert after[CDB].score_parts["experience"] == 8
    assert after[BOCOM].score_parts["experience"] == 0


def in_full(project: Project) -> Project:
    return Project.objects.in_full(local_today()).get(pk=project.pk)
