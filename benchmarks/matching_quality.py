"""Scores the engine on labelled projects, by clause: verdicts, cited clauses, traps.

The labels in `matching_labels/` were written from the published clauses alone by people who had not
seen the conditions, for the outcomes no careful reader would dispute. What a set gave when it was
first run stands in its README; since then conditions were mended by it.
"""

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kashgar_finance.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from matching.engine import AREA_CLAUSE, Rulebook  # noqa: E402
from matching.lines import read_lines  # noqa: E402
from matching.loaders import load_rulebook  # noqa: E402
from matching.types import Effect, Match, Verdict  # noqa: E402

LABELS = Path(__file__).parent / "matching_labels"
EFFECTS = {
    Verdict.EXCLUDED: Effect.EXCLUDES,
    Verdict.RESTRICTED: Effect.RESTRICTS,
    Verdict.SUPPORTED: Effect.SUPPORTS,
}


@dataclass
class Score:
    """What was expected and found; labels decided by the service area alone are left out."""

    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    cited: Counter[bool] = field(default_factory=Counter)
    traps: Counter[bool] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def precision(self, verdict: Verdict) -> float:
        """Return which share of the verdicts found was expected; 1 where none was found."""
        found = sum(count for (_, got), count in self.pairs.items() if got == verdict)
        return self.pairs[verdict, verdict] / found if found else 1.0

    def recall(self, verdict: Verdict) -> float:
        """Return which share of the verdicts expected was found; 1 where none was expected."""
        wanted = sum(count for (want, _), count in self.pairs.items() if want == verdict)
        return self.pairs[verdict, verdict] / wanted if wanted else 1.0

    @property
    def cited_share(self) -> float:
        """Return which share of the right verdicts cites a clause that justifies it."""
        return self.cited[True] / max(self.cited.total(), 1)


def labelled_lines() -> list[str]:
    """Return every labelled project, as a line of JSON."""
    files = sorted(LABELS.glob("*.jsonl"))
    return [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def score(rulebook: Rulebook, lines: Iterable[str]) -> Score:
    """Compare what the engine finds with the labels."""
    result, lines = Score(), list(lines)
    for line, facts in zip(lines, read_lines(lines), strict=True):
        label = json.loads(line)
        found = {match.institution: match for match in rulebook.evaluate(facts)}
        for institution, expected in label["expect"].items():
            if AREA_CLAUSE not in expected.get("clauses", []):
                _compare(result, facts.name, found[institution], expected)
        for institution, clauses in label.get("must_not_cite", {}).items():
            against = set(_cited(found[institution], Effect.EXCLUDES))
            against |= set(_cited(found[institution], Effect.RESTRICTS))
            for clause in clauses:
                result.traps[clause in against] += 1
    return result


def _compare(result: Score, name: str, match: Match, expected: dict[str, Any]) -> None:
    want = expected["verdict"]
    result.pairs[want, match.verdict.value] += 1
    if want != match.verdict:
        result.wrong.append(f"{name} | {match.institution}: {want}, {match.verdict.value}")
    elif match.verdict in EFFECTS:
        cited = set(_cited(match, EFFECTS[match.verdict]))
        result.cited[not cited.isdisjoint(expected["clauses"])] += 1


def _cited(match: Match, effect: Effect) -> Iterator[str]:
    return (reason.clause for reason in match.reasons if reason.effect is effect)


def main() -> None:
    """Print a line for each verdict, the citations and traps, then every pair that differs."""
    name = connection.creation.create_test_db(verbosity=0, serialize=False)
    try:
        call_command("load_reference", stdout=StringIO())
        report(score(load_rulebook(), labelled_lines()))
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


def report(result: Score) -> None:
    """Print a score."""
    for verdict in Verdict:
        wanted = sum(count for (want, _), count in result.pairs.items() if want == verdict)
        shares = f"{result.precision(verdict):.3f}  recall {result.recall(verdict):.3f}"
        print(f"{verdict.value:<11} precision {shares}  of {wanted}")
    print(f"cites an acceptable clause {result.cited_share:.3f} of {result.cited.total()}")
    print(f"traps fallen into {result.traps[True]} of {result.traps.total()}")
    for line in result.wrong:
        print(f"  expected, found: {line}")


if __name__ == "__main__":
    main()
