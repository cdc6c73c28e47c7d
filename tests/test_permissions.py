"""Every address × every role. An address that is missing from the table fails the test.

The table says who may open an address with GET, or, where only POST is taken, who may post to it.
Whom it does not name gets 403; who is not logged in is sent to the login page or gets 401/403 from
the API. Scope (a stranger's row is 404) is tested where the rows are.
"""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import User
from common.jobs import enqueue
from institutions.models import ListEdition
from institutions.original_uploads import stage_original
from projects.models import Project
from referrals.services import stage_upload
from reports.services import freeze_bulletin
from tests.factories import make_project, make_referral
from tests.progress_files import progress

pytestmark = pytest.mark.django_db

ROLES = (
    "bureau",
    "county_clerk",
    "department_clerk",
    "bank_clerk",
    "leader",
    "sysadmin",
    "secadmin",
    "auditor",
)
SUBMITTERS = {"county_clerk", "department_clerk"}
BUSINESS = {"bureau", "bank_clerk", "leader"} | SUBMITTERS
ALL = set(ROLES)
OPEN = {"login", "health"}

# name: (method, roles, names of what fills the address)
TABLE: dict[str, tuple[str, set[str], tuple[str, ...]]] = {
    "start": ("get", ALL, ()),
    "logout": ("post", ALL, ()),
    "password": ("get", ALL, ()),
    "jobs": ("get", ALL, ()),
    "job": ("get", {"bureau", "sysadmin"}, ("job",)),
    "job_cancel": ("post", {"bureau", "sysadmin"}, ("job",)),
    "audit": ("get", {"auditor"}, ()),
    "accounts": ("get", {"sysadmin", "secadmin"}, ()),
    "account_active": ("post", {"secadmin"}, ("account",)),
    "institutions": ("get", BUSINESS, ()),
    "own_institution": ("get", {"bank_clerk"}, ()),
    "institution": ("get", BUSINESS, ("institution",)),
    "edition_propose": ("get", {"bank_clerk"}, ("institution",)),
    "edition_confirm": ("post", {"bank_clerk"}, ("edition",)),
    "edition_accept": ("post", {"bureau"}, ("edition",)),
    "edition_recall": ("post", {"bureau"}, ("edition",)),
    "edition_rebase": ("post", {"bureau"}, ("edition",)),
    "edition_reject": ("post", {"bureau"}, ("edition",)),
    "match_start": ("post", {"bureau"}, ()),
    "lists_import": ("get", {"bureau"}, ()),
    "lists_import_confirm": ("post", {"bureau"}, ()),
    "lists_import_discard": ("post", {"bureau"}, ()),
    "clauses": ("get", {"bureau"}, ()),
    "clause_subjects": ("get", {"bureau"}, ()),
    "clause_edit": ("get", {"bureau"}, ("edition", "polarity", "place")),
    "shared_conditions": ("get", {"bureau"}, ()),
    "shared_condition": ("get", {"bureau"}, ("shared",)),
    "projects": ("get", {"bureau", "leader", "bank_clerk"} | SUBMITTERS, ()),
    "project": ("get", BUSINESS, ("project",)),
    "matches": ("get", {"bureau", "leader"}, ()),
    "matches_xlsx": ("get", {"bureau", "leader"}, ()),
    "match_answer": ("post", {"bureau"} | SUBMITTERS, ("project", "institution")),
    "referrals": ("get", BUSINESS, ()),
    "referral": ("get", BUSINESS, ("referral",)),
    "referral_move": ("post", {"bureau", "bank_clerk"}, ("referral",)),
    "returns": ("get", {"bureau", "bank_clerk"}, ()),
    "return_submit": ("post", {"bureau", "bank_clerk"}, ()),
    "return_template": ("get", {"bureau", "bank_clerk"}, ()),
    "return_upload": ("post", {"bureau", "bank_clerk"}, ()),
    "return_preview": ("get", {"bureau"}, ()),
    "return_confirm": ("post", {"bureau"}, ()),
    "return_discard": ("post", {"bureau"}, ()),
    "bulletins": ("get", BUSINESS, ()),
    "bulletin": ("get", BUSINESS, ("month",)),
    "bulletin_make": ("post", {"bureau"}, ()),
    "bulletin_revise": ("post", {"bureau"}, ("month",)),
    "bulletin_xlsx": ("get", BUSINESS, ("month",)),
    "api_jobs": ("get", ALL, ()),
    "api_job": ("get", {"bureau", "sysadmin"}, ("job",)),
    "api_projects": ("get", BUSINESS, ()),
    "api_project": ("get", BUSINESS, ("project",)),
    "api_referrals": ("get", BUSINESS, ()),
    "api_referral": ("get", BUSINESS, ("referral",)),
    "api_referral_move": ("post", {"bureau", "bank_clerk"}, ("referral",)),
    "api_institutions": ("get", BUSINESS, ()),
    "api_institution": ("get", BUSINESS, ("institution",)),
    "api_bulletins": ("get", BUSINESS, ()),
    "api_bulletin": ("get", BUSINESS, ("month",)),
}
# Who may open such an address but not this row gets 404: it is somebody else's.
STRANGERS = dict.fromkeys(["job", "job_cancel", "api_job"], ALL) | dict.fromkeys(
    ["return_preview", "return_confirm", "return_discard"], {"bank_clerk"}
)


def patterns(resolver: URLResolver) -> Iterator[URLPattern]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from patterns(entry)
        else:
            yield entry


def test_every_address_has_a_name_and_stands_in_the_table():
    names = [entry.name for entry in patterns(get_resolver())]
    assert None not in names
    assert set(names) - OPEN == set(TABLE)


@pytest.fixture
def rows(bureau: User, secadmin: User, leader: User) -> dict[str, Any]:
    """One of each thing an address may speak of, within the reach of every business role."""
    project = make_project(county="疏勒县")
    Project.objects.filter(pk=project.pk).update(department="development")
    freeze_bulletin(month=date(2022, 2, 1), by=bureau)
    edition = ListEdition.objects.in_force().get(institution__code="kashgar-rcb")
    clause = edition.clauses.exclude(number="")[0]
    original = "中国农业发展银行喀什地区分行\n正面清单\n（一）支持粮食收购。\n"
    return {
        "edition": edition.pk,
        "polarity": clause.polarity,
        "place": clause.number,
        "shared": "land_reserve",
        "original": stage_original(content=original.encode(), file_name="原文.txt", by=bureau),
        "job": enqueue("reports.make_bulletin", by=bureau, title="试", arguments={}).pk,
        "account": leader.pk,
        "month": date(2022, 2, 1),
        "institution": "kashgar-rcb",
        "project": project.code,
        "referral": make_referral(project, "喀什农商银行").pk,
        "token": stage_upload(
            content=progress(nil=True), file_name="零报告.xlsx", month=date(2022, 2, 1), by=bureau
        ),
    }


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", TABLE)
def test_who_may_open_what(
    name: str,
    role: str,
    rows: dict[str, Any],
    client_of: Callable[[User], Client],
    request: pytest.FixtureRequest,
):
    method, allowed, filled = TABLE[name]
    client = client_of(request.getfixturevalue(role))
    url = reverse(name, args=[rows[each] for each in filled])
    # Such addresses take the upload they speak of as an input.
    uploads = {"token": rows["token"], "original": rows["original"]}
    status = getattr(client, method)(url, uploads).status_code
    if role in allowed:
        assert status not in (401, 403, 404, 405), f"{role} should reach {url}, got {status}"
        assert status < 500
    else:
        expected = 404 if role in STRANGERS.get(name, set()) else 403
        assert status == expected, f"{role} at {url}: {status}"


@pytest.mark.parametrize("name", TABLE)
def test_nobody_gets_in_without_logging_in(name: str, rows: dict[str, Any], client: Client):
    method, _, filled = TABLE[name]
    url = reverse(name, args=[rows[each] for each in filled])
    response = getattr(client, method)(url)
    if url.startswith("/api/"):
        assert response.status_code in (401, 403)
        return
    assert response.status_code == 302
    assert response.url.startswith(reverse("login"))


@pytest.mark.parametrize("name", sorted(OPEN))
def test_the_open_addresses_need_no_login(name: str, client: Client):
    assert client.get(reverse(name)).status_code == 200
