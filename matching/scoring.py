"""The score that orders the institutions that support a project; its parts are shown.

0 for excluded. Weights are data handed in by the caller's settings, with these as first values.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from matching.types import Effect, ProjectFacts, Reason, Verdict

BASE = {Verdict.SUPPORTED: 40, Verdict.RESTRICTED: 20, Verdict.NEUTRAL: 10}
MOST = {"specificity": 25, "size": 15, "own_county": 12, "experience": 8}
# A clause that speaks of at most this many things is fully specific.
SPECIFIC, BROAD = 4, 60


@dataclass(frozen=True)
class ScoreContext:
    """What the score knows of an institution besides its lists.

    `comfortable_wan`: the size of loan such an institution usually makes, (from, to) in 万元.
    `home_counties`: where it is at home. `lent_sectors`: sections of GB/T 4754 → share of its
    past lending, 0–1.
    """

    comfortable_wan: tuple[Decimal, Decimal] | None = None
    home_counties: frozenset[str] = frozenset()
    lent_sectors: tuple[tuple[str, float], ...] = ()


def score_of(
    verdict: Verdict, reasons: Iterable[Reason], facts: ProjectFacts, context: ScoreContext
) -> tuple[int, dict[str, int]]:
    """Return the score 0–100 and its parts."""
    if verdict is Verdict.EXCLUDED:
        return 0, {}
    parts = {
        "verdict": BASE[verdict],
        "specificity": _specificity(reasons),
        "size": _size(facts, context),
        "own_county": MOST["own_county"] if facts.county in context.home_counties else 0,
        "experience": _experience(facts, context),
    }
    return min(sum(parts.values()), 100), parts


def _specificity(reasons: Iterable[Reason]) -> int:
    widths = [reason.specificity for reason in reasons if reason.effect is Effect.SUPPORTS]
    if not widths:
        return 0
    narrowest = min(max(min(widths), SPECIFIC), BROAD)
    return round(MOST["specificity"] * (BROAD - narrowest) / (BROAD - SPECIFIC))


def _size(facts: ProjectFacts, context: ScoreContext) -> int:
    if facts.demand_wan is None or context.comfortable_wan is None:
        return 0
    low, high = context.comfortable_wan
    if low <= facts.demand_wan <= high:
        return MOST["size"]
    distance = low / facts.demand_wan if facts.demand_wan < low else facts.demand_wan / high
    return max(0, MOST["size"] - round(5 * float(distance - 1)))


def _experience(facts: ProjectFacts, context: ScoreContext) -> int:
    share = dict(context.lent_sectors).get(facts.sector[:1].upper(), 0.0)
    return round(MOST["experience"] * min(1.0, 2 * share))
