"""Institutions by any of their names, and who works for them."""

from typing import Any

from django.db import transaction
from django.db.models import Prefetch

from accounts.choices import Role
from common import audit
from common.errors import InvalidInput, NotAllowed
from common.names import NameIndex, name_key
from institutions.models import Institution, InstitutionName, Membership
from institutions.querysets import InstitutionQuerySet

# Words of the legal form that people write or leave out; longest first.
LEGAL_FORMS = ("股份有限公司", "有限责任公司", "有限公司")
# Who runs the system makes accounts; who authorises says where they work (三员分立).
MAY_ASSIGN = frozenset({Role.SECADMIN, Role.SYSTEM})


def institution_key(text: object) -> str:
    """The key under which a name of an institution is stored; without its legal form."""
    key = name_key(text)
    for form in LEGAL_FORMS:
        key = key.replace(form, "")
    return key


class InstitutionIndex(NameIndex[Institution]):
    """Institutions by every name of the register: one query, then look-ups for a whole file."""

    def __init__(self) -> None:
        names = InstitutionName.objects.select_related("institution__parent")
        super().__init__(((n.key, n.institution) for n in names), key=institution_key)


def find_institution(name: object) -> Institution | None:
    """The institution of that name, in the lists, in the report, former or short; else None."""
    found = (
        InstitutionName.objects.filter(key=institution_key(name))
        .select_related("institution__parent")
        .first()
    )
    return found.institution if found else None


def register_of(user: Any) -> InstitutionQuerySet:
    """The register as a person reads it: report order, with names, areas and parents."""
    rows = Institution.objects.visible_to(user).in_report_order().select_related("parent")
    names = Prefetch("names", InstitutionName.objects.order_by("pk"))
    return rows.prefetch_related(names, "service_areas")


@transaction.atomic
def join_institution(*, user: Any, institution: Institution, by: Any) -> Membership:
    """Let a bank user work for an institution; one that works for another one moves over."""
    if by.role not in MAY_ASSIGN:
        raise NotAllowed("只有安全管理员可以指定账号所属的金融机构。")
    if user.role != Role.BANK:
        raise InvalidInput(
            f"账号“{user}”的角色是{user.get_role_display()}，只有金融机构角色的账号才能归属金融机构。"
        )
    held = Membership.objects.select_for_update().filter(user=user).first()
    if held and held.institution_id == institution.pk:
        return held
    before = {"institution": str(held.institution)} if held else {}
    membership, _ = Membership.objects.update_or_create(
        user=user, defaults={"institution": institution}
    )
    audit.record(
        "institutions.join",
        by=by,
        on=user,
        before=before,
        after={"institution": str(institution)},
    )
    return membership
