"""Times the figures of a bulletin against one hand-written SQL statement for the same sums."""

import argparse
import math
import os
import random
import statistics
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kashgar_finance.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from accounts.models import Region, User  # noqa: E402
from common.models import Sector  # noqa: E402
from common.money import exact_wan  # noqa: E402
from institutions.models import Institution  # noqa: E402
from projects.models import FinancingDemand, Project  # noqa: E402
from referrals.lifecycle import Stage  # noqa: E402
from referrals.models import Deal, DealTerms, Disbursement, Referral  # noqa: E402
from reports.figures import AsOf, demand_by_band, landing  # noqa: E402
from reports.rules import Rules, current_rules, rules_of  # noqa: E402

AS_OF = date(2022, 2, 28)
RECORDED_AT = datetime(2022, 3, 1, tzinfo=UTC)
DEALS_PER_PROJECT = 70 / 24
DEAL_STAGES = (Stage.CONTACTED, Stage.INTENDED, Stage.APPROVED, Stage.SIGNED, Stage.DISBURSED)

HAND_WRITTEN = """
WITH counted AS (
    SELECT project_id, demand_wan FROM projects_financingdemand
    WHERE superseded_at IS NULL AND valid_from <= %(day)s AND valid_until > %(day)s
),
paid AS (
    SELECT deal_id, SUM(amount_wan) AS paid FROM referrals_disbursement
    WHERE paid_on <= %(day)s GROUP BY deal_id
),
parts AS (
    SELECT r.project_id, COALESCE(i.parent_id, i.id) AS institution_id,
           COALESCE(p.paid, 0) AS paid,
           CASE WHEN t.stage IN ('intended', 'approved', 'signed', 'disbursed')
                 AND COALESCE(t.approved_wan, t.intended_wan) > COALESCE(p.paid, 0)
                THEN COALESCE(t.approved_wan, t.intended_wan) - COALESCE(p.paid, 0)
                ELSE 0 END AS rest
    FROM referrals_dealterms t
    JOIN referrals_deal d ON d.id = t.deal_id
    JOIN referrals_referral r ON r.id = d.referral_id
    JOIN institutions_institution i ON i.id = r.institution_id
    JOIN counted c ON c.project_id = r.project_id
    LEFT JOIN paid p ON p.deal_id = d.id
    WHERE t.superseded_at IS NULL AND t.valid_from <= %(day)s AND t.valid_until > %(day)s
      AND t.stage NOT IN ('declined', 'cancelled')
)
SELECT 'institution', institution_id,
       COUNT(CASE WHEN paid > 0 THEN 1 END), SUM(CASE WHEN paid > 0 THEN paid ELSE 0 END),
       COUNT(CASE WHEN rest > 0 THEN 1 END), SUM(rest),
       COUNT(DISTINCT CASE WHEN paid > 0 THEN project_id END),
       COUNT(DISTINCT CASE WHEN rest > 0 THEN project_id END),
       COUNT(DISTINCT CASE WHEN paid > 0 OR rest > 0 THEN project_id END)
FROM parts GROUP BY institution_id
UNION ALL
SELECT 'total', NULL,
       COUNT(CASE WHEN paid > 0 THEN 1 END), SUM(CASE WHEN paid > 0 THEN paid ELSE 0 END),
       COUNT(CASE WHEN rest > 0 THEN 1 END), SUM(rest),
       COUNT(DISTINCT CASE WHEN paid > 0 THEN project_id END),
       COUNT(DISTINCT CASE WHEN rest > 0 THEN project_id END),
       COUNT(DISTINCT CASE WHEN paid > 0 OR rest > 0 THEN project_id END)
FROM parts
UNION ALL
SELECT 'band', CASE WHEN demand_wan >= 30000 THEN 1 WHEN demand_wan >= 5000 THEN 2
                    WHEN demand_wan >= 1000 THEN 3 WHEN demand_wan >= 300 THEN 4 ELSE 5 END AS band,
       COUNT(*), SUM(demand_wan), 0, 0, 0, 0, 0
FROM counted GROUP BY band
"""


def fill(projects: int, dice: random.Random) -> None:
    """Add projects up to a number, with deals and payments in the proportions of a province."""
    first = Project.objects.count()
    by = User.objects.system()
    stamp: dict[str, Any] = {"recorded_at": RECORDED_AT, "recorded_by": by}
    regions = list(Region.objects.filter(level="county"))
    sector = Sector.objects.get(code="A0131")
    banks = list(Institution.objects.all())
    made = Project.objects.bulk_create(
        [
            Project(
                code=f"B-{n:07}",
                name=f"基准项目{n}",
                name_key=f"基准项目{n}",
                borrower="基准公司",
                borrower_key="基准公司",
                region=regions[n % len(regions)],
                recommender="基准",
                sector=sector,
                purpose="基准",
            )
            for n in range(first, projects)
        ],
        batch_size=2000,
    )
    FinancingDemand.objects.bulk_create(
        [FinancingDemand(project=p, demand_wan=_money(dice, 50000), **stamp) for p in made],
        batch_size=2000,
    )
    pairs = [
        (project, bank)
        for project in made
        for bank in dice.sample(banks, k=_about(dice, DEALS_PER_PROJECT))
    ]
    referrals = Referral.objects.bulk_create(
        [Referral(project=p, institution=b, stage_on=AS_OF) for p, b in pairs], batch_size=2000
    )
    deals = Deal.objects.bulk_create([Deal(referral=r) for r in referrals], batch_size=2000)
    terms, payments = [], []
    for deal in deals:
        stage = dice.choice(DEAL_STAGES)
        agreed = _money(dice, 20000)
        terms.append(DealTerms(deal=deal, stage=stage, intended_wan=agreed, **stamp))
        if stage == Stage.DISBURSED:
            for _ in range(dice.randint(1, 3)):
                day = AS_OF - timedelta(days=dice.randint(-20, 300))
                payments.append(
                    Disbursement(deal=deal, amount_wan=agreed / 4, paid_on=day, **stamp)
                )
    DealTerms.objects.bulk_create(terms, batch_size=2000)
    Disbursement.objects.bulk_create(payments, batch_size=2000)


def _money(dice: random.Random, most: int) -> Decimal:
    return Decimal(dice.randint(40_0000, most * 10000)).scaleb(-4).quantize(Decimal("0.01"))


def _about(dice: random.Random, mean: float) -> int:
    return int(mean) + (dice.random() < mean % 1)


def hand_written() -> list[tuple[Any, ...]]:
    """Run the hand-written statement."""
    with connection.cursor() as cursor:
        cursor.execute(HAND_WRITTEN, {"day": AS_OF})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def check_equal(rules: Rules) -> None:
    """Stop when the two sides do not give the same figures."""
    theirs = hand_written()
    total, by_institution = landing(AsOf(AS_OF))
    (expected,) = [row[2:] for row in theirs if row[0] == "total"]
    ours = (
        total.disbursed_deals,
        total.disbursed_wan,
        total.intended_deals,
        total.intended_wan,
        total.disbursed_projects,
        total.intended_projects,
        total.landed_projects,
    )
    same = [exact_wan(a) == exact_wan(b) for a, b in zip(ours, expected, strict=True)]
    bands = sum(row.amount_wan for row in demand_by_band(AsOf(AS_OF), rules.bands))
    same.append(bands == exact_wan(sum(exact_wan(r[3]) for r in theirs if r[0] == "band")))
    for _, institution_id, _, paid, *_ in (r for r in theirs if r[0] == "institution"):
        found = by_institution.get(institution_id)
        same.append(exact_wan(paid) == (found.disbursed_wan if found else 0))
    if not all(same):
        raise SystemExit("the two sides differ: fix that before timing")


def times(work: Callable[[], object], runs: int) -> list[float]:
    """Return the seconds of each run."""
    found = []
    for _ in range(runs):
        begin = time.perf_counter()
        work()
        found.append(time.perf_counter() - begin)
    return found


def measure(size: int, runs: int, rules: Rules) -> tuple[float, float]:
    """Return the medians (ours, hand-written) in seconds, run in turn."""

    def ours() -> None:
        demand_by_band(AsOf(AS_OF), rules.bands)
        landing(AsOf(AS_OF))

    check_equal(rules)
    mine, theirs = [], []
    for _ in range(runs):
        mine += times(ours, 1)
        theirs += times(hand_written, 1)
    return statistics.median(mine), statistics.median(theirs)


def main() -> None:
    """Fill a test database size by size and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="1000,10000,100000")
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    name = connection.creation.create_test_db(verbosity=0, serialize=False)
    try:
        call_command("load_reference", verbosity=0, stdout=StringIO())
        report(sizes, options.runs)
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


def report(sizes: list[int], runs: int) -> None:
    """Print a line a size and the growth slope."""
    dice, points = random.Random(20220228), []
    rules = rules_of(current_rules())
    print(f"database: {connection.vendor}")
    for size in sizes:
        fill(size, dice)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        mine, theirs = measure(size, runs, rules)
        deals = Deal.objects.count()
        points.append((math.log(size), math.log(mine)))
        print(
            f"{size:>7} projects {deals:>7} deals  figures {mine * 1000:8.1f} ms  "
            f"hand-written {theirs * 1000:8.1f} ms  ratio {mine / theirs:.2f}"
        )
    if len(points) > 1:
        (x0, y0), (x1, y1) = points[0], points[-1]
        print(f"growth slope {(y1 - y0) / (x1 - x0):.2f} (1 = linear)")


if __name__ == "__main__":
    main()
