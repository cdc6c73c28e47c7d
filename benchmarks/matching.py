"""Times the verdicts of all institutions on many projects against one bare automaton pass."""

import argparse
import math
import os
import random
import statistics
import time
from collections.abc import Callable
from decimal import Decimal
from io import StringIO

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kashgar_finance.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from accounts.models import Region  # noqa: E402
from common.models import Sector  # noqa: E402
from matching.engine import Rulebook  # noqa: E402
from matching.loaders import load_rulebook  # noqa: E402
from matching.types import ProjectFacts  # noqa: E402
from matching.vocabulary import fold  # noqa: E402

LENGTH = 200
FILLER = "本项目拟于年内完成，分两期实施，规模适中，由县里统筹，群众基础好，前期工作扎实。"


def make_projects(count: int, rulebook: Rulebook, dice: random.Random) -> list[ProjectFacts]:
    """Invent projects of about 200 characters with words of the vocabulary in ordinary prose."""
    terms = [entry.term for entry in rulebook.reader.vocabulary.entries]
    counties = list(Region.objects.filter(level="county").values_list("short_name", flat=True))
    sectors = list(Sector.objects.filter(level="class").values_list("code", flat=True))
    return [
        ProjectFacts(
            id=str(number),
            name=f"示例{dice.choice(terms)}项目",
            borrower="示例农业发展有限公司",
            ownership="民营",
            county=dice.choice(counties),
            sector=dice.choice(sectors),
            content=_prose(terms, dice),
            nature="新建",
            purpose="项目建设",
            demand_wan=Decimal(dice.randint(50, 30000)),
            term_months=60,
        )
        for number in range(count)
    ]


def _prose(terms: list[str], dice: random.Random) -> str:
    text = ""
    while len(text) < LENGTH - 30:
        start = dice.randrange(len(FILLER) - 10)
        text += FILLER[start : start + dice.randint(8, 20)] + dice.choice(terms) + "，"
    return text[:LENGTH]


def seconds(work: Callable[[], object]) -> float:
    """Return how long one run takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def measure(projects: list[ProjectFacts], rulebook: Rulebook, runs: int) -> tuple[float, float]:
    """Return the medians (verdicts, bare pass) in seconds, run in turn."""
    texts = [fold(f"{p.name}\n{p.content}\n{p.purpose}") for p in projects]

    def verdicts() -> None:
        for project in projects:
            rulebook.verdicts(project)

    def bare() -> None:
        for text in texts:
            rulebook.reader.vocabulary.find(text)

    pairs = [(seconds(verdicts), seconds(bare)) for _ in range(runs)]
    mine, theirs = zip(*pairs, strict=True)
    return statistics.median(mine), statistics.median(theirs)


def main() -> None:
    """Print a line a size and the growth slope."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="1000,10000,100000")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    name = connection.creation.create_test_db(verbosity=0, serialize=False)
    try:
        call_command("load_reference", stdout=StringIO())
        report([int(size) for size in options.sizes.split(",")], options.runs)
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


def report(sizes: list[int], runs: int) -> None:
    """Measure each size in one process."""
    rulebook, dice, points = load_rulebook(), random.Random(20220228), []
    print(f"{len(rulebook.lists)} institutions, {len(rulebook.reader.vocabulary.entries)} terms")
    for size in sizes:
        mine, theirs = measure(make_projects(size, rulebook, dice), rulebook, runs)
        points.append((math.log(size), math.log(mine)))
        print(
            f"{size:>7} projects  verdicts {mine:7.2f} s ({mine / size * 1e6:5.0f} µs each)  "
            f"bare pass {theirs:6.2f} s  ratio {mine / theirs:.1f}"
        )
    if len(points) > 1:
        (x0, y0), (x1, y1) = points[0], points[-1]
        print(f"growth slope {(y1 - y0) / (x1 - x0):.2f} (1 = linear)")


if __name__ == "__main__":
    main()
