"""What every test may ask for: the register, one person of each role, a client for a person.

The test database holds the reference data of `load_reference` from the start, and each test's
changes are rolled back, so `register` costs nothing. Celery tasks run in the process itself, but
they are sent after commit, and a test's transaction never commits. To let them run:

    with django_capture_on_commit_callbacks(execute=True):
        client.post(...)
"""

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from pytest_django import DjangoDbBlocker

from accounts.choices import Role
from accounts.models import Department, Region, User
from institutions.models import Institution, InstitutionName, Membership
from kashgar_finance.celery import app

PASSWORD = "Test-password-2022"

# Slow hashes protect real passwords only; hashed static names need a collected tree.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
settings.STORAGES = settings.STORAGES | {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
}
# Nothing is collected for tests: files come from where they lie.
settings.WHITENOISE_AUTOREFRESH = settings.WHITENOISE_USE_FINDERS = True
if settings.DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file, not memory: threads and worker processes then wait for each other as they do at work.
    test_database = settings.DATABASES["default"].setdefault("TEST", {})
    test_database["NAME"] = settings.DATA_DIR / "test.sqlite3"
app.conf.task_always_eager = True
app.conf.task_eager_propagates = True


def _load_reference() -> None:
    call_command("load_reference", stdout=StringIO())


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Make the test database with the reference data in it."""
    with django_db_blocker.unblock():
        _load_reference()


@pytest.fixture
def register(db: None) -> None:
    """The reference data; a test with real transactions empties the tables, so look again."""
    if not Institution.objects.exists():
        _load_reference()


def make_person(username: str, role: Role, full_name: str, **workplace: Any) -> User:
    """Make an account with the password of the tests."""
    person = User(username=username, role=role, full_name=full_name, **workplace)
    person.set_password(PASSWORD)
    person.save()
    return person


def make_bank_clerk(username: str, full_name: str, institution: str) -> User:
    """Make an account that works for an institution, given by any of its names."""
    person = make_person(username, Role.BANK, full_name)
    works_for = InstitutionName.objects.get(name=institution).institution
    Membership.objects.create(user=person, institution=works_for)
    return person


@pytest.fixture
def bureau(register: None) -> User:
    """An officer of the finance bureau."""
    return make_person("bureau", Role.BUREAU, "财政局 阿依古丽")


@pytest.fixture
def county_clerk(register: None) -> User:
    """Who submits projects for 疏勒县."""
    region = Region.objects.get(short_name="疏勒县")
    return make_person("county", Role.COUNTY, "疏勒县 买买提", region=region)


@pytest.fixture
def department_clerk(register: None) -> User:
    """Who submits projects for 地区发改委."""
    department = Department.objects.get(short_name="地区发改委")
    return make_person("department", Role.DEPARTMENT, "发改委 王强", department=department)


@pytest.fixture
def bank_clerk(register: None) -> User:
    """A clerk of 喀什农商银行."""
    return make_bank_clerk("bank", "农商行 李静", "喀什农商银行")


@pytest.fixture
def other_bank_clerk(register: None) -> User:
    """A clerk of 中国工商银行, a stranger to the other bank's rows."""
    return make_bank_clerk("other-bank", "工商行 赵敏", "中国工商银行")


@pytest.fixture
def leader(register: None) -> User:
    """Who reads everything and changes nothing."""
    return make_person("leader", Role.LEADER, "行署 领导")


@pytest.fixture
def sysadmin(register: None) -> User:
    """Who runs the system."""
    return make_person("sysadmin", Role.SYSADMIN, "系统管理员")


@pytest.fixture
def secadmin(register: None) -> User:
    """Who looks after accounts."""
    return make_person("secadmin", Role.SECADMIN, "安全管理员")


@pytest.fixture
def auditor(register: None) -> User:
    """Who reads the audit record."""
    return make_person("auditor", Role.AUDITOR, "审计员")


@pytest.fixture
def client_of() -> Callable[[User], Client]:
    """Return a function that gives a client in which a person is logged in."""

    def logged_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return logged_in
