"""Logging in and out, the lock, passwords, switching accounts off."""

import threading
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import hashers
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import services
from accounts.choices import Role
from accounts.models import LoginTries, Region, User
from common.errors import DomainError, InvalidInput, NotAllowed, NotFound
from common.models import AuditRecord
from institutions.models import Membership
from tests.conftest import PASSWORD, make_person

ClientOf = Callable[[User], Client]
NEW_PASSWORD = "Silk-road-2022-melon"


def send_login(client: Client, username: str, password: str, **more: str) -> Any:
    return client.post("/login/", {"username": username, "password": password, **more})


def actions() -> list[str]:
    return list(AuditRecord.objects.order_by("pk").values_list("action", flat=True))


# --- Login, logout ------------------------------------------------------------------------------


def test_login_leads_to_the_start_page_whatever_the_case_of_the_name(bureau: User) -> None:
    client = Client()
    answer = send_login(client, "BUREAU", PASSWORD)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert client.get("/jobs/").status_code == 200
    assert actions()[-1] == "accounts.log_in"


def test_login_leads_on_to_the_page_that_was_asked_for(bureau: User) -> None:
    client = Client()
    asked = client.get("/jobs/?state=failed")
    assert asked.status_code == 302
    assert asked["Location"].startswith("/login/?next=")
    page = client.get(asked["Location"])
    assert 'name="next" value="/jobs/?state=failed"' in page.content.decode()
    answer = send_login(client, "bureau", PASSWORD, next="/jobs/?state=failed")
    assert answer["Location"] == "/jobs/?state=failed"


@pytest.mark.parametrize(
    "address", ["https://example.org/", "//example.org/", "javascript:alert(1)", "\\\\example.org"]
)
def test_login_never_leads_to_another_house(bureau: User, address: str) -> None:
    answer = send_login(Client(), "bureau", PASSWORD, next=address)
    assert answer["Location"] == "/"


def test_wrong_password_unknown_name_and_closed_account_look_the_same(
    bureau: User, leader: User
) -> None:
    User.objects.filter(pk=leader.pk).update(is_active=False)
    answers = [
        send_login(Client(), "bureau", "not the password"),
        send_login(Client(), "nobody-of-that-name", PASSWORD),
        send_login(Client(), "leader", PASSWORD),
    ]
    assert [answer.status_code for answer in answers] == [422, 422, 422]
    for answer in answers:
        assert answer.context["form"].non_field_errors() == [services.WRONG_LOGIN]
        assert "sessionid" not in answer.cookies


def test_failed_login_is_recorded_without_what_was_typed(bureau: User) -> None:
    send_login(Client(), "bureau", "marker-password")
    send_login(Client(), "marker-name", "marker-password")
    failures = AuditRecord.objects.filter(action="accounts.log_in_failed").order_by("pk")
    assert [record.object_label for record in failures] == [str(bureau), ""]
    assert all(record.actor is None and record.address == "127.0.0.1" for record in failures)
    assert "marker" not in str(list(failures.values()))


def test_empty_login_says_at_the_fields_what_is_missing(db: None) -> None:
    answer = send_login(Client(), "", "")
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"username", "password"}
    assert "有 2 处要改" in answer.content.decode()


def test_logout_needs_a_post_and_ends_the_session(bureau: User, client_of: ClientOf) -> None:
    client = client_of(bureau)
    assert client.get("/logout/").status_code == 405
    assert client.get("/jobs/").status_code == 200
    assert client.post("/logout/")["Location"] == "/login/"
    assert client.get("/jobs/").status_code == 302
    assert actions()[-1] == "accounts.log_out"


def test_session_number_changes_at_login(bureau: User) -> None:
    client = Client()
    client.get("/login/")
    client.session["marker"] = 1
    before = client.session.session_key
    send_login(client, "bureau", PASSWORD)
    assert client.session.session_key != before


def test_the_account_of_commands_cannot_log_in(db: None) -> None:
    system = User.objects.system()
    system.set_password(PASSWORD)
    system.save(update_fields=["password"])
    assert send_login(Client(), "system", PASSWORD).status_code == 422


# --- The lock -------------------------------------------------------------------------------------


def fail(times: int, username: str = "bureau", *, at: Any) -> None:
    for _ in range(times):
        with pytest.raises(InvalidInput):
            services.log_in(username=username, password="wrong", now=at)


def test_five_wrong_tries_lock_the_name_even_for_the_right_password(bureau: User) -> None:
    now = timezone.now()
    fail(5, at=now)
    with pytest.raises(services.LoginLocked):
        services.log_in(username="bureau", password=PASSWORD, now=now)
    assert actions()[-1] == "accounts.log_in_locked"


def test_four_wrong_tries_do_not_lock_and_a_login_forgets_them(bureau: User) -> None:
    now = timezone.now()
    for _ in range(3):
        fail(4, at=now)
        assert services.log_in(username="bureau", password=PASSWORD, now=now) == bureau


def test_lock_ends_after_fifteen_minutes_not_before(bureau: User) -> None:
    now = timezone.now()
    fail(5, at=now)
    almost = now + services.LOCK_SPAN - timedelta(seconds=1)
    with pytest.raises(services.LoginLocked):
        services.log_in(username="bureau", password=PASSWORD, now=almost)
    over = now + services.LOCK_SPAN
    assert services.log_in(username="bureau", password=PASSWORD, now=over) == bureau


def test_tries_further_apart_than_fifteen_minutes_do_not_lock(bureau: User) -> None:
    start = timezone.now()
    for number in range(8):
        fail(1, at=start + number * timedelta(minutes=4))
    later = start + timedelta(minutes=29)
    assert services.log_in(username="bureau", password=PASSWORD, now=later) == bureau


@pytest.mark.parametrize("written", ["BUREAU", " bureau ", "ｂｕｒｅａｕ", "Bureau"])
def test_another_way_to_write_the_name_gets_no_more_tries(bureau: User, written: str) -> None:
    now = timezone.now()
    fail(5, at=now)
    with pytest.raises(services.LoginLocked):
        services.log_in(username=written, password=PASSWORD, now=now)


def test_an_unknown_name_is_locked_as_a_known_one(db: None) -> None:
    now = timezone.now()
    fail(5, "nobody", at=now)
    with pytest.raises(services.LoginLocked):
        services.log_in(username="nobody", password="wrong", now=now)


def test_one_persons_lock_does_not_touch_the_next(bureau: User, leader: User) -> None:
    fail(5, at=timezone.now())
    assert services.log_in(username="leader", password=PASSWORD) == leader


def test_locked_page_says_when_to_come_back(bureau: User) -> None:
    fail(5, at=timezone.now())
    answer = send_login(Client(), "bureau", PASSWORD)
    assert answer.status_code == 429
    assert "15 分钟后再试" in answer.content.decode()


def test_old_tries_under_other_names_are_forgotten(db: None) -> None:
    now = timezone.now()
    fail(1, "first", at=now - services.FORGET_AFTER - timedelta(minutes=1))
    fail(1, "second", at=now - timedelta(minutes=1))
    fail(1, "third", at=now)
    assert set(LoginTries.objects.values_list("name", flat=True)) == {"second", "third"}


@pytest.mark.django_db(transaction=True)
def test_parallel_burst_reaches_the_hasher_five_times(monkeypatch: pytest.MonkeyPatch) -> None:
    make_person("burst", Role.LEADER, "并发")
    looked_at: list[str] = []
    verify = hashers.verify_password

    def counted(password: str, *args: Any, **kwargs: Any) -> Any:
        looked_at.append(password)
        return verify(password, *args, **kwargs)

    monkeypatch.setattr(hashers, "verify_password", counted)
    start, outcomes = threading.Barrier(20), []

    def guess(number: int) -> None:
        start.wait()
        try:
            services.log_in(username="burst", password=f"guess {number}")
        except DomainError as refusal:
            outcomes.append(refusal.status)
        finally:
            connection.close()

    threads = [threading.Thread(target=guess, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(looked_at) == services.MAX_TRIES
    assert sorted(outcomes) == [422] * services.MAX_TRIES + [429] * 15


# --- Passwords ------------------------------------------------------------------------------------


def change(client: Client, old: str, new: str, repeated: str | None = None) -> Any:
    typed = {"old_password": old, "new_password": new, "repeated": repeated or new}
    return client.post("/password/", typed)


def test_changed_password_ends_other_sessions_and_keeps_this_one(
    bureau: User, client_of: ClientOf
) -> None:
    here, elsewhere = client_of(bureau), client_of(bureau)
    assert change(here, PASSWORD, NEW_PASSWORD)["Location"] == "/"
    assert here.get("/jobs/").status_code == 200
    assert elsewhere.get("/jobs/").status_code == 302
    bureau.refresh_from_db()
    assert bureau.check_password(NEW_PASSWORD)
    record = AuditRecord.objects.get(action="accounts.change_password")
    assert record.actor == bureau
    assert NEW_PASSWORD not in str([record.before, record.after, record.reason])


@pytest.mark.parametrize(
    ("old", "new", "repeated", "field", "sentence"),
    [
        ("wrong", NEW_PASSWORD, None, "old_password", "现在的密码不对"),
        (PASSWORD, NEW_PASSWORD, NEW_PASSWORD + "x", "repeated", "两次输入的新密码不一样"),
        (PASSWORD, "Short-pw-22", None, "new_password", "至少要 12 个字符"),
        (PASSWORD, "123456789012", None, "new_password", "不能全是数字"),
        (PASSWORD, "password1234", None, "new_password", "太常见"),
        (PASSWORD, PASSWORD, None, "old_password", "与现在的密码相同"),
        ("", "", None, "new_password", "必填"),
    ],
)
def test_refused_password_says_why_at_its_field(
    bureau: User,
    client_of: ClientOf,
    old: str,
    new: str,
    repeated: str | None,
    field: str,
    sentence: str,
) -> None:
    answer = change(client_of(bureau), old, new, repeated)
    assert answer.status_code == 422
    assert sentence in "".join(answer.context["form"].errors[field])
    bureau.refresh_from_db()
    assert bureau.check_password(PASSWORD)


def test_service_holds_a_new_password_against_the_rules_itself(bureau: User) -> None:
    with pytest.raises(InvalidInput, match="至少要 12 个字符"):
        services.change_password(by=bureau, old_password=PASSWORD, new_password="short")


def test_password_like_the_user_name_is_refused(db: None) -> None:
    user = make_person("zhang-san-caizheng", Role.LEADER, "张三")
    with pytest.raises(InvalidInput, match="与用户名太相近"):
        services.change_password(by=user, old_password=PASSWORD, new_password="Zhang-san-caizheng1")


def test_guessing_the_old_password_is_locked_too(bureau: User, client_of: ClientOf) -> None:
    client = client_of(bureau)
    statuses = [change(client, f"guess {n}", NEW_PASSWORD).status_code for n in range(6)]
    assert statuses == [422] * 5 + [429]
    assert change(client, PASSWORD, NEW_PASSWORD).status_code == 429


def test_given_password_must_be_changed_before_anything_else(client_of: ClientOf, db: None) -> None:
    by = User.objects.system()
    user, first = services.create_account(username="new", full_name="新人", role=Role.LEADER, by=by)
    client = Client()
    send_login(client, "new", first)
    for path in ("/", "/jobs/"):
        assert client.get(path)["Location"] == "/password/"
    told = client.get("/api/v1/jobs/")
    assert (told.status_code, told.json()["error"]["code"]) == (403, "must_change_password")
    assert client.get("/password/").status_code == 200
    assert change(client, first, NEW_PASSWORD)["Location"] == "/"
    assert client.get("/jobs/").status_code == 200
    user.refresh_from_db()
    assert not user.must_change_password


# --- Accounts -------------------------------------------------------------------------------------


def test_made_account_is_recorded_without_its_password(db: None) -> None:
    user, password = services.create_account(
        username="ｚｈａｎｇ", full_name=" 张三 ", role=Role.AUDITOR, by=User.objects.system()
    )
    assert (user.username, user.full_name) == ("zhang", "张三")
    assert user.check_password(password)
    assert len(password) >= 12
    record = AuditRecord.objects.get(action="accounts.create_account")
    assert record.after["username"] == "zhang"
    assert password not in str(record.after)


def test_two_made_accounts_have_different_passwords(db: None) -> None:
    by = User.objects.system()
    made = [
        services.create_account(username=f"u{n}", full_name="某", role=Role.LEADER, by=by)[1]
        for n in range(2)
    ]
    assert made[0] != made[1]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"role": Role.COUNTY}, "必须指明县市"),
        ({"role": Role.DEPARTMENT}, "必须指明部门"),
        ({"role": Role.SYSTEM}, "不能新建"),
        ({"role": Role.LEADER, "username": "BUREAU"}, "已经有人用了"),
        ({"role": Role.LEADER, "username": ""}, "此字段"),
        ({"role": "emperor"}, "emperor"),
    ],
)
def test_account_that_cannot_be_made_says_why(
    bureau: User, values: dict[str, Any], sentence: str
) -> None:
    wanted: dict[str, Any] = {"username": "fresh", "full_name": "某", "by": User.objects.system()}
    wanted |= values
    with pytest.raises(InvalidInput, match=sentence):
        services.create_account(**wanted)
    assert not User.objects.filter(username="fresh").exists()


@pytest.mark.parametrize("role", [Role.BUREAU, Role.LEADER, Role.SYSADMIN, Role.AUDITOR])
def test_only_who_keeps_accounts_makes_them(db: None, role: Role) -> None:
    by = make_person("by", role, "某")
    with pytest.raises(NotAllowed):
        services.create_account(username="x", full_name="某", role=Role.BUREAU, by=by)


def test_command_makes_a_bank_account_that_can_log_in(register: None) -> None:
    out = StringIO()
    call_command(
        "create_account",
        username="clerk",
        name="李静",
        role="bank",
        institution="喀什农商银行",
        stdout=out,
    )
    user = User.objects.get(username="clerk")
    assert Membership.objects.get(user=user).institution.short_name == "喀什农商银行"
    password = out.getvalue().split("初始密码：")[1].split()[0]
    client = Client()
    assert send_login(client, "clerk", password)["Location"] == "/"
    assert client.get("/")["Location"] == "/password/"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"role": "bank"}, "--institution"),
        ({"role": "bank", "institution": "没有这家银行"}, "没有这家银行"),
        ({"role": "county", "region": "没有这个县"}, "没有这个县"),
        ({"role": "leader", "institution": "喀什农商银行"}, "金融机构"),
    ],
)
def test_command_refuses_and_saves_nothing(
    register: None, options: dict[str, str], sentence: str
) -> None:
    with pytest.raises(CommandError, match=sentence):
        call_command("create_account", username="clerk", name="某", **options, stdout=StringIO())
    assert not User.objects.filter(username="clerk").exists()


def switch(client: Client, user: User, **values: str) -> Any:
    return client.post(f"/accounts/{user.pk}/active/", values)


def test_switched_off_account_is_out_at_once_and_comes_back(
    secadmin: User, bureau: User, client_of: ClientOf
) -> None:
    keeper, worker = client_of(secadmin), client_of(bureau)
    assert worker.get("/jobs/").status_code == 200
    assert switch(keeper, bureau, reason="调离").status_code == 302
    assert worker.get("/jobs/").status_code == 302
    assert send_login(Client(), "bureau", PASSWORD).status_code == 422
    assert switch(keeper, bureau, reason="调回", is_active="1").status_code == 302
    assert send_login(Client(), "bureau", PASSWORD).status_code == 302
    off, on = AuditRecord.objects.filter(action="accounts.set_account_active").order_by("pk")
    assert (off.before, off.after, off.reason) == (
        {"is_active": True},
        {"is_active": False},
        "调离",
    )
    assert (on.actor, on.after) == (secadmin, {"is_active": True})


def test_switching_needs_a_reason(secadmin: User, bureau: User, client_of: ClientOf) -> None:
    for reason in ("", "   "):
        answer = switch(client_of(secadmin), bureau, reason=reason)
        assert answer.status_code == 422
        assert "原因" in answer.content.decode()
    bureau.refresh_from_db()
    assert bureau.is_active


def test_nobody_switches_off_itself_or_who_is_not_there(secadmin: User) -> None:
    with pytest.raises(NotAllowed):
        services.set_account_active(
            account_id=secadmin.pk, is_active=False, by=secadmin, reason="试"
        )
    for missing in (0, User.objects.system().pk):
        with pytest.raises(NotFound):
            services.set_account_active(
                account_id=missing, is_active=True, by=secadmin, reason="试"
            )


@pytest.mark.parametrize("role", [Role.SYSADMIN, Role.BUREAU, Role.AUDITOR, Role.LEADER])
def test_only_the_security_administrator_switches(
    secadmin: User, client_of: ClientOf, role: Role
) -> None:
    by = make_person("by", role, "某")
    assert switch(client_of(by), secadmin, reason="试").status_code == 403
    with pytest.raises(NotAllowed):
        services.set_account_active(account_id=secadmin.pk, is_active=False, by=by, reason="试")
    secadmin.refresh_from_db()
    assert secadmin.is_active


def test_list_shows_everybody_and_offers_switches_only_to_who_may(
    secadmin: User, sysadmin: User, bank_clerk: User, bureau: User, client_of: ClientOf
) -> None:
    User.objects.system()
    for user, offered in ((secadmin, 3), (sysadmin, 0)):
        answer = client_of(user).get("/accounts/")
        page = answer.content.decode()
        assert len(answer.context["page_obj"].object_list) == 4
        assert "喀什农商银行" in page
        assert page.count("/active/") == offered
    assert client_of(bureau).get("/accounts/").status_code == 403


def test_list_is_narrowed_by_name_role_and_state(
    secadmin: User, bureau: User, leader: User, client_of: ClientOf
) -> None:
    User.objects.filter(pk=leader.pk).update(is_active=False)
    client = client_of(secadmin)

    def shown(query: str) -> set[str]:
        rows = client.get(f"/accounts/?{query}").context["page_obj"]
        return {account.username for account in rows}

    assert shown("q=阿依") == {"bureau"}
    assert shown("role=secadmin") == {"secadmin"}
    assert shown("state=off") == {"leader"}
    assert shown("state=on") == {"bureau", "secadmin"}
    assert shown("q=nobody") == set()


def test_list_asks_the_database_the_same_for_two_and_for_twenty(
    secadmin: User, client_of: ClientOf
) -> None:
    client = client_of(secadmin)
    region = Region.objects.get(short_name="疏勒县")
    client.get("/accounts/")
    counts = []
    for total in (2, 20):
        while User.objects.count() < total:
            make_person(f"c{User.objects.count()}", Role.COUNTY, "某", region=region)
        with CaptureQueriesContext(connection) as asked:
            client.get("/accounts/")
        counts.append(len(asked))
    assert counts[0] == counts[1]
