"""Kinds of institution and of their names."""

from django.db import models


class Kind(models.TextChoices):
    """What sort of institution it is."""

    POLICY_BANK = "policy_bank", "政策性、开发性银行"
    STATE_BANK = "state_bank", "国有大型银行"
    JOINT_STOCK = "joint_stock", "股份制银行"
    CITY_BANK = "city_bank", "城市商业银行"
    RURAL_COMMERCIAL = "rural_commercial", "农村商业银行"
    RURAL_COOPERATIVE = "rural_cooperative", "农村信用合作联社"


# The report counts 银行 and 联社; 喀什农商银行 is a bank there.
COOPERATIVES = frozenset({Kind.RURAL_COOPERATIVE})


class NameKind(models.TextChoices):
    """Where a name of an institution is used."""

    SHORT = "short", "通报简称"
    FULL = "full", "全称"
    LIST = "list", "清单标题"
    FORMER = "former", "曾用名"
    ALIAS = "alias", "其他写法"


class EditionStatus(models.TextChoices):
    """Where an edition of an institution's lists stands."""

    DRAFT = "draft", "草稿"
    CONFIRMED = "confirmed", "机构已确认"
    # Accepted with a later day: nobody has to do anything more, it starts by itself.
    WAITING = "waiting", "待生效"
    IN_FORCE = "in_force", "生效"
    SUPERSEDED = "superseded", "已被取代"
    REJECTED = "rejected", "未采纳"


# What everybody may read; the others concern the institution and the bureau.
PUBLISHED = frozenset({EditionStatus.WAITING, EditionStatus.IN_FORCE, EditionStatus.SUPERSEDED})
# Still to be accepted or turned down.
OPEN = frozenset({EditionStatus.DRAFT, EditionStatus.CONFIRMED})


class Polarity(models.TextChoices):
    """Which of the two lists a clause stands in."""

    POSITIVE = "positive", "正面清单"
    NEGATIVE = "negative", "负面清单"


class Strength(models.TextChoices):
    """How a negative clause binds."""

    HARD = "hard", "不得"
    SOFT = "soft", "限制"
    CASE_BY_CASE = "case_by_case", "一事一议"
