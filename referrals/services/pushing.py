"""Showing a project to an institution."""

from datetime import date
from typing import Any

from django.db import transaction

from accounts.choices import Role
from common import audit
from common.errors import IllegalMove, InvalidInput, NotAllowed, NotFound
from common.months import local_today
from institutions.models import Institution
from projects.models import Project
from referrals.lifecycle import Stage
from referrals.models import Referral
from referrals.services.progress import Step, record_progress

MAY_PUSH = frozenset({Role.BUREAU, Role.SYSTEM})


@transaction.atomic
def push_project(
    *, project: Project, institution: Institution, pushed_on: date, by: Any
) -> Referral:
    """Show a project to an institution; pushed again on the same day, nothing changes.

    A project the institution had found by itself keeps its stage and is no longer marked so.
    """
    if by.role not in MAY_PUSH:
        raise NotAllowed("只有财政局可以推送项目。")
    if pushed_on > local_today():
        raise InvalidInput(f"推送日期 {pushed_on} 还没有到，请填今天或以前的日期。")
    if not Project.objects.visible_to(by).filter(pk=project.pk).exists():
        raise NotFound("没有这个项目。")
    lock_institutions([institution.pk])
    held = Referral.objects.filter(project=project, institution=institution).first()
    if held:
        return _mark_pushed(held, pushed_on, by)
    if not Institution.objects.active_on(pushed_on).filter(pk=institution.pk).exists():
        raise InvalidInput(f"{institution} 在 {pushed_on} 没有营业，不能向它推送。")
    referral = Referral(
        project=project,
        institution=institution,
        pushed_on=pushed_on,
        stage=Stage.PUSHED,
        stage_on=pushed_on,
    )
    record_progress(
        steps=[Step(referral, source="", target=Stage.PUSHED, occurred_on=pushed_on)], by=by
    )
    audit.record("referrals.push_project", by=by, on=referral, after={"pushed_on": pushed_on})
    return referral


def lock_institutions(ids: list[int]) -> None:
    """Let only one writer at a time add referrals of these institutions."""
    locked = Institution.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True)
    len(locked)


def _mark_pushed(referral: Referral, pushed_on: date, by: Any) -> Referral:
    if referral.pushed_on == pushed_on:
        return referral
    if referral.pushed_on:
        raise IllegalMove(
            f"“{referral.project}”在 {referral.pushed_on} 已推送给{referral.institution}，"
            "不必再推；退回或撤回过的请用“重新推送”。"
        )
    referral.pushed_on = pushed_on
    referral.save(update_fields=["pushed_on"])
    audit.record(
        "referrals.push_project",
        by=by,
        on=referral,
        before={"pushed_on": None},
        after={"pushed_on": pushed_on},
    )
    return referral
