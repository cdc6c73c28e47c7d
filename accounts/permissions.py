"""Which role may open which page: the one way to say so for pages and API."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework.permissions import BasePermission

from accounts.choices import ADMINISTRATORS, OVERSEERS, SUBMITTERS, Role
from accounts.models import User
from common.errors import NotAllowed

View = Callable[..., HttpResponse]

BUSINESS = OVERSEERS | SUBMITTERS | {Role.BANK}
EVERYONE = BUSINESS | ADMINISTRATORS


class PersonRequest(HttpRequest):
    """A request behind the login: somebody sent it."""

    user: User


@dataclass(frozen=True)
class Decision:
    """Whether something is allowed, and if not, why, in a sentence for the user."""

    allowed: bool
    reason: str = ""

    def __bool__(self) -> bool:
        """Let `if decision:` read as it should."""
        return self.allowed


def may(user: Any, roles: frozenset[Role]) -> Decision:
    """Decide by role alone; scope is decided by `visible_to`."""
    if user.role in roles:
        return Decision(True)
    names = "、".join(role.label for role in Role if role in roles and role != Role.SYSTEM)
    return Decision(False, f"这里只对以下角色开放：{names}。")


def only(*roles: Role) -> Callable[[View], View]:
    """Let only these roles into a view; the others get 403 with the reason.

    The roles stay readable on the view as `allowed_roles`.
    """
    allowed = frozenset(roles)

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not (decision := may(request.user, allowed)):
                raise NotAllowed(decision.reason)
            return view(request, *args, **kwargs)

        guarded.allowed_roles = allowed  # type: ignore[attr-defined]
        return guarded

    return decorate


class RolePermission(BasePermission):
    """The same for the API: a view names its roles in `allowed_roles`."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """Allow the roles the view names; nobody where it names none."""
        if not request.user.is_authenticated:
            return False
        decision = may(request.user, frozenset(getattr(view, "allowed_roles", ())))
        self.message = decision.reason
        return decision.allowed
