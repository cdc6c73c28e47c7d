"""Roles and region levels."""

from django.db import models


class Role(models.TextChoices):
    """What a person does here; decides the start page, the menu and the scope."""

    BUREAU = "bureau", "财政局"
    COUNTY = "county", "县市填报"
    DEPARTMENT = "department", "部门填报"
    BANK = "bank", "金融机构"
    LEADER = "leader", "领导"
    SYSADMIN = "sysadmin", "系统管理员"
    SECADMIN = "secadmin", "安全管理员"
    AUDITOR = "auditor", "审计员"
    # Commands and the schedule act in this name; nobody can log in with it.
    SYSTEM = "system", "系统"


SUBMITTERS = frozenset({Role.COUNTY, Role.DEPARTMENT})
# See every row of the business, whether they may change it or not.
OVERSEERS = frozenset({Role.BUREAU, Role.LEADER, Role.SYSTEM})
ADMINISTRATORS = frozenset({Role.SYSADMIN, Role.SECADMIN, Role.AUDITOR})


class RegionLevel(models.TextChoices):
    """Levels of GB/T 2260."""

    PROVINCE = "province", "省级"
    PREFECTURE = "prefecture", "地级"
    COUNTY = "county", "县级"
