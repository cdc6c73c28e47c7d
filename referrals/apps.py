"""Registers the room with Django and hands the banks' scope to `projects`."""

from django.apps import AppConfig


class ReferralsConfig(AppConfig):
    """Referrals, deals, disbursements, returns."""

    name = "referrals"
    verbose_name = "推送与投放"

    def ready(self) -> None:
        """A bank sees the projects that were referred to it; `projects` cannot know that."""
        from django.db.models import Q

        from accounts.choices import Role
        from projects.querysets import hand_in_scope
        from referrals.models import Referral  # models exist only now

        def referred_to(user: object) -> Q:
            return Q(pk__in=Referral.objects.visible_to(user).values("project_id"))

        hand_in_scope(Role.BANK, referred_to)
