"""Regions, departments and the people who work in them."""

from datetime import datetime, timedelta

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.choices import RegionLevel, Role
from accounts.querysets import DepartmentQuerySet, RegionQuerySet, UserManager


class Region(models.Model):
    """A place of GB/T 2260; the tree province → prefecture → county scopes every row."""

    code = models.CharField("行政区划代码", max_length=6, primary_key=True)
    name = models.CharField("名称", max_length=60, unique=True)
    short_name = models.CharField("简称", max_length=30, unique=True)
    other_names = models.JSONField("其他写法", default=list, blank=True)
    level = models.CharField("层级", max_length=12, choices=RegionLevel.choices)
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )

    objects = RegionQuerySet.as_manager()

    class Meta:
        verbose_name = "地区"
        constraints = [
            models.CheckConstraint(
                condition=Q(level=RegionLevel.PROVINCE) | Q(parent__isnull=False),
                name="region_below_province_has_parent",
            )
        ]

    def __str__(self) -> str:
        return self.short_name


class Department(models.Model):
    """A line department of the prefecture that collects projects."""

    code = models.CharField("代码", max_length=20, primary_key=True)
    name = models.CharField("名称", max_length=60, unique=True)
    short_name = models.CharField("简称", max_length=30, unique=True)
    other_names = models.JSONField("其他写法", default=list, blank=True)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="departments")
    display_order = models.PositiveSmallIntegerField("显示顺序", unique=True)

    objects = DepartmentQuerySet.as_manager()

    class Meta:
        verbose_name = "部门"

    def __str__(self) -> str:
        return self.short_name


class User(AbstractBaseUser):
    """A person with one role. No role may do everything, so there are no superusers (等保)."""

    username = models.CharField("用户名", max_length=60, unique=True)
    full_name = models.CharField("姓名", max_length=60)
    role = models.CharField("角色", max_length=12, choices=Role.choices)
    region = models.ForeignKey(
        Region,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="users",
        verbose_name="县市",
    )
    department = models.ForeignKey(
        Department,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="users",
        verbose_name="部门",
    )
    is_active = models.BooleanField("启用", default=True)
    must_change_password = models.BooleanField("须改密码", default=False)
    created_at = models.DateTimeField("创建时间", auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "username"

    class Meta:
        verbose_name = "账号"
        constraints = [
            models.UniqueConstraint(Lower("username"), name="user_name_unique_without_case"),
            models.CheckConstraint(
                condition=~Q(role=Role.COUNTY) | Q(region__isnull=False),
                name="user_county_has_region",
            ),
            models.CheckConstraint(
                condition=~Q(role=Role.DEPARTMENT) | Q(department__isnull=False),
                name="user_department_has_department",
            ),
            models.CheckConstraint(
                condition=~Q(role=Role.SYSTEM) | Q(is_active=False),
                name="user_system_cannot_log_in",
            ),
        ]

    def __str__(self) -> str:
        return self.full_name or self.username

    @property
    def reads_audit(self) -> bool:
        """Whether the account may read the audit record."""
        return self.role == Role.AUDITOR

    @property
    def sees_all_jobs(self) -> bool:
        """Whether the account sees the jobs of others.

        The bureau does: its officers and the schedule share the job of a month's bulletin.
        """
        return self.role in (Role.BUREAU, Role.SYSADMIN, Role.SYSTEM)

    @property
    def workplace(self) -> str:
        """Where the person works, for the head of the page; banks add theirs in `institutions`."""
        return str(self.department or self.region or self.get_role_display())


class LoginTries(models.Model):
    """The latest tries to log in under one name, whether an account bears it or not."""

    name = models.CharField("输入的用户名（比对用）", max_length=60, primary_key=True)
    # ISO moments, the oldest first; emptied by a login.
    latest = models.JSONField("最近几次", default=list)
    last_at = models.DateTimeField("最后一次", null=True, blank=True, db_index=True)

    class Meta:
        verbose_name = "登录尝试"

    def __str__(self) -> str:
        return f"{self.name} {len(self.latest)}"

    def is_locked(self, now: datetime, *, limit: int, span: timedelta) -> bool:
        """Whether `limit` tries lie within one span and the last of them within the latest."""
        moments = [datetime.fromisoformat(text) for text in self.latest[-limit:]]
        if len(moments) < limit:
            return False
        return moments[-1] - moments[0] <= span and now < moments[-1] + span
