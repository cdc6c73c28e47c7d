"""What institutions have lent to so far, for the score of a match."""

from django.db.models import Sum
from django.db.models.functions import Substr

from common.money import exact_wan
from referrals.models import Disbursement


def lending_by_section() -> dict[int, tuple[tuple[str, float], ...]]:
    """Return institution id → (section of GB/T 4754, share of all it has paid, 0–1) pairs."""
    rows = (
        Disbursement.objects.order_by()
        .values_list("deal__referral__institution", Substr("deal__referral__project__sector", 1, 1))
        .annotate(paid=Sum("amount_wan"))
    )
    sums: dict[int, dict[str, float]] = {}
    for institution_id, section, paid in rows:
        sums.setdefault(institution_id, {})[section] = max(0.0, float(exact_wan(paid)))
    return {
        institution_id: tuple((section, paid / total) for section, paid in by_section.items())
        for institution_id, by_section in sums.items()
        if (total := sum(by_section.values()))
    }
