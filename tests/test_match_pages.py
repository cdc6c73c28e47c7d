"""Pages of matches: the table on a project, questions answered, the matrix and its workbook."""

import re
from collections.abc import Callable
from importlib import import_module
from io import BytesIO
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from accounts.models import User
from common.errors import InvalidInput, NotAllowed
from common.models import AuditRecord
from institutions.models import Clause, Institution, Membership
from matching.evidence import marked_clause, marked_texts
from matching.models import ClauseAnswer, MatchChange, ProjectMatch, VerdictChoice
from matching.questions import count_open
from matching.services import GivenAnswer, answer_question, answer_questions, run_at_once
from projects.models import Project
from tests.factories import make_project, make_referral

pytestmark = pytest.mark.django_db

ClientOf = Callable[[User], Client]
HOTEL = "新建四星级温泉酒店综合体一座，设温泉水疗中心、宴会厅，建成后由企业自持经营，发展旅游。"


def hotel(county: str = "疏勒县", name: str = "四星级温泉酒店综合体") -> Project:
    """A project that some lists support and others rule out."""
    project = make_project(name, county=county)
    Project.objects.filter(pk=project.pk).update(
        content=HOTEL, purpose="土建工程及设备购置", sector="H6110", ownership="private"
    )
    project.refresh_from_db()
    return project


def matched(bureau: User, *projects: Project) -> None:
    """Match everything as the bureau does."""
    run_at_once(by=bureau, reason="测试")


def page(client: Client, project: Project, **query: str) -> str:
    """Return a project's page."""
    return client.get(reverse("project", args=[project.code]), query).content.decode()


def without_marks(text: str) -> str:
    """Return a page as it reads."""
    return re.sub(r"</?mark[^>]*>", "", text)


def block(text: str, code: str) -> str:
    """Return the rows of one institution in the match table."""
    found = re.search(rf'<tbody id="match-{code}">.*?</tbody>', text, re.S)
    return found[0] if found else ""


def a_question(project: Project, *, on: str = "negative", strength: str = "hard") -> Any:
    """Return a match and a question of its lists, of one kind."""
    for match in ProjectMatch.objects.filter(project=project).select_related("institution"):
        for asked in match.to_check:
            if (asked.get("list"), asked.get("strength")) == (on, strength):
                return match, asked
    raise AssertionError("no such question")


def answered(project: Project, by: User, answer: str = "yes", note: str = "") -> ClauseAnswer:
    match, asked = a_question(project)
    return answer_question(
        project=project,
        institution=match.institution,
        clause=asked["clause"],
        question=asked["question"],
        answer=answer,
        note=note,
        by=by,
    )


# --- The table on a project -----------------------------------------------------------------------


def test_table_names_every_institution_once_with_its_verdict(
    bureau: User, client_of: ClientOf
) -> None:
    project = hotel()
    matched(bureau)
    text = page(client_of(bureau), project)
    rows = ProjectMatch.objects.filter(project=project)
    near = [row for row in rows if all(r["list"] != "area" for r in row.reasons)]
    assert len({row.verdict for row in near}) >= 2
    assert 0 < len(near) < rows.count() == 26
    for row in near:
        shown = block(text, row.institution.code)
        assert row.get_verdict_display() in shown
        assert f"得分 {row.score}" in shown
    assert f"另有 {rows.count() - len(near)} 家" in text
    assert "服务区域不含疏勒县：" in text
    assert "词表第 1 版" in text
    assert "清单 2022 版" in text


def test_evidence_is_marked_where_it_stands_and_the_clause_is_beside_it(
    bureau: User, client_of: ClientOf
) -> None:
    project = hotel()
    matched(bureau)
    row = ProjectMatch.objects.filter(project=project, verdict="supported").first()
    assert row
    reason = row.reasons[0]
    assert reason["spans"]
    texts = {"content": project.content, "name": project.name, "purpose": project.purpose}
    for span in reason["spans"]:
        if span["field"] in texts:
            assert texts[span["field"]][span["start"] : span["end"]] == span["text"]
    Clause.objects.filter(edition__institution=row.institution, number=reason["clause"]).update(
        official_text="这是文件的原文。"
    )
    shown = block(page(client_of(bureau), project), row.institution.code)
    assert f'<mark class="tone-green">{reason["spans"][0]["text"]}</mark>' in shown
    assert reason["text"] in without_marks(shown)
    assert "这是文件的原文。" in shown


def test_marked_pieces_put_together_are_the_text_and_the_stronger_tone_wins(db: None) -> None:
    project = Project(name="温泉酒店", content="建设温泉酒店和<b>仓库</b>", sector_id="H6110")
    spans = [
        {
            "effect": "supports",
            "evidence": ["温泉酒店"],
            "spans": [_span("content", 2, "温泉酒店")],
        },
        {"effect": "excludes", "evidence": ["酒店"], "spans": [_span("content", 4, "酒店")]},
    ]
    content = marked_texts(project, spans)[1]
    assert "".join(piece.text for piece in content.pieces) == project.content
    assert [(p.text, p.tone) for p in content.pieces if p.tone] == [
        ("温泉", "green"),
        ("酒店", "red"),
    ]


def test_fields_that_decided_by_their_value_are_shown_as_the_run_saw_them(db: None) -> None:
    project = make_project()
    reasons = [
        {
            "effect": "supports",
            "evidence": ["重大项目", "国有企业"],
            "spans": [_span("categories", 0, "重大项目"), _span("categories", 0, "国有企业")],
        },
        {
            "effect": "restricts",
            "evidence": ["重大项目"],
            "spans": [_span("categories", 0, "重大项目")],
        },
    ]
    shown = next(each for each in marked_texts(project, reasons) if each.label == "项目类别")
    assert [(piece.text, piece.tone) for piece in shown.pieces] == [
        ("重大项目", "amber"),
        ("、", ""),
        ("国有企业", "green"),
    ]


def test_text_changed_since_the_run_is_marked_by_its_words(db: None) -> None:
    project = Project(name="项目", content="拟建设温泉酒店", sector_id="H6110")
    reason = {"effect": "supports", "evidence": ["酒店"], "spans": [_span("content", 0, "酒店")]}
    moved = marked_texts(project, [reason])[1].pieces
    assert [(p.text, p.tone) for p in moved] == [("拟建设温泉", ""), ("酒店", "green")]
    project.content = "拟建设仓库"
    assert [p.tone for p in marked_texts(project, [reason])[1].pieces] == [""]


def _span(field: str, start: int, text: str) -> dict[str, Any]:
    return {"field": field, "start": start, "end": start + len(text), "text": text}


def test_words_the_project_says_too_are_marked_in_the_clause(
    bureau: User, client_of: ClientOf
) -> None:
    project = hotel()
    matched(bureau)
    row = ProjectMatch.objects.filter(project=project, verdict="supported").first()
    assert row
    reason = row.reasons[0] | {
        "evidence": ["温泉酒店", "<b>", "店", "旅游业"],
        "text": "支持温泉酒店，<b>不含</b>其他酒店。",
    }
    other = reason | {"clause": "（九九）", "evidence": ["其他"], "text": "支持温泉酒店和旅游业。"}
    ProjectMatch.objects.filter(pk=row.pk).update(reasons=[reason, other])
    Clause.objects.filter(edition__institution=row.institution, number=reason["clause"]).update(
        title="建设温泉酒店", official_text="原文：旅游业\n<i>温泉酒店</i>"
    )
    shown = block(page(client_of(bureau), project), row.institution.code)
    words = '<mark class="tone-green">温泉酒店</mark>'
    angled = '<mark class="tone-green">&lt;b&gt;</mark>'
    assert f"<p>支持{words}，{angled}不含&lt;/b&gt;其他酒店。</p>" in shown
    assert f"建设{words}" in shown
    assert f'原文：<mark class="tone-green">旅游业</mark>\n&lt;i&gt;{words}&lt;/i&gt;' in shown
    # In the row, the clause that decides colours a word that others go by as well.
    ProjectMatch.objects.filter(pk=row.pk).update(reasons=[reason, reason | {"effect": "excludes"}])
    again = block(page(client_of(bureau), project), row.institution.code)
    assert '<mark class="tone-red">温泉酒店</mark> ' in again
    # Only the words by which this very clause applies.
    assert "<p>支持温泉酒店和旅游业。</p>" in shown


@pytest.mark.parametrize(
    ("evidence", "marked"),
    [
        (["棉花", "棉花种植"], ["棉花种植", "棉花"]),
        (["棉", ""], []),
        (["种 植"], []),
        (["Ｃ１７"], []),
        ([], []),
    ],
)
def test_only_literal_words_of_two_characters_or_more_are_marked(
    evidence: list[str], marked: list[str]
) -> None:
    text = "支持棉花种植，收购棉花。C17 不限。"
    pieces = marked_clause(text, {"effect": "supports", "evidence": evidence})
    assert "".join(piece.text for piece in pieces) == text
    assert [piece.text for piece in pieces if piece.tone] == marked


def test_opened_row_names_the_institution_as_its_list_does(
    bureau: User, client_of: ClientOf
) -> None:
    project = hotel()
    matched(bureau)
    bank = Institution.objects.get(code="icbc")
    shown = block(page(client_of(bureau), project), bank.code)
    assert f'<summary title="{bank.list_name}">{bank.short_name}</summary>' in shown
    assert f"机构清单 · {bank.list_name}" in shown


def test_words_of_people_are_escaped_in_the_table(bureau: User, client_of: ClientOf) -> None:
    project = hotel(name="<script>alert(1)</script>温泉酒店")
    matched(bureau)
    assert "<script>alert" not in page(client_of(bureau), project)


def test_bank_sees_only_what_its_own_lists_say(
    bureau: User, bank_clerk: User, other_bank_clerk: User, client_of: ClientOf
) -> None:
    project = hotel()
    make_referral(project, "喀什农商银行")
    matched(bureau)
    own = Membership.objects.get(user=bank_clerk).institution
    text = page(client_of(bank_clerk), project)
    assert block(text, own.code)
    others = Institution.objects.exclude(list_name="").exclude(pk=own.pk)
    assert not [each for each in others if f"match-{each.code}" in text]
    assert "另有" not in text
    answer = client_of(other_bank_clerk).get(reverse("project", args=[project.code]))
    assert answer.status_code == 404


def test_project_page_asks_as_much_for_one_institution_as_for_all(
    bureau: User, client_of: ClientOf
) -> None:
    project = hotel()
    matched(bureau)
    client = client_of(bureau)
    page(client, project)
    with CaptureQueriesContext(connection) as many:
        page(client, project)
    keep = ProjectMatch.objects.filter(project=project, verdict="supported").first()
    assert keep
    ProjectMatch.objects.exclude(pk=keep.pk).delete()
    with CaptureQueriesContext(connection) as one:
        page(client, project)
    assert len(many) == len(one)


# --- Questions ------------------------------------------------------------------------------------


def test_yes_to_a_hard_negative_question_is_shown_beside_an_unchanged_verdict(
    bureau: User, client_of: ClientOf
) -> None:
    project = hotel()
    matched(bureau)
    match, asked = a_question(project)
    before = (match.verdict, match.score)
    row = answered(project, bureau, note="项目单位书面说明")
    match.refresh_from_db()
    assert (match.verdict, match.score) == before
    shown = block(page(client_of(bureau), project), match.institution.code)
    assert f"核实：适用负面{asked['clause']}" in shown
    assert re.search(rf'tone-red">[^/]*</i>核实：适用负面{asked["clause"]}', shown)
    assert "项目单位书面说明" in shown
    assert bureau.full_name in shown
    assert f"{row.answered_at:%Y-}" in shown
    record = AuditRecord.objects.get(action="matching.answer_question")
    assert record.after["question"] == asked["question"]
    assert record.after["answer"] == "yes"


def test_latest_answer_counts_and_earlier_ones_stay(
    bureau: User, county_clerk: User, client_of: ClientOf
) -> None:
    project = hotel()
    matched(bureau)
    match, asked = a_question(project)
    answered(project, bureau, "yes")
    answered(project, county_clerk, "no")
    assert ClauseAnswer.objects.filter(project=project).count() == 2
    shown = block(page(client_of(bureau), project), match.institution.code)
    assert f"核实：负面{asked['clause']}不适用" in shown
    assert f"核实：适用负面{asked['clause']}" not in shown
    assert county_clerk.full_name in shown


def test_form_in_the_row_records_what_was_answered_and_nothing_twice(
    bureau: User, county_clerk: User, client_of: ClientOf
) -> None:
    project = hotel()
    matched(bureau)
    match, asked = a_question(project)
    client = client_of(county_clerk)
    shown = block(page(client, project), match.institution.code)
    assert f'value="{asked["question"]}"' in shown
    url = reverse("match_answer", args=[project.code, match.institution.code])
    assert f'action="{url}"' in shown
    posted = {
        "clause-3": asked["clause"],
        "question-3": asked["question"],
        "answer-3": "unclear",
        "note-3": " 待补 ",
        "question-4": "没有选回答的不记",
    }
    answer = client.post(url, posted)
    assert answer.status_code == 302
    assert answer["Location"].endswith(
        f"?match={match.institution.code}#match-{match.institution.code}"
    )
    client.post(url, posted)
    row = ClauseAnswer.objects.get(project=project)
    assert (row.answer, row.note, row.answered_by) == ("unclear", "待补", county_clerk)


@pytest.mark.parametrize(
    "wrong",
    [
        {"answer": "maybe"},
        {"question": "清单里没有这个问题？"},
        {"clause": "（九十九）"},
        {"note": "长" * 501},
    ],
)
def test_answers_to_what_is_not_asked_are_refused(bureau: User, wrong: dict[str, str]) -> None:
    project = hotel()
    matched(bureau)
    match, asked = a_question(project)
    given = {"clause": asked["clause"], "question": asked["question"], "answer": "no", "note": ""}
    with pytest.raises(InvalidInput):
        answer_question(
            project=project, institution=match.institution, by=bureau, **(given | wrong)
        )
    assert not ClauseAnswer.objects.exists()


def test_only_bureau_and_owner_answer(
    bureau: User, county_clerk: User, bank_clerk: User, leader: User, client_of: ClientOf
) -> None:
    foreign = hotel(county="莎车县")
    make_referral(foreign, "喀什农商银行")
    matched(bureau)
    for person in (county_clerk, bank_clerk, leader):
        with pytest.raises(NotAllowed):
            answered(foreign, person)
    match, _ = a_question(foreign)
    url = reverse("match_answer", args=[foreign.code, match.institution.code])
    assert client_of(county_clerk).post(url).status_code == 404
    assert client_of(bank_clerk).post(url).status_code == 403
    for person in (bank_clerk, leader):
        assert 'type="radio"' not in page(client_of(person), foreign)
    assert not ClauseAnswer.objects.exists()


# --- The matrix -----------------------------------------------------------------------------------


def test_matrix_shows_every_pair_with_totals_over_all_that_was_found(
    bureau: User, leader: User, client_of: ClientOf
) -> None:
    project = hotel()
    matched(bureau)
    late = make_project("后来的项目")
    text = client_of(leader).get("/matches/").content.decode()
    main = text[text.index("match-matrix") : text.index("</table>")]
    assert main.count("<td") == 26 * (2 + 5)
    assert main.count('title="未匹配"') == 26
    assert late.name in main
    supported = ProjectMatch.objects.filter(project=project, verdict="supported")
    assert main.count("：支持，") == supported.count() > 0
    foot = main[main.index("<tfoot") :]
    asked = ProjectMatch.objects.filter(project=project, open_count__gt=0).count()
    assert asked > 0
    assert foot.count('<a class="dotted"') == 26 + asked
    assert foot.count("check=open") == asked
    first = supported.first()
    assert first
    link = f"{reverse('project', args=[project.code])}?match={first.institution.code}"
    assert link in main


def test_matrix_is_narrowed_alike_on_page_and_in_workbook(
    bureau: User, client_of: ClientOf
) -> None:
    near, far = hotel(), hotel(county="莎车县", name="莎车温泉酒店")
    matched(bureau)
    row = ProjectMatch.objects.filter(project=near, verdict="excluded").exclude(
        institution__in=ProjectMatch.objects.filter(project=far, verdict="excluded").values(
            "institution"
        )
    )[0]
    client = client_of(bureau)
    queries: list[tuple[dict[str, Any], set[str]]] = [
        ({}, {near.code, far.code}),
        ({"region": near.region_id}, {near.code}),
        ({"q": "莎车温泉"}, {far.code}),
        ({"sector": "H61"}, {near.code, far.code}),
        ({"sector": "C17"}, set()),
        ({"institution": row.institution.code, "verdict": "excluded"}, {near.code}),
        ({"institution": row.institution.code}, {near.code, far.code}),
    ]
    for query, expected in queries:
        answer = client.get("/matches/", query)
        assert {line.project.code for line in answer.context["lines"]} == expected, query
        sheets = load_workbook(BytesIO(client.get("/matches/xlsx/", query).content))
        columns = 1 if "institution" in query else 26
        codes = {cells[0] for cells in _rows(sheets["匹配矩阵"]) if cells[0]}
        assert codes == expected, query
        assert len(_rows(sheets["匹配清单"])) == len(expected) * columns


def _rows(sheet: Any) -> list[tuple[Any, ...]]:
    return list(sheet.iter_rows(min_row=4, values_only=True))


def narrowed(client: Client, **query: str) -> set[str]:
    """Return the codes found, once page and workbook agree on them."""
    answer = client.get("/matches/", query)
    found = {line.project.code for line in answer.context["lines"]}
    book = load_workbook(BytesIO(client.get("/matches/xlsx/", query).content))
    assert {cells[0] for cells in _rows(book["匹配矩阵"]) if cells[0]} == found
    return found


def settle(project: Project, by: User, answer: str = "no", institution: str = "") -> None:
    """Answer what is asked of a project, by one institution or all."""
    rows = ProjectMatch.objects.filter(project=project, open_count__gt=0)
    if institution:
        rows = rows.filter(institution__code=institution)
    for match in rows.select_related("institution"):
        given = [GivenAnswer(each["clause"], each["question"], answer) for each in match.to_check]
        answer_questions(project=project, institution=match.institution, answers=given, by=by)


def test_projects_with_open_questions_are_found_and_the_others(
    bureau: User, leader: User, client_of: ClientOf
) -> None:
    asked, settled = hotel(), hotel(name="已核实的温泉酒店")
    matched(bureau)
    never_matched = make_project("后来的项目")
    client = client_of(leader)
    assert narrowed(client, check="open") == {asked.code, settled.code}
    assert narrowed(client, check="none") == set()
    settle(settled, bureau)
    settle(asked, bureau, "unclear")
    assert narrowed(client, check="open") == {asked.code}
    assert narrowed(client, check="none") == {settled.code}
    assert never_matched.code in narrowed(client)


def test_open_questions_are_those_of_the_institutions_shown(
    bureau: User, client_of: ClientOf
) -> None:
    project = hotel()
    matched(bureau)
    rows = ProjectMatch.objects.filter(project=project)
    asking = rows.filter(open_count__gt=0)[0].institution.code
    silent = rows.filter(open_count=0)[0].institution.code
    client = client_of(bureau)
    assert narrowed(client, check="open", institution=asking) == {project.code}
    assert narrowed(client, check="open", institution=silent) == set()
    assert narrowed(client, check="none", institution=silent) == {project.code}
    settle(project, bureau, institution=asking)
    assert narrowed(client, check="open", institution=asking) == set()
    assert narrowed(client, check="open") == {project.code}


def test_totals_lead_to_their_rows_or_nowhere(bureau: User, client_of: ClientOf) -> None:
    project = hotel()
    matched(bureau)
    client = client_of(bureau)
    code = ProjectMatch.objects.filter(project=project, open_count__gt=0)[0].institution.code
    for query, has_links in (
        ({}, True),
        ({"check": "open"}, False),
        ({"verdict": "supported"}, False),
        ({"check": "open", "institution": code}, True),
    ):
        text = client.get("/matches/", query).content.decode()
        assert ('<a class="dotted"' in text[text.index("<tfoot") :]) == has_links, query


def test_count_of_open_questions_is_that_of_the_table_whatever_was_done(
    bureau: User, client_of: ClientOf
) -> None:
    project = hotel()
    matched(bureau)
    assert_counts_agree(client_of(bureau), project)
    answered(project, bureau, "no")
    assert_counts_agree(client_of(bureau), project)
    matched(bureau)
    assert_counts_agree(client_of(bureau), project)
    answered(project, bureau, "unclear")
    counted = assert_counts_agree(client_of(bureau), project)
    ProjectMatch.objects.update(open_count=0)
    import_module("matching.migrations.0003_open_count").count_open_questions(apps, None)
    assert assert_counts_agree(client_of(bureau), project) == counted


def assert_counts_agree(client: Client, project: Project) -> dict[str, int]:
    panels = client.get(reverse("project", args=[project.code])).context["panels"]
    (panel,) = [each for each in panels if each.template == "matching/_panel.html"]
    shown = {row["institution"].code: row["open_count"] for row in panel.context["rows"]}
    stored = dict(
        ProjectMatch.objects.filter(project=project).values_list("institution__code", "open_count")
    )
    assert {code: count for code, count in stored.items() if count} == {
        code: count for code, count in shown.items() if count
    }
    assert panel.context["asking"] == sum(1 for count in shown.values() if count)
    return stored


def test_who_may_not_lend_there_asks_nothing(bureau: User) -> None:
    project = hotel()
    matched(bureau)
    match = ProjectMatch.objects.filter(project=project, open_count__gt=0)[0]
    assert count_open(match, set()) == len(match.to_check)
    match.reasons = [*match.reasons, {"list": "area"}]
    assert count_open(match, set()) == 0


def test_table_is_narrowed_to_institutions_with_open_questions(
    bureau: User, client_of: ClientOf
) -> None:
    project = hotel()
    matched(bureau)
    client = client_of(bureau)
    asking = ProjectMatch.objects.filter(project=project, open_count__gt=0)
    codes = set(asking.values_list("institution__code", flat=True))
    text = page(client, project, check="open")
    assert set(re.findall(r'<tbody id="match-([\w-]+)"', text)) == codes
    assert f"有待核实 {len(codes)}" in text
    settle(project, bureau)
    assert "<span>有待核实 0</span>" in page(client, project)


def test_workbook_holds_what_is_stored_and_no_formula(bureau: User, client_of: ClientOf) -> None:
    project = hotel(name='=HYPERLINK("x")温泉酒店')
    matched(bureau)
    answer = client_of(bureau).get("/matches/xlsx/")
    book = load_workbook(BytesIO(answer.content))
    kinds = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
    assert "f" not in kinds
    matrix, listed = book["匹配矩阵"], book["匹配清单"]
    assert (matrix.freeze_panes, listed.freeze_panes) == ("C4", "C4")
    by_name = {row[4]: row for row in _rows(listed)}
    for row in ProjectMatch.objects.filter(project=project).select_related("institution"):
        told = by_name[row.institution.short_name]
        assert told[1] == project.name
        assert told[5:7] == (row.get_verdict_display(), row.score)
        assert all(reason["text"] in told[7] for reason in row.reasons)
    counts = {cells[1]: cells[5:] for cells in _rows(matrix) if not cells[0]}
    open_counts = ProjectMatch.objects.filter(project=project, open_count__gt=0)
    assert sum(counts["有待核实（个）"]) == open_counts.count() > 0
    total = sum(open_counts.values_list("open_count", flat=True))
    assert [cells[4] for cells in _rows(matrix) if cells[0]] == [total]
    assert sum(cells[10] for cells in _rows(listed)) == total
    for verdict in VerdictChoice:
        stored = ProjectMatch.objects.filter(project=project, verdict=verdict).count()
        assert sum(counts[f"{verdict.label}（个）"]) == stored
    assert AuditRecord.objects.get(action="matching.download_matches").after["projects"] == 1


def test_workbook_without_a_run_or_of_too_many_is_refused(
    bureau: User, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    hotel()
    assert client_of(bureau).get("/matches/xlsx/").status_code == 422
    matched(bureau)
    monkeypatch.setattr("matching.exporting.MOST_PROJECTS", 0)
    assert client_of(bureau).get("/matches/xlsx/").status_code == 422
    assert not AuditRecord.objects.filter(action="matching.download_matches").exists()


@pytest.mark.parametrize(
    "path",
    [
        "/matches/",
        "/matches/xlsx/",
        "/matches/?check=open",
        "/matches/xlsx/?check=open",
        "/matches/?check=none&institution=icbc",
    ],
)
def test_matrix_asks_as_much_for_two_projects_as_for_twenty(
    bureau: User, client_of: ClientOf, path: str
) -> None:
    client = client_of(bureau)
    counts = []
    for number in (2, 18):
        for _ in range(number):
            make_project()
        matched(bureau)
        client.get(path)
        with CaptureQueriesContext(connection) as asked:
            assert client.get(path).status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_matrix_lists_what_the_last_run_changed(bureau: User, client_of: ClientOf) -> None:
    project = hotel()
    matched(bureau)
    client = client_of(bureau)
    assert "这是第一次匹配" in client.get("/matches/").content.decode()
    matched(bureau)
    assert "没有结论改变" in client.get("/matches/").content.decode()
    Project.objects.filter(pk=project.pk).update(
        name="棉花种植基地", content="种植棉花", purpose="购买种子", sector="A0131"
    )
    matched(bureau)
    found = client.get("/matches/").context["changes"]
    assert found["count"] == MatchChange.objects.count() > 0
    assert len(found["rows"]) == min(found["count"], 20)


@pytest.mark.parametrize(
    "query", ["region=9999", "institution=nobody", "verdict=x", "check=x", "page=abc"]
)
def test_wrong_filters_are_named_and_break_nothing(
    bureau: User, client_of: ClientOf, query: str
) -> None:
    hotel()
    matched(bureau)
    assert client_of(bureau).get(f"/matches/?{query}").status_code == 200
