"""Every clause of every list, by projects it applies to and near misses it does not.

The projects are invented, in `clause_cases/<institution>.jsonl`, and were written from the clauses
alone. A clause that only asks must ask.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from institutions.models import Clause
from matching.engine import Rulebook
from matching.lines import read_lines
from matching.loaders import clause_data, load_rulebook
from matching.types import ProjectFacts, Truth

CASES = Path(__file__).parent / "clause_cases"
CODES = sorted(path.stem for path in CASES.glob("*.jsonl"))

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("register")]


@pytest.fixture(scope="module")
def rulebook(django_db_setup: None, django_db_blocker: Any) -> Rulebook:
    """All lists in force, compiled once."""
    with django_db_blocker.unblock():
        return load_rulebook()


def cases(code: str) -> list[dict[str, Any]]:
    lines = (CASES / f"{code}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()]


def facts(project: dict[str, Any]) -> ProjectFacts:
    (found,) = read_lines([json.dumps({"id": "case", **project})])
    return found


def truth_of(rulebook: Rulebook, clause: Clause, project: dict[str, Any]) -> Truth:
    data = clause_data(clause)
    each = next(e for e in rulebook.lists if e.data.name == clause.edition.institution.list_name)
    # The hard part of a soft clause comes before the whole of it.
    compiled = [c for c in each.clauses if c.data == data][-1]
    reading = rulebook.read(facts(project))
    return compiled.condition.truth(reading.true, reading.unknown)


@pytest.mark.parametrize("code", CODES)
def test_clauses_apply_where_they_should_and_nowhere_else(code: str, rulebook: Rulebook):
    clauses = {
        (clause.polarity, clause.number): clause
        for clause in Clause.objects.filter(edition__institution__code=code).select_related(
            "edition__institution"
        )
    }
    wrong = []
    for case in cases(code):
        clause = clauses[case["polarity"], case["clause"]]
        for kind, expected in EXPECTED.items():
            for project in case.get(kind, []):
                found = truth_of(rulebook, clause, project)
                if found not in expected:
                    wrong.append(f"{clause} {kind} {project['name']}: {found.name}")
    assert not wrong, "\n".join(wrong)


EXPECTED = {
    "applies": {Truth.TRUE},
    "not": {Truth.FALSE, Truth.UNKNOWN},
    "asks": {Truth.UNKNOWN},
}


def test_every_clause_with_a_condition_has_cases_of_both_kinds():
    missing = []
    for clause in (
        Clause.objects.exclude(condition=None)
        .exclude(number="")
        .select_related("edition__institution")
    ):
        found = [
            case
            for case in cases(clause.edition.institution.code)
            if (case["polarity"], case["clause"]) == (clause.polarity, clause.number)
        ]
        applied = sum(len(case.get("applies", [])) + len(case.get("asks", [])) for case in found)
        missed = sum(len(case.get("not", [])) + len(case.get("asks", [])) for case in found)
        if applied < 2 or missed < 2:
            missing.append(f"{clause.edition.institution} {clause}: {applied} / {missed}")
    assert not missing, "\n".join(missing)


def test_every_condition_speaks_of_atoms_that_the_vocabulary_or_the_fields_can_state(
    rulebook: Rulebook,
):
    stated = {atom for entry in rulebook.reader.vocabulary.entries for atom in entry.atoms}
    stated |= set(rulebook.reader.vocabulary.labels)
    dangling = {
        atom
        for atom in rulebook.reader.atoms.bits
        if atom.partition(":")[0] in ("subject", "borrower", "purpose") and atom not in stated
    }
    assert not dangling
