"""What the list of accounts can be narrowed by."""

from typing import Any

import django_filters
from django.db.models import Q, QuerySet

from accounts.choices import Role
from accounts.models import User


class AccountFilter(django_filters.FilterSet):
    """Accounts by name, role and state."""

    q = django_filters.CharFilter(label="姓名或用户名", method="named")
    role = django_filters.ChoiceFilter(
        label="角色",
        choices=[(role.value, role.label) for role in Role if role != Role.SYSTEM],
        empty_label="全部",
    )
    state = django_filters.ChoiceFilter(
        label="状态",
        choices=[("on", "启用"), ("off", "停用")],
        empty_label="全部",
        method="in_state",
    )

    class Meta:
        model = User
        fields: list[str] = []

    def named(self, accounts: QuerySet[Any], name: str, text: str) -> QuerySet[Any]:
        """Keep accounts whose name or user name contains the text."""
        return accounts.filter(Q(full_name__icontains=text) | Q(username__icontains=text))

    def in_state(self, accounts: QuerySet[Any], name: str, state: str) -> QuerySet[Any]:
        """Keep accounts that are switched on, or those that are not."""
        return accounts.filter(is_active=state == "on")
