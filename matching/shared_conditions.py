"""Conditions that many clauses share: what goes by them, changes tried first, then put in force."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from accounts.choices import Role
from common import audit
from common.errors import IllegalMove, InvalidInput, NotAllowed, NotFound
from institutions.models import Clause, Institution, ListEdition
from matching.amendments import MOST_PROJECTS, checker_of
from matching.checking import ConditionChecker, shared_of
from matching.conditions import ConditionError, Raw
from matching.engine import Rulebook
from matching.loaders import facts_of, load_counties, load_institutions, load_sectors
from matching.models import VocabularyVersion
from matching.trial import Trial, compare
from matching.versions import latest_vocabulary, locked_vocabulary
from matching.vocabulary import Vocabulary


@dataclass(frozen=True)
class SharedChange:
    """A shared condition as it shall read, and the version of the words it was read from.

    `condition` carries its note as the key "note"; no note, no key.
    """

    name: str
    condition: Raw
    version: int | None


@dataclass(frozen=True)
class SharedUse:
    """A shared condition, the clauses in force that go by it, and what else refers to it.

    `clauses` are in the order of the report, those that refer to it through another one included.
    """

    name: str
    condition: Raw
    clauses: tuple[Clause, ...]
    referring: tuple[str, ...]

    @property
    def note(self) -> str:
        """What it is about, in a sentence."""
        return str(self.condition.get("note", ""))

    @property
    def by_institution(self) -> dict[Institution, list[Clause]]:
        """The clauses by whose list they stand in."""
        found: dict[Institution, list[Clause]] = {}
        for clause in self.clauses:
            found.setdefault(clause.edition.institution, []).append(clause)
        return found


def uses_of(vocabulary: VocabularyVersion, by: Any) -> list[SharedUse]:
    """Return all shared conditions with what goes by them, in the order of the data."""
    shared: Mapping[str, Raw] = vocabulary.data["shared"]
    direct = {name: set(shared_of(raw)) for name, raw in shared.items()}
    clauses: dict[str, list[Clause]] = {name: [] for name in shared}
    for clause in _clauses_in_force(by):
        for name in _reached(shared_of(clause.condition), direct):
            clauses[name].append(clause)
    return [
        SharedUse(
            name,
            raw,
            tuple(clauses[name]),
            tuple(other for other, named in direct.items() if name in named),
        )
        for name, raw in shared.items()
    ]


def use_of(name: str, vocabulary: VocabularyVersion, by: Any) -> SharedUse:
    """Return one shared condition with what goes by it. Raises NotFound."""
    for use in uses_of(vocabulary, by):
        if use.name == name:
            return use
    raise NotFound(f"没有叫“{name}”的公用条件。")


def try_shared(*, change: SharedChange, projects: Any, by: Any) -> tuple[Trial, int]:
    """Say which verdicts a change would change, and how many projects were asked for.

    Writes nothing. At most MOST_PROJECTS are tried. Raises as `enforce_shared`.
    """
    held = latest_vocabulary()
    use = use_of(change.name, held, by)
    _check_change(change, held, use)
    only = {each.list_name for each in use.by_institution}
    lists = [each for each in load_institutions() if each.name in only]
    words = Vocabulary("", held.data["words"])
    sectors, counties = load_sectors(), load_counties()
    before, after = (
        Rulebook(lists, words, shared, sectors, counties)
        for shared in (held.data["shared"], _changed(held, change))
    )
    return compare(before, after, facts_of(projects[:MOST_PROJECTS])), projects.count()


@transaction.atomic
def enforce_shared(*, change: SharedChange, reason: str, by: Any) -> VocabularyVersion:
    """Put a change in force: a further version of the words, all else in it as it was.

    Raises NotAllowed, NotFound, InvalidInput, ConditionError for a condition that does not check,
    IllegalMove where another version has come into force since; then nothing is saved.
    """
    if by.role not in (Role.BUREAU, Role.SYSTEM):
        raise NotAllowed("只有财政局可以修改公用条件。")
    if not reason.strip():
        raise InvalidInput("请写明修改的原因。")
    held = locked_vocabulary()
    use = use_of(change.name, held, by)
    _check_change(change, held, use)
    made = VocabularyVersion.objects.create(
        version=held.version + 1,
        data={**held.data, "shared": _changed(held, change)},
        reason=reason.strip(),
        created_by=by,
    )
    audit.record(
        "matching.change_shared",
        by=by,
        on=made,
        before={"version": held.version, "shared": change.name, "condition": use.condition},
        after={"version": made.version, "shared": change.name, "condition": change.condition},
        reason=made.reason,
    )
    return made


def _check_change(change: SharedChange, held: VocabularyVersion, use: SharedUse) -> None:
    if change.version != held.version:
        raise IllegalMove(
            f"您打开以后，{held.created_by}让{held}生效了（{held.reason.rstrip('。')}）；"
            "没有保存，请重新打开，在新版上再改。"
        )
    if change.condition == use.condition:
        raise InvalidInput("没有任何改动：先改条件或说明。")
    checker = ConditionChecker(checker_of(held).atoms, _changed(held, change))
    checker.check(change.condition, name=change.name)
    for clause in use.clauses:
        if clause.condition and not checker.is_manageable(clause.condition):
            raise ConditionError(
                f"{clause.edition.institution}{clause.get_polarity_display()}{clause.number}"
                "引用它，改后展开过于庞大，请写成更简单的条件。"
            )


def _changed(held: VocabularyVersion, change: SharedChange) -> dict[str, Raw]:
    return {**held.data["shared"], change.name: change.condition}


def _clauses_in_force(by: Any) -> Iterable[Clause]:
    editions = ListEdition.objects.visible_to(by).in_force()
    rows = Clause.objects.filter(edition__in=editions).exclude(number="")
    rows = rows.select_related("edition__institution")
    return rows.order_by("edition__institution__display_order", "position")


def _reached(names: Iterable[str], direct: Mapping[str, set[str]]) -> set[str]:
    """Return the names and everything they refer to, step by step."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found and name in direct:
            found.add(name)
            waiting += direct[name]
    return found
