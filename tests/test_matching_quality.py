"""The share of labelled projects that the engine decides as careful readers did."""

from typing import Any

import pytest

from benchmarks.matching_quality import Score, labelled_lines, score
from matching.loaders import load_rulebook
from matching.types import Verdict

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("register")]

# What is asked of each verdict: at least this precision and this recall.
AT_LEAST = {Verdict.EXCLUDED: 0.97, Verdict.RESTRICTED: 0.90, Verdict.SUPPORTED: 0.92}


@pytest.fixture(scope="module")
def scored(django_db_setup: None, django_db_blocker: Any) -> Score:
    """Every labelled project, decided once."""
    with django_db_blocker.unblock():
        return score(load_rulebook(), labelled_lines())


@pytest.mark.parametrize("verdict", AT_LEAST)
def test_verdicts_agree_with_the_labels(verdict: Verdict, scored: Score):
    assert scored.precision(verdict) >= AT_LEAST[verdict], scored.wrong
    assert scored.recall(verdict) >= AT_LEAST[verdict], scored.wrong


def test_right_verdicts_cite_a_clause_that_justifies_them(scored: Score):
    assert scored.cited_share >= 0.95


def test_clauses_that_a_keyword_would_hit_are_not_cited(scored: Score):
    assert scored.traps[True] <= scored.traps.total() * 0.01
