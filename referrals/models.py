"""Referrals, their moves, deals, what was agreed and what was paid."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from common.history import DatedRow
from common.money import WanField
from institutions.models import Institution
from projects.models import ImportedFile, Project
from referrals.lifecycle import DeclineReason, Stage
from referrals.querysets import (
    DealQuerySet,
    DisbursementQuerySet,
    ReferralQuerySet,
    ReturnQuerySet,
)


class Referral(models.Model):
    """A project shown to an institution, and how far the two are."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="referrals")
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="referrals")
    # None: the institution reported a deal for a project that was never pushed to it.
    pushed_on = models.DateField("推送日期", null=True, blank=True)
    stage = models.CharField("阶段", max_length=12, choices=Stage.choices, default=Stage.PUSHED)
    stage_on = models.DateField("阶段日期")
    created_at = models.DateTimeField("创建时间", auto_now_add=True)

    objects = ReferralQuerySet.as_manager()

    class Meta:
        verbose_name = "推送"
        constraints = [
            models.UniqueConstraint(
                fields=["project", "institution"], name="referral_once_per_pair"
            )
        ]

    def __str__(self) -> str:
        return f"{self.project} → {self.institution}"

    @property
    def stage_value(self) -> Stage:
        """The stage with its label and its place along the way."""
        return Stage(self.stage)

    @property
    def was_pushed(self) -> bool:
        """Whether the bureau pushed it, or the institution found the project by itself."""
        return self.pushed_on is not None


class ReferralMove(models.Model):
    """One step between a project and an institution; never changed or removed."""

    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="moves")
    # The loan it was about; None before there is one.
    deal = models.ForeignKey(
        "Deal", on_delete=models.PROTECT, null=True, blank=True, related_name="moves"
    )
    source = models.CharField("从", max_length=12, choices=Stage.choices, blank=True)
    target = models.CharField("到", max_length=12, choices=Stage.choices)
    occurred_on = models.DateField("日期")
    note = models.TextField("说明", blank=True)
    decline_reason = models.CharField(
        "不予支持原因", max_length=20, choices=DeclineReason.choices, blank=True
    )
    # The one-time key of the form that asked for it: a double click is one step.
    key = models.CharField("提交编号", max_length=36, blank=True)
    recorded_at = models.DateTimeField("记录时间")
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        verbose_name = "阶段变化"
        indexes = [models.Index(fields=["target", "occurred_on"], name="move_by_target")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(target=Stage.DECLINED) | ~Q(decline_reason=""),
                name="move_decline_has_reason",
            ),
            models.UniqueConstraint(fields=["key"], condition=~Q(key=""), name="move_once_per_key"),
        ]

    def __str__(self) -> str:
        return f"{self.referral} {self.get_target_display()} {self.occurred_on}"


class Deal(models.Model):
    """One project × one institution × one loan (笔)."""

    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="deals")
    # Empty until the institution first reports one.
    voucher_no = models.CharField("凭证号", max_length=60, blank=True)
    rate_pct = models.DecimalField(
        "执行利率（%）", max_digits=6, decimal_places=4, null=True, blank=True
    )
    term_months = models.PositiveSmallIntegerField("期限（月）", null=True, blank=True)
    created_at = models.DateTimeField("创建时间", auto_now_add=True)

    objects = DealQuerySet.as_manager()

    class Meta:
        verbose_name = "笔"
        constraints = [
            models.UniqueConstraint(
                fields=["referral", "voucher_no"], name="deal_once_per_voucher"
            ),
            models.CheckConstraint(
                condition=Q(rate_pct=None) | Q(rate_pct__gte=0), name="deal_rate_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.referral} {self.voucher_no}".rstrip()


class DealTerms(DatedRow):
    """What was agreed on a deal, in 万元, and its stage, from a day on.

    Agreed = 授信金额, or 意向金额 where that is empty (interfaces.md 3).
    """

    deal = models.ForeignKey(Deal, on_delete=models.PROTECT, related_name="terms")
    stage = models.CharField("阶段", max_length=12, choices=Stage.choices)
    intended_wan = WanField("意向金额（万元）", null=True, blank=True)
    approved_wan = WanField("授信金额（万元）", null=True, blank=True)

    class Meta:
        verbose_name = "约定"
        constraints = [
            *DatedRow.constraints_for("deal", "terms"),
            models.CheckConstraint(
                condition=Q(intended_wan=None) | Q(intended_wan__gte=0),
                name="terms_intended_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(approved_wan=None) | Q(approved_wan__gte=0),
                name="terms_approved_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.deal} {self.get_stage_display()}"


class Disbursement(models.Model):
    """Money paid on a deal on a day, in 万元; a reversal (冲正) is a negative one with a note."""

    deal = models.ForeignKey(Deal, on_delete=models.PROTECT, related_name="disbursements")
    amount_wan = WanField("投放金额（万元）")
    paid_on = models.DateField("投放日期")
    note = models.TextField("说明", blank=True)
    recorded_at = models.DateTimeField("记录时间")
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )

    objects = DisbursementQuerySet.as_manager()

    class Meta:
        verbose_name = "投放"
        indexes = [models.Index(fields=["deal", "paid_on"], name="disbursement_by_deal")]
        constraints = [
            models.CheckConstraint(condition=~Q(amount_wan=0), name="disbursement_not_zero"),
            models.CheckConstraint(
                condition=Q(amount_wan__gt=0) | ~Q(note=""),
                name="disbursement_reversal_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.deal} {self.amount_wan} 万元 {self.paid_on}"


class StatedTotal(models.Model):
    """What an institution said was paid on a deal up to the end of a month (累计投放金额).

    The latest one of a month counts. It lets a late or corrected return for an earlier month
    leave alone what a later month already said.
    """

    deal = models.ForeignKey(Deal, on_delete=models.PROTECT, related_name="stated_totals")
    month = models.DateField("月份")
    total_wan = WanField("累计投放金额（万元）")
    recorded_at = models.DateTimeField("记录时间")
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        verbose_name = "累计投放"
        indexes = [models.Index(fields=["deal", "month"], name="stated_total_by_deal")]
        constraints = [
            models.CheckConstraint(
                condition=Q(month__day=1), name="stated_total_month_is_first_day"
            ),
            models.CheckConstraint(condition=Q(total_wan__gte=0), name="stated_total_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.deal} {self.month:%Y-%m} {self.total_wan} 万元"


class MonthlyReturn(models.Model):
    """What an institution reported for a month; a nil return says "nothing moved"."""

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="returns")
    month = models.DateField("月份")
    is_nil = models.BooleanField("零报告")
    # Rows that say something moved; rows marked 无变化 are not counted.
    row_count = models.PositiveIntegerField("变化行数", default=0)
    source = models.ForeignKey(
        ImportedFile, on_delete=models.PROTECT, null=True, blank=True, related_name="returns"
    )
    received_at = models.DateTimeField("收到时间")
    received_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )

    objects = ReturnQuerySet.as_manager()

    class Meta:
        verbose_name = "月度报送"
        indexes = [models.Index(fields=["month", "institution"], name="return_by_month")]
        constraints = [
            models.CheckConstraint(condition=Q(month__day=1), name="return_month_is_first_day"),
            models.CheckConstraint(
                condition=~Q(is_nil=True) | Q(row_count=0), name="return_nil_has_no_rows"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.institution} {self.month:%Y-%m}"
