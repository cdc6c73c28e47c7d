"""The bureau's counting rules and the frozen bulletins."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.choices import ADMINISTRATORS


class CountingRules(models.Model):
    """The bureau's settings for figures, with a version a snapshot keeps a copy of.

    `values`: `bands` (list of {key, label, from_wan, below_wan}), `sporadic_below_wan`,
    `landed_deals_at_least` (deals an institution needs not to lag), `bulletin_day` (day of the next
    month on which the schedule freezes a bulletin).
    """

    version = models.PositiveIntegerField("版本", unique=True)
    values = models.JSONField("取值")
    reason = models.TextField("说明")
    created_at = models.DateTimeField("生效时间", auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        verbose_name = "统计口径"
        get_latest_by = "version"

    def __str__(self) -> str:
        return f"统计口径第 {self.version} 版"


class BulletinQuerySet(models.QuerySet["Bulletin"]):
    """Bulletins by scope."""

    def visible_to(self, user: Any) -> "BulletinQuerySet":
        """A bulletin is made to be read: by everyone but the three administrators."""
        if not user.is_authenticated or user.role in ADMINISTRATORS:
            return self.none()
        return self.all()

    def of_month(self, month: Any) -> "BulletinQuerySet":
        """The revisions of one month, the latest first."""
        return self.filter(month=month).order_by("-revision")

    def newest_first(self) -> "BulletinQuerySet":
        """Latest month first, within it the latest revision."""
        return self.order_by("-month", "-revision")


class Bulletin(models.Model):
    """The frozen figures of a month; immutable, corrected only by a further revision."""

    month = models.DateField("月份")
    revision = models.PositiveSmallIntegerField("修订", default=1)
    reason = models.TextField("修订原因", blank=True)
    snapshot = models.JSONField("快照")
    # One entry a landed deal, as it stood; kept apart because it may be long.
    detail = models.JSONField("明细")
    digest = models.CharField("快照指纹", max_length=64)
    # Everything recorded up to this moment is in the figures, nothing later is.
    known_at = models.DateTimeField("数据冻结时间")
    rules = models.ForeignKey(CountingRules, on_delete=models.PROTECT, related_name="bulletins")
    frozen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )

    objects = BulletinQuerySet.as_manager()

    class Meta:
        verbose_name = "通报"
        constraints = [
            models.UniqueConstraint(
                fields=["month", "revision"], name="bulletin_once_per_revision"
            ),
            models.CheckConstraint(condition=Q(month__day=1), name="bulletin_month_is_first_day"),
            models.CheckConstraint(
                condition=Q(revision=1) | ~Q(reason=""), name="bulletin_revision_says_why"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.month.year}年{self.month.month}月通报"
