"""Projects and what they still need to borrow."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Department, Region
from common.history import DatedRow
from common.models import Sector
from common.money import WanField
from projects.choices import Category, Guarantee, Nature, Ownership, Permit
from projects.querysets import ProjectQuerySet


class DemandRound(models.Model):
    """A collection round; the projects of its ledgers count in every bulletin from its day on."""

    name = models.CharField("轮次", max_length=60, unique=True)
    counts_from = models.DateField("计入自")
    created_at = models.DateTimeField("创建时间", auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        verbose_name = "摸排轮次"

    def __str__(self) -> str:
        return self.name


class Project(models.Model):
    """A thing to be built or bought that needs money; counted once however many deals it has."""

    code = models.CharField("项目编号", max_length=20, unique=True)
    name = models.CharField("项目名称", max_length=200)
    name_key = models.CharField("项目名称（比对用）", max_length=200, db_index=True)
    borrower = models.CharField("项目单位", max_length=200)
    borrower_key = models.CharField("项目单位（比对用）", max_length=200)
    credit_code = models.CharField("统一社会信用代码", max_length=18, blank=True)
    ownership = models.CharField("企业性质", max_length=12, choices=Ownership.choices, blank=True)
    region = models.ForeignKey(
        Region, on_delete=models.PROTECT, related_name="projects", verbose_name="县市"
    )
    recommender = models.CharField("推荐单位", max_length=100)
    # Set where the recommending unit is a department of the register.
    department = models.ForeignKey(
        Department,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="projects",
        verbose_name="推荐部门",
    )
    sector = models.ForeignKey(
        Sector, on_delete=models.PROTECT, related_name="projects", verbose_name="所属行业"
    )
    content = models.TextField("建设内容及规模", blank=True)
    nature = models.CharField("建设性质", max_length=10, choices=Nature.choices, blank=True)
    total_investment_wan = WanField("总投资（万元）", null=True, blank=True)
    secured_wan = WanField("已落实资金（万元）", null=True, blank=True)
    purpose = models.CharField("融资用途", max_length=200)
    term_months = models.PositiveSmallIntegerField("期限（月）", null=True, blank=True)
    guarantees = models.JSONField("担保方式", default=list, blank=True)
    planned_use_on = models.DateField("计划用款时间", null=True, blank=True)
    wished_institutions = models.CharField("意向金融机构", max_length=200, blank=True)
    contact_person = models.CharField("联系人", max_length=60, blank=True)
    contact_phone = models.CharField("联系电话", max_length=60, blank=True)
    permits = models.JSONField("前期手续", default=list, blank=True)
    note = models.TextField("备注", blank=True)
    is_synthetic = models.BooleanField("合成数据", default=False)
    created_at = models.DateTimeField("录入时间", auto_now_add=True)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        verbose_name = "项目"
        constraints = [
            models.UniqueConstraint(
                fields=["name_key", "borrower_key", "region"], name="project_once_per_place"
            ),
            models.CheckConstraint(
                condition=Q(total_investment_wan=None) | Q(total_investment_wan__gte=0),
                name="project_investment_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(secured_wan=None) | Q(secured_wan__gte=0),
                name="project_secured_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(term_months=None) | Q(term_months__gt=0), name="project_term_positive"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def guarantee_labels(self) -> list[str]:
        """担保方式 in words."""
        return [Guarantee(value).label for value in self.guarantees]

    @property
    def permit_labels(self) -> list[str]:
        """前期手续 in words."""
        return [Permit(value).label for value in self.permits]


class ProjectCategory(models.Model):
    """One of the categories a project is in."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="categories")
    category = models.CharField("项目类别", max_length=20, choices=Category.choices)

    class Meta:
        verbose_name = "项目类别"
        constraints = [
            models.UniqueConstraint(fields=["project", "category"], name="project_category_once")
        ]

    def __str__(self) -> str:
        return self.get_category_display()


class FinancingDemand(DatedRow):
    """What a project still needs to borrow (融资需求), in 万元, from a day on."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="demands")
    round = models.ForeignKey(
        DemandRound, on_delete=models.PROTECT, null=True, blank=True, related_name="demands"
    )
    demand_wan = WanField("融资需求（万元）")

    class Meta:
        verbose_name = "融资需求"
        constraints = [
            *DatedRow.constraints_for("project", "demand"),
            models.CheckConstraint(condition=Q(demand_wan__gt=0), name="demand_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.project} {self.demand_wan} 万元"


class ImportedFile(models.Model):
    """A ledger or return that was taken in: which file, by whom, with which result."""

    kind = models.CharField("种类", max_length=20)
    file_name = models.CharField("文件名", max_length=255)
    sha256 = models.CharField("文件指纹", max_length=64, db_index=True)
    counts = models.JSONField("结果", default=dict)
    imported_at = models.DateTimeField("导入时间", auto_now_add=True)
    imported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        verbose_name = "导入记录"

    def __str__(self) -> str:
        return self.file_name
