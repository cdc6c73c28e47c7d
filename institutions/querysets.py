"""Which institutions exist, when, and for whom."""

from datetime import date
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q

from accounts.choices import OVERSEERS
from institutions.choices import COOPERATIVES, OPEN, PUBLISHED, EditionStatus

if TYPE_CHECKING:
    from institutions.models import Institution, ListEdition  # noqa: F401 - named in quoted bases below


class InstitutionQuerySet(models.QuerySet["Institution"]):
    """Institutions in the words of the bulletin."""

    def visible_to(self, user: Any) -> "InstitutionQuerySet":
        """The register is public inside the house; what an institution did is not."""
        return self.all() if user.is_authenticated else self.none()

    def heads(self) -> "InstitutionQuerySet":
        """Institutions the bulletin names; a branch is counted with its parent."""
        return self.filter(parent=None)

    def active_on(self, day: date) -> "InstitutionQuerySet":
        """Institutions that do business in the prefecture on a day."""
        return self.filter(
            Q(active_from=None) | Q(active_from__lte=day),
            Q(active_until=None) | Q(active_until__gte=day),
        )

    def of_user(self, user: Any) -> "InstitutionQuerySet":
        """The institution a bank user works for, and its branches."""
        mine = Q(members__user=user.pk)
        return self.filter(mine | Q(parent__members__user=user.pk))

    def in_report_order(self) -> "InstitutionQuerySet":
        """The display order of the report."""
        return self.order_by("display_order")

    def cooperatives(self) -> "InstitutionQuerySet":
        """Rural credit cooperatives, which the report counts apart from banks."""
        return self.filter(kind__in=COOPERATIVES)


class EditionQuerySet(models.QuerySet["ListEdition"]):
    """Editions of lists by state."""

    def visible_to(self, user: Any) -> "EditionQuerySet":
        """Published lists for everyone; drafts for overseers and the institution itself."""
        if not user.is_authenticated:
            return self.none()
        if user.role in OVERSEERS:
            return self.all()
        from institutions.models import Institution  # models.py imports this file

        mine = Institution.objects.of_user(user).values("pk")
        return self.filter(Q(status__in=PUBLISHED) | Q(institution__in=mine))

    def to_decide(self) -> "EditionQuerySet":
        """Drafts and proposals the bureau has neither accepted nor turned down."""
        return self.filter(status__in=OPEN)

    def in_force(self) -> "EditionQuerySet":
        """The editions by which projects are matched."""
        return self.filter(status=EditionStatus.IN_FORCE)

    def waiting(self) -> "EditionQuerySet":
        """Accepted editions whose day has not come yet."""
        return self.filter(status=EditionStatus.WAITING)

    def due_on(self, day: date) -> "EditionQuerySet":
        """Accepted editions that hold from that day or an earlier one, and have not started."""
        return self.waiting().filter(effective_from__lte=day)
