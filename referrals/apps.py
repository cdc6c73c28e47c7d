"""Registers the room with Django and hands the banks' scope to `projects`."""

from django.apps import AppConfig


class ReferralsConfig(AppConfig):
    """Referrals, deals, disbursements, returns."""

    name = "referrals"
    verbose_name = "推送与投放"

    def ready(self) -> None:
        """Tell `projects` what it cannot know: what a bank sees, and who has a project.

        And tell `matching` what institutions have lent to so far.
        """
        from django.db.models import Q

        from accounts.choices import Role
        from matching.loaders import hand_in_lending
        from projects.panels import hand_in_panel
        from projects.querysets import hand_in_scope
        from referrals.experience import lending_by_section
        from referrals.models import Referral  # models exist only now
        from referrals.panel import referrals_panel

        def referred_to(user: object) -> Q:
            return Q(pk__in=Referral.objects.visible_to(user).values("project_id"))

        hand_in_scope(Role.BANK, referred_to)
        hand_in_panel(referrals_panel)
        hand_in_lending(lending_by_section)
