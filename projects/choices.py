"""Values of the ledger's columns (interfaces.md 2)."""

from django.db import models


class Category(models.TextChoices):
    """项目类别; a project may be in several."""

    MAJOR_INDUSTRIAL = "major_industrial", "重大工业项目"
    STATE_OWNED = "state_owned", "国有企业"
    MAJOR = "major", "重大项目"
    KEY_FIELD = "key_field", "重点领域"


class Ownership(models.TextChoices):
    """企业性质."""

    STATE = "state", "国有"
    PRIVATE = "private", "民营"
    COLLECTIVE = "collective", "集体"
    MIXED = "mixed", "混合所有制"
    FOREIGN = "foreign", "外资"
    INDIVIDUAL = "individual", "个体"
    PUBLIC_BODY = "public_body", "机关事业单位"
    COOPERATIVE = "cooperative", "农民专业合作社"
    OTHER = "other", "其他"


class Nature(models.TextChoices):
    """建设性质."""

    NEW = "new", "新建"
    REBUILD = "rebuild", "改建"
    EXTEND = "extend", "扩建"
    UPGRADE = "upgrade", "技改"
    OTHER = "other", "其他"


class Guarantee(models.TextChoices):
    """担保方式; several are possible."""

    MORTGAGE = "mortgage", "抵押"
    PLEDGE = "pledge", "质押"
    SURETY = "surety", "保证"
    CREDIT = "credit", "信用"
    OTHER = "other", "其他"


class Permit(models.TextChoices):
    """前期手续 in hand."""

    APPROVAL = "approval", "立项"
    LAND = "land", "用地"
    ENVIRONMENT = "environment", "环评"
    PLANNING = "planning", "规划"
    CONSTRUCTION = "construction", "施工许可"
