"""What every page keeps: headers, faults, menu, no outside address; jobs, audit, probe."""

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.choices import Role
from accounts.models import Department, Region, User
from common import audit, health, views
from common.audit_words import ACTION_WORDS, changes_of
from common.choices import JobState
from common.errors import IllegalMove
from common.jobs import LEASE
from common.models import AuditRecord, Job
from common.templatetags import show
from kashgar_finance.navigation import MENUS, menu_of
from referrals.lifecycle import MOVES
from tests.conftest import make_person

ClientOf = Callable[[User], Client]
ROOMS = ("common", "accounts", "institutions", "projects", "referrals", "reports")
NUMBER = re.compile(r"<code>([0-9a-f]{12})</code>")


def make_job(by: User, state: JobState = JobState.QUEUED, **values: Any) -> Job:
    now = timezone.now()
    if state == JobState.RUNNING:
        values |= {"claim_token": "12345678123456781234567812345678", "lease_until": now + LEASE}
    if state not in (JobState.QUEUED, JobState.RUNNING):
        values.setdefault("finished_at", now)
    values.setdefault("title", "制作 2022年2月通报")
    return Job.objects.create(task="tests.nothing", requested_by=by, state=state, **values)


def broken(*args: Any, **kwargs: Any) -> Any:
    raise ZeroDivisionError("marker of the fault")


# --- Headers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "/jobs/", 200),
        ("get", "/password/", 200),
        ("post", "/password/", 422),
        ("get", "/logout/", 405),
        ("post", "/logout/", 302),
        ("get", "/jobs/999999/", 404),
        ("get", "/no-such-page/", 404),
        ("get", "/audit/", 403),
        ("get", "/healthz", 200),
        ("get", "/api/v1/jobs/", 200),
        ("get", "/api/v1/jobs/999999/", 404),
        ("get", "/api/v1/no-such-page/", 404),
    ],
)
def test_every_answer_carries_the_headers(
    bureau: User, client_of: ClientOf, method: str, path: str, status: int
) -> None:
    answer = getattr(client_of(bureau), method)(path)
    assert answer.status_code == status
    policy = answer["Content-Security-Policy"]
    for part in ("default-src 'self'", "object-src 'none'", "frame-ancestors 'none'"):
        assert part in policy
    assert "unsafe" not in policy
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert "no-store" in answer["Cache-Control"]
    assert re.fullmatch("[0-9a-f]{12}", answer["X-Request-Number"])


def test_fault_carries_the_headers_too(
    bureau: User, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "page_of", broken)
    client = client_of(bureau)
    client.raise_request_exception = False
    answer = client.get("/jobs/")
    assert answer.status_code == 500
    assert "default-src 'self'" in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "DENY"
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("path", ["css/portal.css", "js/portal.js", "img/icon.svg"])
def test_own_files_are_served_to_everybody_and_may_be_kept(path: str) -> None:
    answer = Client().get(f"/static/{path}")
    assert answer.status_code == 200
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "no-store" not in answer.get("Cache-Control", "")


# --- Faults -------------------------------------------------------------------------------------


def test_page_that_is_not_there_says_so_in_chinese_with_its_number(
    bureau: User, client_of: ClientOf
) -> None:
    answer = client_of(bureau).get("/no-such-page/")
    page = answer.content.decode()
    assert answer.status_code == 404
    assert "没有这一页" in page
    assert 'href="/"' in page
    assert NUMBER.findall(page) == [answer["X-Request-Number"]]


def test_page_that_is_not_there_needs_no_login() -> None:
    answer = Client().get("/no-such-page/")
    assert answer.status_code == 404
    assert "没有这一页" in answer.content.decode()


def test_role_that_may_not_is_told_which_role_may(bureau: User, client_of: ClientOf) -> None:
    answer = client_of(bureau).get("/accounts/")
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "系统管理员" in page
    assert NUMBER.findall(page) == [answer["X-Request-Number"]]


def test_illegal_move_is_a_page_with_its_sentence(
    bureau: User, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(bureau, JobState.SUCCEEDED)
    answer = client_of(bureau).post(f"/jobs/{job.pk}/cancel/")
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "任务已经结束，不能再取消。" in page
    assert NUMBER.findall(page) == [answer["X-Request-Number"]]


def test_fault_page_tells_the_number_and_nothing_of_the_program(
    bureau: User, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "page_of", broken)
    client = client_of(bureau)
    client.raise_request_exception = False
    answer = client.get("/jobs/")
    page = answer.content.decode()
    assert answer.status_code == 500
    assert "程序出错" in page
    assert NUMBER.findall(page) == [answer["X-Request-Number"]]
    assert "marker of the fault" not in page


def test_fault_page_needs_no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    # Without a database fixture every query of this test would raise.
    monkeypatch.setattr(health, "check", broken)
    client = Client(raise_request_exception=False)
    answer = client.get("/healthz")
    assert answer.status_code == 500
    assert "程序出错" in answer.content.decode()


def test_request_of_another_host_is_refused_in_chinese() -> None:
    answer = Client().get("/", headers={"host": "evil.example.org"})
    assert answer.status_code == 400
    assert "请求不正确" in answer.content.decode()
    assert "evil.example.org" not in answer.content.decode()


def test_form_without_token_is_refused_in_chinese(bureau: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(bureau)
    answer = client.post("/logout/")
    assert answer.status_code == 403
    assert "页面已过期" in answer.content.decode()


def test_number_of_the_request_stands_in_the_audit_record(
    bureau: User, client_of: ClientOf
) -> None:
    job = make_job(bureau)
    answer = client_of(bureau).post(f"/jobs/{job.pk}/cancel/")
    record = AuditRecord.objects.get(action="jobs.cancel")
    assert record.request_number == answer["X-Request-Number"]


# --- The API ------------------------------------------------------------------------------------


def error_of(answer: Any) -> dict[str, str]:
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "request_number"}
    assert body["error"]["request_number"] == answer["X-Request-Number"]
    assert re.search("[\u4e00-\u9fff]", body["error"]["message"])
    return dict(body["error"])


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v1/jobs/999999/", 404, "not_found"),
        ("/api/v1/no-such-page/", 404, "not_found"),
    ],
)
def test_api_says_no_in_one_shape(
    bureau: User, client_of: ClientOf, path: str, status: int, code: str
) -> None:
    answer = client_of(bureau).get(path)
    assert answer.status_code == status
    assert error_of(answer)["code"] == code


def test_api_wants_a_login(db: None) -> None:
    answer = Client().get("/api/v1/jobs/")
    assert answer.status_code == 401
    assert error_of(answer)["code"] == "not_authenticated"


def test_api_refuses_a_wrong_method_and_a_missing_token(bureau: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(bureau)
    answer = client.post("/api/v1/jobs/")
    assert answer.status_code == 403
    assert "页面已过期" in error_of(answer)["message"]
    client = Client()
    client.force_login(bureau)
    answer = client.post("/api/v1/jobs/")
    assert (answer.status_code, error_of(answer)["code"]) == (405, "method_not_allowed")


def test_api_gives_the_sentence_of_a_refusal(
    bureau: User, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Any, user: Any) -> Any:
        raise IllegalMove("通报已经冻结。")

    monkeypatch.setattr("common.models.JobQuerySet.visible_to", refuse)
    answer = client_of(bureau).get("/api/v1/jobs/")
    assert answer.status_code == 409
    assert error_of(answer) | {"request_number": ""} == {
        "code": "illegal_move",
        "message": "通报已经冻结。",
        "request_number": "",
    }


def test_api_fault_has_the_shape_and_hides_the_cause(
    bureau: User, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("common.models.JobQuerySet.visible_to", broken)
    client = client_of(bureau)
    client.raise_request_exception = False
    answer = client.get("/api/v1/jobs/")
    assert answer.status_code == 500
    assert error_of(answer)["code"] == "server_error"
    assert "marker" not in answer.content.decode()


# --- Menu and templates --------------------------------------------------------------------------


@pytest.mark.parametrize("role", [role for role in Role if role != Role.SYSTEM])
def test_menu_of_each_role_is_short_and_starts_at_home(role: Role) -> None:
    menu = menu_of(role, "/")
    assert 1 < len(menu) <= 7
    assert len(menu) == len(MENUS[role])
    assert [entry["label"] for entry in menu if entry["is_current"]] == ["工作台"]


def test_menu_marks_the_entry_under_which_a_page_lies() -> None:
    def current(path: str) -> list[str]:
        return [entry["label"] for entry in menu_of(Role.BUREAU, path) if entry["is_current"]]

    assert current("/matches/") == ["匹配"]
    assert current("/bulletins/2022-02/") == ["通报"]
    assert current("/password/") == []


def test_every_entry_of_every_menu_opens(
    bureau: User,
    leader: User,
    county_clerk: User,
    department_clerk: User,
    bank_clerk: User,
    sysadmin: User,
    secadmin: User,
    auditor: User,
    client_of: ClientOf,
) -> None:
    people = (bureau, leader, county_clerk, department_clerk, bank_clerk)
    for person in (*people, sysadmin, secadmin, auditor):
        client = client_of(person)
        opened = {
            entry["url"]: client.get(entry["url"]).status_code
            for entry in menu_of(person.role, "/")
        }
        assert set(opened.values()) == {200}, (person.role, opened)


def test_page_names_person_workplace_and_running_jobs(
    bank_clerk: User, client_of: ClientOf
) -> None:
    make_job(bank_clerk, JobState.RUNNING)
    make_job(bank_clerk)
    make_job(bank_clerk, JobState.FAILED)
    page = client_of(bank_clerk).get("/jobs/").content.decode()
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert "喀什农商银行 农商行 李静" in text
    assert re.search(r"任务 （ 2 项进行中", text)
    assert '<html lang="zh-CN">' in page
    assert re.search(r'<form method="post" action="/logout/">', page)


def own_files(*suffixes: str) -> list[Path]:
    folders = (settings.BASE_DIR / "templates", settings.BASE_DIR / "static")
    found = [path for folder in folders for path in folder.rglob("*") if path.suffix in suffixes]
    assert found
    return found


def test_no_template_style_or_script_names_an_outside_address() -> None:
    outside = re.compile(r"(?:https?:)?//[\w-]+\.[\w.-]+")
    for path in own_files(".html", ".css", ".js", ".svg"):
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not outside.findall(text), path


def test_every_block_of_a_style_is_closed() -> None:
    """One brace too few, and the rest of the file holds on the phone only."""
    for path in own_files(".css"):
        text = path.read_text(encoding="utf-8")
        assert text.count("{") == text.count("}"), path


def test_no_template_has_inline_style_script_or_handler() -> None:
    inline = re.compile(r"<style|<script(?![^>]*\ssrc=)|\sstyle=|\son[a-z]+=|javascript:", re.I)
    for path in own_files(".html", ".svg"):
        assert not inline.findall(path.read_text(encoding="utf-8")), path


def test_every_table_has_a_caption_and_scoped_heads() -> None:
    for path in own_files(".html"):
        text = path.read_text(encoding="utf-8")
        tables = re.findall(r"<table\b.*?</table>", text, re.S)
        for table in tables:
            assert "<caption" in table, path
            heads = re.findall(r"<th\b[^>]*>", table)
            assert all("scope=" in head for head in heads), path


def render(source: str, **values: Any) -> str:
    request = RequestFactory().get("/?sort=-wan&page=3&q=塔县")
    return Template(source).render(Context({"request": request, **values})).strip()


def test_text_of_people_is_escaped_in_title_and_page() -> None:
    rendered = render(
        "{% extends 'base.html' %}{% block title %}{{ name }}{% endblock %}"
        "{% block state %}{{ name }}{% endblock %}",
        name="<script>alert(1)</script>",
    )
    assert "<script>alert" not in rendered
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in rendered


def test_title_stands_in_the_head_and_above_the_page_once() -> None:
    rendered = render("{% extends 'base.html' %}{% block title %}测试页{% endblock %}")
    assert "<title>测试页 · 融资对接平台</title>" in rendered
    assert rendered.count("测试页</h1>") == 1
    assert 'class="crumbs"' not in rendered
    assert 'class="page-state"' not in rendered


# --- How values are shown -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("wan", Decimal("18000.0000"), "18,000"),
        ("wan", Decimal("6980.5000"), "6,980.5"),
        ("wan", Decimal("0.0001"), "0.0001"),
        ("wan", Decimal("0"), "0"),
        ("wan", Decimal("-700"), "−700"),
        ("wan", Decimal("-1234567.25"), "−1,234,567.25"),
        ("wan", None, "—"),
        ("yi", Decimal("4050100"), "405.01"),
        ("yi", Decimal("12345678900"), "1,234,567.89"),
        ("yi", Decimal("30"), "30万元"),
        ("yi", Decimal("50"), "0.01"),
        ("yi", Decimal("0"), "0.00"),
        ("yi", None, "—"),
        ("signed_wan", Decimal("1500"), "+1,500"),
        ("signed_wan", Decimal("-700"), "−700"),
        ("signed_wan", Decimal("0"), "0"),
        ("signed_wan", None, "—"),
        ("dash", None, "—"),
        ("dash", "", "—"),
        ("dash", 0, 0),
        ("dash", Decimal("0.00"), Decimal("0.00")),
        ("month_label", "2022-02", "2022年2月"),
        ("month_label", None, "—"),
        ("unbroken", "供水工程", "供水工程"),
        (
            "unbroken",
            "<b>供水（一期）工程（二期）（续建）",
            '&lt;b&gt;供水（一期）工程<span class="keep-together">（二期）（续建）</span>',
        ),
        ("action_word", "jobs.cancel", "取消任务"),
        ("action_word", "unknown.deed", "unknown.deed"),
    ],
)
def test_values_are_shown_as_the_house_writes_them(name: str, value: Any, shown: Any) -> None:
    assert getattr(show, name)(value) == shown


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [(4587, 40501, "11.33"), (0, 5, "0.00"), (1, 0, "—"), (None, 5, "—"), (1, None, "—")],
)
def test_share_is_shown_with_two_decimals_or_not_at_all(part: Any, whole: Any, shown: str) -> None:
    assert show.pct_of(part, whole) == shown


def test_sort_head_turns_round_and_goes_back_to_the_first_page() -> None:
    head = render("{% sort_head 'wan' '融资需求' unit='万元' is_number=True %}")
    assert 'aria-sort="descending"' in head
    assert 'href="?sort=wan&amp;q=%E5%A1%94%E5%8E%BF"' in head
    other = render("{% sort_head 'name' '项目' %}")
    assert "aria-sort" not in other
    assert "sort=name" in other


@pytest.mark.parametrize(("step", "count"), [(0, 0), (1, 1), (7, 1)])
def test_stage_is_a_bar_on_the_way_and_a_word_beside_it(step: int, count: int) -> None:
    stage = {"step": step, "label": "某阶段"}
    rendered = render('{% include "includes/stage.html" %}', stage=stage)
    assert rendered.count("<svg") == count
    assert rendered.count("某阶段") == 1


# --- Jobs -----------------------------------------------------------------------------------------


def test_own_jobs_are_listed_foreign_ones_are_not_there(
    bureau: User, leader: User, sysadmin: User, client_of: ClientOf
) -> None:
    mine, foreign = make_job(leader, title="我的"), make_job(bureau, title="别人的")
    client = client_of(leader)
    page = client.get("/jobs/").content.decode()
    assert "我的" in page
    assert "别人的" not in page
    assert [job["id"] for job in client.get("/api/v1/jobs/").json()["results"]] == [mine.pk]
    for path in (f"/jobs/{foreign.pk}/", f"/api/v1/jobs/{foreign.pk}/"):
        assert client.get(path).status_code == 404
    assert client.post(f"/jobs/{foreign.pk}/cancel/").status_code == 404
    foreign.refresh_from_db()
    assert foreign.state == JobState.QUEUED
    for overseer in (sysadmin, bureau):
        everything = client_of(overseer).get("/jobs/").content.decode()
        assert "我的" in everything
        assert "别人的" in everything


def test_jobs_are_narrowed_by_state(bureau: User, client_of: ClientOf) -> None:
    make_job(bureau, JobState.FAILED, title="坏的")
    make_job(bureau, JobState.SUCCEEDED, title="好的")
    page = client_of(bureau).get("/jobs/?state=failed").content.decode()
    assert "坏的" in page
    assert "好的" not in page


def test_active_job_shows_what_is_done_and_asks_again(bureau: User, client_of: ClientOf) -> None:
    progress = {"progress_done": 7, "progress_total": 12, "progress_note": "计算各机构投放"}
    job = make_job(bureau, JobState.RUNNING, **progress)
    client = client_of(bureau)
    page = client.get(f"/jobs/{job.pk}/").content.decode()
    assert "计算各机构投放" in page
    assert "已做 7 / 12，还剩 5（58%）" in page
    assert '<progress max="100" value="58"' in page
    assert f'hx-get="/jobs/{job.pk}/"' in page
    assert f'href="/jobs/{job.pk}/">刷新' in page
    fragment = client.get(f"/jobs/{job.pk}/", headers={"HX-Request": "true"})
    assert "<html" not in fragment.content.decode()
    assert "hx-get" in fragment.content.decode()
    assert "HX-Request" in fragment["Vary"]


@pytest.mark.parametrize(
    ("state", "values", "shown"),
    [
        (JobState.SUCCEEDED, {"result": {"url": "/bulletins/", "text": "打开通报"}}, "打开通报"),
        (JobState.FAILED, {"error": "没有报送，不能做。"}, "没有报送，不能做。"),
        (JobState.CANCELLED, {}, "任务已取消"),
    ],
)
def test_ended_job_shows_how_it_ended_and_is_left_alone(
    bureau: User, client_of: ClientOf, state: JobState, values: dict[str, Any], shown: str
) -> None:
    job = make_job(bureau, state, **values)
    for headers in ({}, {"HX-Request": "true"}):
        page = client_of(bureau).get(f"/jobs/{job.pk}/", headers=headers).content.decode()
        assert shown in page
        assert "hx-get" not in page
        assert "取消任务" not in page


def test_waiting_job_is_cancelled_at_once_a_running_one_is_asked(
    bureau: User, client_of: ClientOf
) -> None:
    client = client_of(bureau)
    waiting, running = make_job(bureau), make_job(bureau, JobState.RUNNING)
    for job in (waiting, running):
        answer = client.post(f"/jobs/{job.pk}/cancel/")
        assert (answer.status_code, answer["Location"]) == (302, f"/jobs/{job.pk}/")
        job.refresh_from_db()
    assert waiting.state == JobState.CANCELLED
    assert (running.state, running.is_cancel_requested) == (JobState.RUNNING, True)
    assert "正在取消" in client.get(f"/jobs/{running.pk}/").content.decode()


def test_api_tells_how_far_a_job_is(bureau: User, client_of: ClientOf) -> None:
    job = make_job(bureau, JobState.RUNNING, progress_done=1, progress_total=3)
    told = client_of(bureau).get(f"/api/v1/jobs/{job.pk}/").json()
    expected = {"id": job.pk, "state": "running", "state_label": "进行中", "is_active": True}
    assert told.items() >= (expected | {"percent": 33, "progress_total": 3}).items()
    assert not {"arguments", "claim_token", "task"} & set(told)


@pytest.mark.parametrize("path", ["/jobs/", "/audit/"])
def test_lists_ask_the_database_the_same_for_two_rows_and_twenty(
    client_of: ClientOf, db: None, path: str
) -> None:
    role = Role.AUDITOR if path == "/audit/" else Role.SYSADMIN
    client = client_of(make_person("reader", role, "某"))
    client.get(path)
    counts = []
    for start, end in ((0, 2), (2, 20)):
        for number in range(start, end):
            by = make_person(f"p{number}", Role.LEADER, "某")
            audit.record("jobs.enqueue", by=by, on=make_job(by), after={"month": "2022-02"})
        with CaptureQueriesContext(connection) as asked:
            client.get(path)
        counts.append(len(asked))
    assert counts[0] == counts[1]


# --- The audit record -----------------------------------------------------------------------------


def test_only_the_auditor_reads_the_record_and_each_reading_is_recorded(
    auditor: User, client_of: ClientOf
) -> None:
    client = client_of(auditor)
    for number in range(1, 4):
        assert client.get("/audit/?actor=某人").status_code == 200
        readings = AuditRecord.objects.filter(action="audit.read", actor=auditor)
        assert readings.count() == number
    assert [record.after for record in readings] == [{"actor": "某人"}] * 3


@pytest.mark.parametrize("role", [r for r in Role if r not in (Role.AUDITOR, Role.SYSTEM)])
def test_nobody_else_reads_the_record(client_of: ClientOf, register: None, role: Role) -> None:
    places: dict[Role, dict[str, Any]] = {
        Role.COUNTY: {"region": Region.objects.first()},
        Role.DEPARTMENT: {"department": Department.objects.first()},
    }
    person = make_person("curious", role, "某", **places.get(role, {}))
    assert client_of(person).get("/audit/").status_code == 403


def test_reading_that_cannot_be_recorded_is_refused(
    auditor: User, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "record", broken)
    client = client_of(auditor)
    client.raise_request_exception = False
    assert client.get("/audit/").status_code == 500


def test_record_shows_before_after_reason_and_number(
    auditor: User, secadmin: User, bureau: User, client_of: ClientOf
) -> None:
    path = f"/accounts/{bureau.pk}/active/"
    changed = client_of(secadmin).post(path, {"reason": "调离本单位"})
    page = client_of(auditor).get("/audit/?action=accounts.set_account_active").content.decode()
    for shown in ("调离本单位", "启用或停用账号", str(bureau), str(secadmin), "127.0.0.1"):
        assert shown in page
    assert changed["X-Request-Number"] in page
    line = re.sub(r"\s+", "", page)
    assert '<throwscope="row">' not in line
    assert '启用</th><tdclass="quiet">是</td><td>否</td>' in line


def test_record_is_narrowed_by_day_person_action_and_object(
    auditor: User, bureau: User, leader: User, client_of: ClientOf
) -> None:
    job = make_job(bureau, title="特别的任务")
    audit.record("jobs.enqueue", by=bureau, on=job)
    audit.record("jobs.cancel", by=leader)
    client = client_of(auditor)
    today = timezone.localdate()

    def found(**query: str) -> set[str]:
        rows = client.get("/audit/", query).context["rows"]
        return {row["record"].action for row in rows} - {"audit.read", "reports.load_reference"}

    both = {"jobs.enqueue", "jobs.cancel"}
    assert found() == both
    assert found(actor="阿依") == {"jobs.enqueue"}
    assert found(action="jobs.cancel") == {"jobs.cancel"}
    assert found(object="特别") == {"jobs.enqueue"}
    assert found(since=str(today), until=str(today)) == both
    assert found(since=str(today + timedelta(days=1))) == set()
    assert found(until=str(today - timedelta(days=1))) == set()


def test_wrong_date_is_named_and_hides_nothing(auditor: User, client_of: ClientOf) -> None:
    audit.record("jobs.cancel", by=auditor)
    answer = client_of(auditor).get("/audit/?since=2022-02-31&action=jobs.cancel")
    assert answer.status_code == 200
    assert 'class="field-error"' in answer.content.decode()
    assert len(answer.context["rows"]) == 1


def test_record_is_paged_by_fifty(auditor: User, client_of: ClientOf) -> None:
    for _ in range(51):
        audit.record("jobs.cancel", by=auditor)
    client = client_of(auditor)
    assert len(client.get("/audit/?action=jobs.cancel").context["rows"]) == 50
    second = client.get("/audit/?action=jobs.cancel&page=2")
    assert len(second.context["rows"]) == 1
    assert "第 51–51 条，共 51 条" in second.content.decode()
    assert len(client.get("/audit/?action=jobs.cancel&page=nonsense").context["rows"]) == 50


def test_changes_are_listed_by_field_with_chinese_names(bureau: User) -> None:
    record = audit.record(
        "accounts.set_account_active",
        by=bureau,
        on=bureau,
        before={"is_active": True, "unknown": 1, "role": "bank"},
        after={"is_active": False, "full_name": ["甲", "乙"], "role": "bureau", "sum_wan": "8.50"},
    )
    assert [tuple(change) for change in changes_of(record)] == [
        ("启用", "是", "否"),
        ("unknown", 1, None),
        ("角色", "金融机构", "财政局"),
        ("姓名", None, "甲、乙"),
        ("sum_wan", None, "8.5 万元"),
    ]


def test_every_recorded_action_has_a_chinese_word() -> None:
    call = re.compile(r'\brecord\(\s*"([a-z_]+\.[a-z_]+)"')
    used = {
        action
        for room in ROOMS
        for path in (settings.BASE_DIR / room).rglob("*.py")
        for action in call.findall(path.read_text(encoding="utf-8"))
    }
    used |= {f"referrals.{name}" for name in MOVES}
    assert "accounts.log_in" in used
    assert used - set(ACTION_WORDS) == set()


# --- The probe ------------------------------------------------------------------------------------


def test_probe_needs_no_login_and_tells_only_what_it_should(db: None) -> None:
    answer = Client().get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "database": True,
        "queue": {"waiting": 0, "oldest_seconds": 0},
        "worker_seen": None,
    }
    assert not answer.cookies


def test_probe_sees_a_queue_that_stands_still_and_the_last_worker(bureau: User) -> None:
    waiting = make_job(bureau)
    Job.objects.filter(pk=waiting.pk).update(created_at=timezone.now() - timedelta(minutes=5))
    make_job(bureau, JobState.RUNNING)
    told = Client().get(reverse("health")).json()
    assert told["queue"]["waiting"] == 1
    assert 300 <= told["queue"]["oldest_seconds"] < 330
    assert told["worker_seen"] is not None


def test_probe_answers_503_when_the_database_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable() -> Any:
        raise OperationalError("could not connect to secret-host:5432")

    monkeypatch.setattr(connection, "cursor", unreachable)
    answer = Client().get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["database"] is False
    assert "secret-host" not in answer.content.decode()
