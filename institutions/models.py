"""The register of banks and cooperatives."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.models import Region
from institutions.choices import COOPERATIVES, Kind, NameKind
from institutions.querysets import InstitutionQuerySet


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
