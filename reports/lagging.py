"""Who lags, by visible rules: each entry names the rule, the figure and the threshold (A16).

The rules give evidence; what is to be said to an institution is for people to decide.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from reports.figures import InstitutionLanding
from reports.rules import Rules

RULE_LABELS = {"no_deal": "无落地", "not_reported": "未报送"}


def lagging_institutions(
    rows: Iterable[InstitutionLanding], reported: Mapping[int, bool], rules: Rules
) -> list[dict[str, Any]]:
    """Return the institutions that broke a rule, in register order, with the rules they broke."""
    found = []
    for row in rows:
        broken = []
        if row.landing.landed_deals < rules.landed_deals_at_least:
            broken.append(_broken("no_deal", row.landing.landed_deals, rules.landed_deals_at_least))
        if row.institution.pk not in reported:
            broken.append(_broken("not_reported", 0, 1))
        if broken:
            found.append({"institution": str(row.institution), "rules": broken})
    return found


def _broken(rule: str, figure: int, threshold: int) -> dict[str, str]:
    return {"rule": rule, "figure": str(figure), "threshold": str(threshold)}
