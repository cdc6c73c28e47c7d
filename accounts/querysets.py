"""Who may see which region, department and account."""

from typing import TYPE_CHECKING, Any

from django.contrib.auth.base_user import BaseUserManager
from django.db import models

from accounts.choices import Role

if TYPE_CHECKING:
    from accounts.models import Department, Region, User  # noqa: F401 - named in quoted bases below


class RegionQuerySet(models.QuerySet["Region"]):
    """Regions are public inside the house."""

    def visible_to(self, user: Any) -> "RegionQuerySet":
        """Reference data: everyone who is logged in sees all of it."""
        return self.all() if user.is_authenticated else self.none()


class DepartmentQuerySet(models.QuerySet["Department"]):
    """Departments are public inside the house."""

    def visible_to(self, user: Any) -> "DepartmentQuerySet":
        """Reference data: everyone who is logged in sees all of it."""
        return self.all() if user.is_authenticated else self.none()


class UserQuerySet(models.QuerySet["User"]):
    """Accounts."""

    def visible_to(self, user: Any) -> "UserQuerySet":
        """Administrators of system and security see all accounts, everybody else only itself."""
        if not user.is_authenticated:
            return self.none()
        if user.role in (Role.SYSADMIN, Role.SECADMIN):
            return self.exclude(role=Role.SYSTEM)
        return self.filter(pk=user.pk)


class UserManager(BaseUserManager["User"].from_queryset(UserQuerySet)):  # type: ignore[misc]
    """Finds accounts by name, whatever the case it was typed in."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the account; names are unique without regard to case (security.md A1)."""
        user: User = self.get(username__iexact=username)
        return user

    def system(self) -> "User":
        """Return the account in whose name commands and the schedule act; made on first use."""
        user, _ = self.get_or_create(
            username="system",
            defaults={
                "full_name": "系统",
                "role": Role.SYSTEM,
                "password": "!",
                "is_active": False,
            },
        )
        found: User = user
        return found
