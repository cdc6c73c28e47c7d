"""The classification of industries, the audit record and the job ledger."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from common.choices import ACTIVE_JOB_STATES, JobState, SectorLevel


class SectorQuerySet(models.QuerySet["Sector"]):
    """The classification of industries, the same for everybody."""

    def visible_to(self, user: Any) -> "SectorQuerySet":
        """Reference data: everyone who is logged in sees all of it."""
        return self.all() if user.is_authenticated else self.none()


class Sector(models.Model):
    """One entry of GB/T 4754-2017 at any of its four levels."""

    code = models.CharField("代码", max_length=5, primary_key=True)
    level = models.CharField("层级", max_length=8, choices=SectorLevel.choices)
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )
    name = models.CharField("名称", max_length=100)
    name_key = models.CharField("名称（比对用）", max_length=100, db_index=True)

    objects = SectorQuerySet.as_manager()

    class Meta:
        verbose_name = "国民经济行业"
        constraints = [
            models.CheckConstraint(
                condition=Q(level=SectorLevel.SECTION) | Q(parent__isnull=False),
                name="sector_below_section_has_parent",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.code}"


class AppendOnlyError(Exception):
    """Raised when code tries to change what may only be added to."""


class AuditQuerySet(models.QuerySet["AuditRecord"]):
    """Records can be read and added, never changed."""

    def visible_to(self, user: Any) -> "AuditQuerySet":
        """Only the auditor reads the record (security.md E8)."""
        return self.all() if getattr(user, "reads_audit", False) else self.none()

    def update(self, **kwargs: Any) -> int:
        """Refuse: a record that can be changed proves nothing."""
        raise AppendOnlyError("The audit record is append-only.")

    def delete(self) -> tuple[int, dict[str, int]]:
        """Refuse, as for `update`."""
        raise AppendOnlyError("The audit record is append-only.")


class AuditRecord(models.Model):
    """Who did what to which object, when, with before and after, and why."""

    at = models.DateTimeField("时间", auto_now_add=True, db_index=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="操作人",
    )
    actor_name = models.CharField("操作人（当时）", max_length=150, blank=True)
    action = models.CharField("动作", max_length=60, db_index=True)
    object_type = models.CharField("对象类型", max_length=60, blank=True)
    object_id = models.CharField("对象编号", max_length=40, blank=True)
    object_label = models.CharField("对象", max_length=300, blank=True)
    before = models.JSONField("之前", default=dict)
    after = models.JSONField("之后", default=dict)
    reason = models.TextField("原因", blank=True)
    request_number = models.CharField("请求编号", max_length=32, blank=True)
    address = models.GenericIPAddressField("来源地址", null=True, blank=True)

    objects = AuditQuerySet.as_manager()

    class Meta:
        verbose_name = "审计记录"
        indexes = [models.Index(fields=["object_type", "object_id"], name="audit_by_object")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_name} {self.action} {self.object_label}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add the record; refuse to change one that stands."""
        if not self._state.adding:
            raise AppendOnlyError("The audit record is append-only.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refuse, as for the queryset."""
        raise AppendOnlyError("The audit record is append-only.")


class JobQuerySet(models.QuerySet["Job"]):
    """Jobs by state and by who may see them."""

    def visible_to(self, user: Any) -> "JobQuerySet":
        """The one who asked sees a job; who runs the system sees all."""
        if getattr(user, "sees_all_jobs", False):
            return self.all()
        return self.filter(requested_by=user.pk) if user.is_authenticated else self.none()

    def active(self) -> "JobQuerySet":
        """Jobs that are waiting or running."""
        return self.filter(state__in=ACTIVE_JOB_STATES)


class Job(models.Model):
    """One piece of slow work: what, for whom, how far, how it ended.

    The ledger, not the broker, says what is to be done: a message is only a wake-up.
    """

    task = models.CharField("任务", max_length=100)
    title = models.CharField("名称", max_length=200)
    arguments = models.JSONField("参数", default=dict)
    key = models.CharField("去重键", max_length=200, blank=True)
    state = models.CharField(
        "状态", max_length=10, choices=JobState.choices, default=JobState.QUEUED
    )
    attempts = models.PositiveSmallIntegerField("已试次数", default=0)
    claim_token = models.UUIDField("认领", null=True, blank=True)
    lease_until = models.DateTimeField("租期至", null=True, blank=True)
    is_cancel_requested = models.BooleanField("已请求取消", default=False)
    progress_done = models.PositiveIntegerField("已完成", default=0)
    progress_total = models.PositiveIntegerField("总数", default=0)
    progress_note = models.CharField("正在做", max_length=200, blank=True)
    result = models.JSONField("结果", default=dict)
    error = models.TextField("失败原因", blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="jobs",
        verbose_name="发起人",
    )
    created_at = models.DateTimeField("创建时间", auto_now_add=True)
    sent_at = models.DateTimeField("唤醒时间", null=True, blank=True)
    started_at = models.DateTimeField("开始时间", null=True, blank=True)
    finished_at = models.DateTimeField("结束时间", null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = "任务"
        indexes = [models.Index(fields=["state", "sent_at"], name="job_by_state")]
        constraints = [
            models.UniqueConstraint(
                fields=["key"],
                condition=Q(state__in=ACTIVE_JOB_STATES) & ~Q(key=""),
                name="job_key_once_while_active",
            ),
            models.CheckConstraint(
                condition=~Q(state=JobState.RUNNING)
                | Q(claim_token__isnull=False, lease_until__isnull=False),
                name="job_running_is_claimed",
            ),
            models.CheckConstraint(
                condition=Q(state__in=ACTIVE_JOB_STATES) | Q(finished_at__isnull=False),
                name="job_ended_has_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title}（{self.get_state_display()}）"

    @property
    def is_active(self) -> bool:
        """Whether the job still waits or runs."""
        return self.state in ACTIVE_JOB_STATES

    @property
    def percent(self) -> int | None:
        """How far the job is, 0–100; None while nobody has said how much there is to do."""
        return self.progress_done * 100 // self.progress_total if self.progress_total else None
