"""The start page of each role: what there is to know and to do, nothing else."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, Sum
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.choices import Role
from accounts.models import User
from accounts.permissions import EVERYONE, PersonRequest, only
from common.choices import JobState
from common.models import AuditRecord, Job
from common.money import exact_wan, show_pct
from common.months import local_today, month_key, month_of, previous_month
from institutions.models import Institution, ListEdition
from projects.models import FinancingDemand, Project
from referrals.lifecycle import WAY, Stage
from referrals.models import MonthlyReturn, Referral
from reports.models import Bulletin
from reports.page import bulletin_page
from reports.services import document_of
from reports.views import proposed_month

Context = dict[str, Any]
FUNNEL_SHOWN = (
    Stage.PUSHED,
    Stage.ACKNOWLEDGED,
    Stage.INTENDED,
    Stage.APPROVED,
    Stage.DISBURSED,
)
ROWS_SHOWN = 10
TODO_SHOWN = 50


@require_GET
@only(*EVERYONE)
def start(request: PersonRequest) -> HttpResponse:
    """Show the start page of the role."""
    template, build = STARTS[Role(request.user.role)]
    return render(request, f"start/{template}.html", build(request.user))


def _latest_page(user: Any) -> Context:
    """The latest bulletin the user may read, as the bulletin page shows it; empty without one."""
    latest = Bulletin.objects.visible_to(user).newest_first().select_related("rules").first()
    if latest is None:
        return {"latest": None, "page": None}
    page = bulletin_page(document_of(latest, is_frozen=True))
    return {"latest": latest, "page": page, "funnel": _funnel(page["snapshot"])}


def _funnel(snapshot: Context) -> list[Context]:
    """The way from demand to payment, each step with its share of the whole demand."""
    whole = Decimal(snapshot["demand"]["amount_wan"])
    steps = {step["stage"]: step for step in snapshot["funnel"]}
    rows = [{**snapshot["demand"], "label": "需求", "tone": "plain"}]
    rows += [
        {**steps[stage], "label": _funnel_label(stage), "tone": f"way-{stage.step}"}
        for stage in FUNNEL_SHOWN
    ]
    return [{**row, "percent": show_pct(Decimal(row["amount_wan"]), whole)} for row in rows]


def _funnel_label(stage: Stage) -> str:
    """Reached the stage or went beyond it."""
    return stage.label if stage in (WAY[0], WAY[-1]) else f"{stage.label}及以后"


def _bureau(user: Any) -> Context:
    month = proposed_month(user)
    heads = Institution.objects.visible_to(user).heads().active_on(local_today())
    sent = MonthlyReturn.objects.visible_to(user).filter(month=month)
    silent = heads.exclude(
        Q(pk__in=sent.values("institution")) | Q(pk__in=sent.values("institution__parent"))
    )
    waiting = Referral.objects.visible_to(user).filter(stage=Stage.PUSHED)
    return {
        **_latest_page(user),
        "month": month,
        "month_key": month_key(month),
        "silent": silent.count(),
        "expected": heads.count(),
        "waiting": waiting.count(),
        "proposals": ListEdition.objects.visible_to(user).to_decide().count(),
        "stuck": _longest_unmoved(user),
        "projects": Project.objects.visible_to(user).count(),
    }


def _longest_unmoved(user: Any) -> list[Referral]:
    """Open referrals short of an agreement, the longest unmoved first."""
    found = Referral.objects.visible_to(user).filter(stage__in=WAY[:3])
    joined = found.select_related("project__region", "institution")
    return list(joined.order_by("stage_on", "pk")[:ROWS_SHOWN])


def _leader(user: Any) -> Context:
    return _latest_page(user)


def _submitter(user: Any) -> Context:
    projects = Project.objects.visible_to(user)
    demand = FinancingDemand.objects.as_of(local_today()).filter(project__in=projects.values("pk"))
    referrals = Referral.objects.visible_to(user)
    sums = demand.aggregate(projects=Count("pk"), amount=Sum("demand_wan"))
    landed = referrals.filter(stage__in=WAY[3:])
    return {
        "projects": sums["projects"],
        "demand_wan": exact_wan(sums["amount"]),
        "pushed": referrals.values("project").distinct().count(),
        "landed": landed.values("project").distinct().count(),
        "recent": referrals.select_related("project", "institution").order_by("-stage_on", "-pk")[
            :ROWS_SHOWN
        ],
    }


def _bank(user: Any) -> Context:
    mine = Institution.objects.visible_to(user).of_user(user).in_report_order().first()
    context = _latest_page(user)
    month = proposed_month(user)
    open_ones = Referral.objects.visible_to(user).filter(stage__in=WAY[:6])
    shown = open_ones.with_amounts(local_today()).select_related("project__region")
    own = None
    if mine and context["page"]:
        rows = context["page"]["snapshot"]["institutions"]
        own = next((row for row in rows if row["name"] == str(mine.head)), None)
    return {
        **context,
        "institution": mine,
        "own": own,
        "month": month,
        "has_returned": MonthlyReturn.objects.visible_to(user).filter(month=month).exists(),
        "todo": shown.order_by("stage_on", "pk")[:TODO_SHOWN],
        "todo_count": open_ones.count(),
        "waiting": open_ones.filter(stage=Stage.PUSHED).count(),
    }


def _system(user: Any) -> Context:
    jobs = Job.objects.visible_to(user)
    return {
        "active": jobs.active().count(),
        "failed": jobs.filter(state=JobState.FAILED).count(),
        "recent": jobs.select_related("requested_by").order_by("-pk")[:ROWS_SHOWN],
        "accounts": User.objects.visible_to(user).count(),
    }


def _security(user: Any) -> Context:
    accounts = User.objects.visible_to(user)
    counted = dict(accounts.values_list("role").annotate(count=Count("pk")))
    return {
        "roles": [(role.label, counted[role]) for role in Role if role in counted],
        "accounts": accounts.count(),
        "inactive": accounts.filter(is_active=False).count(),
        "never": accounts.filter(last_login=None).count(),
    }


def _auditor(user: Any) -> Context:
    records = AuditRecord.objects.visible_to(user)
    return {
        "records": records.count(),
        "today": records.filter(at__date=local_today()).count(),
        "recent": records.order_by("-pk")[:ROWS_SHOWN],
        "last_month": month_key(previous_month(month_of(local_today()))),
    }


STARTS: dict[Role, tuple[str, Callable[[Any], Context]]] = {
    Role.BUREAU: ("bureau", _bureau),
    Role.LEADER: ("leader", _leader),
    Role.COUNTY: ("submitter", _submitter),
    Role.DEPARTMENT: ("submitter", _submitter),
    Role.BANK: ("bank", _bank),
    Role.SYSADMIN: ("system", _system),
    Role.SECADMIN: ("security", _security),
    Role.AUDITOR: ("auditor", _auditor),
}
