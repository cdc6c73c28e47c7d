"""Scores the verdicts on labelled projects, by clause: precision and recall of each verdict.

The labels in `matching_labels.jsonl` were written from the published clauses by somebody who had
not seen the conditions, for the outcomes no careful reader would dispute.
"""

import json
import os
from collections import Counter
from io import StringIO
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kashgar_finance.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from matching.lines import read_lines  # noqa: E402
from matching.loaders import load_rulebook  # noqa: E402
from matching.types import Verdict  # noqa: E402

LABELS = Path(__file__).parent / "matching_labels.jsonl"
AREA = "服务区域"

Pairs = Counter[tuple[str, str]]


def main() -> None:
    """Print a line for each verdict, then every pair that differs."""
    name = connection.creation.create_test_db(verbosity=0, serialize=False)
    try:
        call_command("load_reference", stdout=StringIO())
        report(*score(LABELS.read_text(encoding="utf-8").splitlines()))
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


def score(lines: list[str]) -> tuple[Pairs, list[str]]:
    """Return how often each verdict was expected and found, and what differs, in words."""
    rulebook, pairs, wrong = load_rulebook(), Counter[tuple[str, str]](), []
    for line, facts in zip(lines, read_lines(lines), strict=True):
        found = {match.institution: match.verdict.value for match in rulebook.evaluate(facts)}
        for institution, label in json.loads(line)["expect"].items():
            if AREA in label.get("clauses", []):
                continue
            pairs[label["verdict"], found[institution]] += 1
            if label["verdict"] != found[institution]:
                wrong.append(
                    f"{facts.name} | {institution}: {label['verdict']}, {found[institution]}"
                )
    return pairs, wrong


def report(pairs: Pairs, wrong: list[str]) -> None:
    """Print precision and recall by verdict; labels decided by the service area are left out."""
    for verdict in Verdict:
        right = pairs[verdict.value, verdict.value]
        found = sum(count for (_, got), count in pairs.items() if got == verdict.value)
        expected = sum(count for (want, _), count in pairs.items() if want == verdict.value)
        shares = [f"{right / whole:.3f}" if whole else "—" for whole in (found, expected)]
        print(f"{verdict.value:<11} precision {shares[0]}  recall {shares[1]}  of {expected}")
    for line in wrong:
        print(f"  expected, found: {line}")


if __name__ == "__main__":
    main()
