"""The menu of each role: at most seven entries, named by the work."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from accounts.choices import Role
from common.models import Job
from institutions.models import Institution


@dataclass(frozen=True)
class Entry:
    """A place in the menu: address by name, word, icon."""

    url_name: str
    label: str
    icon: str


START = Entry("start", "工作台", "layout-dashboard")
PROJECTS = Entry("projects", "项目", "folders")
REFERRALS = Entry("referrals", "对接", "arrows-join-2")
RETURNS = Entry("returns", "报送", "send")
BULLETINS = Entry("bulletins", "通报", "clipboard-text")
MATCHES = Entry("matches", "匹配", "arrow-merge")
INSTITUTIONS = Entry("institutions", "机构", "building")
OWN_LISTS = Entry("own_institution", "本行清单", "list-details")
JOBS = Entry("jobs", "任务", "list-check")
ACCOUNTS = Entry("accounts", "账号", "users")
AUDIT = Entry("audit", "审计", "file-search")

MENUS: dict[str, tuple[Entry, ...]] = {
    Role.BUREAU: (START, PROJECTS, MATCHES, REFERRALS, RETURNS, BULLETINS, INSTITUTIONS),
    Role.LEADER: (START, PROJECTS, MATCHES, BULLETINS, INSTITUTIONS),
    Role.COUNTY: (START, PROJECTS, REFERRALS, BULLETINS),
    Role.DEPARTMENT: (START, PROJECTS, REFERRALS, BULLETINS),
    Role.BANK: (START, REFERRALS, RETURNS, OWN_LISTS, BULLETINS),
    Role.SYSADMIN: (START, ACCOUNTS, JOBS),
    Role.SECADMIN: (START, ACCOUNTS),
    Role.AUDITOR: (START, AUDIT),
}


def navigation(request: HttpRequest) -> dict[str, object]:
    """Return menu, workplace and running jobs of the user who asks, for every page."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"menu": []}
    return {
        "menu": menu_of(user.role, request.path),
        "workplace": lambda: workplace_of(user),
        "active_jobs": lambda: Job.objects.filter(requested_by=user.pk).active().count(),
    }


def menu_of(role: str, path: str) -> list[dict[str, Any]]:
    """Return the entries of a role; the one whose address the path lies under is current."""
    shown = [
        {"label": entry.label, "icon": entry.icon, "url": reverse(entry.url_name)}
        for entry in MENUS.get(role, ())
    ]
    holding = [entry["url"] for entry in shown if _lies_under(path, entry["url"])]
    current = max(holding, key=len, default=None)
    return [entry | {"is_current": entry["url"] == current} for entry in shown]


def _lies_under(path: str, url: str) -> bool:
    return path == url or (url != "/" and path.startswith(url))


def workplace_of(user: Any) -> str:
    """Return where the person works, in one word for the top bar."""
    if user.role != Role.BANK:
        return str(user.workplace)
    mine = Institution.objects.filter(members__user=user.pk).first()
    return str(mine) if mine else str(user.workplace)
