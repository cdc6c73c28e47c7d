"""The register of banks and cooperatives."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.models import Region
from institutions.choices import (
    COOPERATIVES,
    EditionStatus,
    Kind,
    NameKind,
    Polarity,
    Strength,
)
from institutions.querysets import EditionQuerySet, InstitutionQuerySet


class Institution(models.Model):
    """A bank or cooperative of the prefecture, or a branch whose deals count with its parent."""

    code = models.SlugField("代码", max_length=40, unique=True)
    short_name = models.CharField("通报简称", max_length=60, unique=True)
    full_name = models.CharField("全称", max_length=100, unique=True)
    # The heading as printed in the published lists; empty where there is no list.
    list_name = models.CharField("清单标题", max_length=100, blank=True)
    kind = models.CharField("类型", max_length=20, choices=Kind.choices)
    parent = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="branches",
        verbose_name="上级机构",
    )
    display_order = models.PositiveSmallIntegerField("通报顺序", unique=True)
    service_areas = models.ManyToManyField(
        Region, related_name="serving_institutions", verbose_name="服务区域", blank=True
    )
    # Barred from lending outside its service areas (county cooperatives; 喀什农商银行 负面（三）).
    is_area_bound = models.BooleanField("只在服务区域内放贷", default=False)
    active_from = models.DateField("自", null=True, blank=True)
    active_until = models.DateField("至", null=True, blank=True)

    objects = InstitutionQuerySet.as_manager()

    class Meta:
        verbose_name = "金融机构"
        constraints = [
            models.CheckConstraint(
                condition=Q(active_from=None)
                | Q(active_until=None)
                | Q(active_until__gte=F("active_from")),
                name="institution_active_span_in_order",
            ),
            models.CheckConstraint(
                condition=Q(parent=None) | ~Q(parent=F("id")), name="institution_not_own_parent"
            ),
        ]

    def __str__(self) -> str:
        return self.short_name

    @property
    def is_cooperative(self) -> bool:
        """Whether the report counts it as 联社 rather than 银行."""
        return self.kind in COOPERATIVES

    @property
    def head(self) -> "Institution":
        """The institution under whose name its figures are printed."""
        return self.parent or self


class InstitutionName(models.Model):
    """One way to write an institution's name; each leads to exactly one institution."""

    institution = models.ForeignKey(Institution, on_delete=models.CASCADE, related_name="names")
    name = models.CharField("名称", max_length=100)
    key = models.CharField("名称（比对用）", max_length=100, unique=True)
    kind = models.CharField("用处", max_length=10, choices=NameKind.choices)

    class Meta:
        verbose_name = "机构名称"

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A bank user works for one institution."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="membership"
    )
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="members")

    class Meta:
        verbose_name = "机构人员"

    def __str__(self) -> str:
        return f"{self.user} {self.institution}"


class ListEdition(models.Model):
    """One edition of an institution's published lists; corrected only by a further edition."""

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="editions")
    name = models.CharField("版本", max_length=60)
    status = models.CharField(
        "状态", max_length=12, choices=EditionStatus.choices, default=EditionStatus.DRAFT
    )
    effective_from = models.DateField("生效自")
    effective_until = models.DateField("生效至（不含）", null=True, blank=True)
    source = models.CharField("来源", max_length=200, blank=True)
    reason = models.TextField("说明", blank=True)
    # The edition that was in force when this one was drafted; None for the first.
    based_on = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="drafts"
    )
    rejection_reason = models.TextField("未采纳的原因", blank=True)
    created_at = models.DateTimeField("创建时间", auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    confirmed_at = models.DateTimeField("机构确认时间", null=True, blank=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = EditionQuerySet.as_manager()

    class Meta:
        verbose_name = "清单版本"
        constraints = [
            models.UniqueConstraint(fields=["institution", "name"], name="edition_name_once"),
            models.UniqueConstraint(
                fields=["institution"],
                condition=Q(status=EditionStatus.IN_FORCE),
                name="edition_one_in_force",
            ),
            models.UniqueConstraint(
                fields=["institution"],
                condition=Q(status=EditionStatus.WAITING),
                name="edition_one_waiting",
            ),
            models.CheckConstraint(
                condition=Q(effective_until=None) | Q(effective_until__gt=F("effective_from")),
                name="edition_span_not_empty",
            ),
            models.CheckConstraint(
                condition=(Q(status=EditionStatus.REJECTED) & ~Q(rejection_reason=""))
                | (~Q(status=EditionStatus.REJECTED) & Q(rejection_reason="")),
                name="edition_rejected_with_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.institution} {self.name}"


class Clause(models.Model):
    """One numbered entry of a list, restated, with the condition a program can reason with."""

    edition = models.ForeignKey(ListEdition, on_delete=models.CASCADE, related_name="clauses")
    position = models.PositiveSmallIntegerField("顺序")
    # As printed: （五）, 三、; empty for a note or preamble.
    number = models.CharField("序号", max_length=12, blank=True)
    polarity = models.CharField("清单", max_length=10, choices=Polarity.choices)
    strength = models.CharField("力度", max_length=14, choices=Strength.choices, blank=True)
    title = models.CharField("标题", max_length=200)
    text = models.TextField("内容")
    # The wording of the original, attached when the bureau imports it.
    official_text = models.TextField("原文", blank=True)
    # None: the clause says nothing about a kind of project.
    condition = models.JSONField("条件", null=True, blank=True)
    note = models.TextField("说明", blank=True)
    source_lines = models.JSONField("原文行号", default=list, blank=True)

    class Meta:
        verbose_name = "条款"
        constraints = [
            models.UniqueConstraint(
                fields=["edition", "polarity", "number"],
                condition=~Q(number=""),
                name="clause_number_once",
            ),
            models.UniqueConstraint(fields=["edition", "position"], name="clause_position_once"),
            models.CheckConstraint(
                condition=Q(polarity=Polarity.POSITIVE, strength="")
                | (Q(polarity=Polarity.NEGATIVE) & (~Q(strength="") | Q(number=""))),
                name="clause_negative_has_strength",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_polarity_display()}{self.number} {self.title}"
