"""Changes of a clause and of the words: tried on projects first, then put in force."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import Q

from accounts.choices import Role
from accounts.models import Region
from common import audit
from common.errors import IllegalMove, InvalidInput, NotAllowed
from common.models import Sector
from common.months import local_today
from common.names import name_key
from institutions.choices import EditionStatus
from institutions.editions import EditionRequest, draft_edition, locked, put_in_force
from institutions.models import Clause, ListEdition
from matching.additions import MARK, Words, with_additions
from matching.checking import ConditionChecker, atoms_of
from matching.engine import InstitutionData, Rulebook
from matching.loaders import clause_data, facts_of, load_counties, load_institutions, load_sectors
from matching.models import VocabularyVersion
from matching.services import latest_run
from matching.trial import Trial, compare
from matching.versions import latest_vocabulary, locked_vocabulary
from matching.vocabulary import DEEDS, GROUPS, Vocabulary
from projects.choices import Category, Nature, Ownership
from projects.models import Project

MOST_PROJECTS = 2000


@dataclass(frozen=True)
class Amendment:
    """What is changed: fields of a clause (only those that differ), and words added to subjects."""

    clause: Clause
    values: Mapping[str, Any] = field(default_factory=dict)
    words: Words = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be different."""
        return not self.values and not self.words


@dataclass(frozen=True)
class Enforced:
    """What came of an amendment; None where that part did not change."""

    edition: ListEdition | None
    vocabulary: VocabularyVersion | None

    @property
    def is_waiting(self) -> bool:
        """Whether the edition holds from a later day only."""
        return self.edition is not None and self.edition.status == EditionStatus.WAITING


@dataclass(frozen=True)
class Subject:
    """A subject of the vocabulary as a person looks it up."""

    atom: str
    label: str
    terms: tuple[str, ...]
    parents: tuple[str, ...]


def clause_of(edition_id: int, polarity: str, place: str, by: Any) -> Clause:
    """Return a clause by its list and its printed number or its position.

    Raises DoesNotExist, and IllegalMove where nothing can be changed: a note, an old edition.
    """
    editions = ListEdition.objects.visible_to(by).filter(pk=edition_id)
    rows = Clause.objects.select_related("edition__institution")
    rows = rows.filter(edition__in=editions, polarity=polarity)
    is_position = place.isascii() and place.isdigit() and len(place) < 5
    clause = rows.get(position=int(place)) if is_position else rows.get(number=place)
    _check_in_force(clause.edition)
    if not clause.number:
        raise IllegalMove("这是清单的说明文字，没有编号，不参与匹配，不能在这里修改。")
    return clause


def checker_of(vocabulary: VocabularyVersion) -> ConditionChecker:
    """Return what conditions are checked against: everything a condition may name today."""
    words = Vocabulary(str(vocabulary.version), vocabulary.data["words"])
    shared = vocabulary.data["shared"]
    atoms = {*words.labels, *_register_atoms()}
    # What the lists in force already name, such as counties outside the register, stays allowed.
    held = Clause.objects.filter(edition__status=EditionStatus.IN_FORCE)
    for raw in (*shared.values(), *held.values_list("condition", flat=True)):
        atoms.update(atoms_of(raw))
    return ConditionChecker(atoms, shared)


def subjects_of(vocabulary: VocabularyVersion, text: str = "") -> list[Subject]:
    """Return the subjects of which id, label or a term contains the text, in order of the files.

    The terms that contain it come first.
    """
    sought = text.strip().lower()
    return [_led_by(each, sought) for each in _subjects(vocabulary) if _speaks_of(each, sought)]


def try_amendment(*, amendment: Amendment, projects: Any) -> tuple[Trial, int]:
    """Say which verdicts an amendment would change, and how many projects were asked for.

    Writes nothing. At most MOST_PROJECTS are tried. Raises ConditionError for words that clash.
    """
    vocabulary = latest_vocabulary()
    institution = amendment.clause.edition.institution
    held = load_institutions()
    only = None if amendment.words else {institution.list_name}
    if only:
        held = [each for each in held if each.name in only]
    changed = [_amended(each, amendment) for each in held]
    data = with_additions(vocabulary.data, amendment.words, vocabulary.version + 1)
    sectors, counties = load_sectors(), load_counties()
    before, after = (
        Rulebook(lists, Vocabulary("", source["words"]), source["shared"], sectors, counties)
        for lists, source in ((held, vocabulary.data), (changed, data))
    )
    facts = facts_of(projects[:MOST_PROJECTS])
    return compare(before, after, facts, only=only), projects.count()


@transaction.atomic
def enforce_amendment(
    *, amendment: Amendment, name: str, effective_from: date, reason: str, by: Any
) -> Enforced:
    """Put an amendment in force: a new edition of the list, and a new version of the words.

    With a later day the edition waits for it; words cannot. Raises NotAllowed, InvalidInput,
    IllegalMove, ConditionError; then nothing is saved.
    """
    if by.role not in (Role.BUREAU, Role.SYSTEM):
        raise NotAllowed("只有财政局可以修改条款。")
    if amendment.is_empty:
        raise InvalidInput("没有任何改动，不需要生效。")
    if amendment.words and effective_from > local_today():
        raise InvalidInput("补充的词一保存就生效，不能等到以后；请单独提交它，日期填今天。")
    clause = amendment.clause
    # One after another: who comes second finds the edition replaced.
    _check_in_force(locked(clause.edition))
    edition = None
    if amendment.values:
        changes = {(clause.polarity, clause.number): amendment.values}
        request = EditionRequest(name, effective_from, reason, changes)
        institution = clause.edition.institution
        draft = draft_edition(institution=institution, request=request, by=by)
        edition = put_in_force(edition=draft, by=by)
    return Enforced(edition, _add_words(amendment.words, reason, by) if amendment.words else None)


def needs_new_run(*editions: ListEdition) -> bool:
    """Whether stored verdicts are from other words, or other lists of these, than now hold."""
    run = latest_run()
    if run is None:
        return True
    is_same = all(run.editions.get(each.institution.code) == each.pk for each in editions)
    return not is_same or run.vocabulary_id != latest_vocabulary().pk


def _check_in_force(edition: ListEdition) -> None:
    if edition.status != EditionStatus.IN_FORCE:
        raise IllegalMove(
            f"“{edition}”现在是“{edition.get_status_display()}”，不能修改；请从现行版本的条款进入。"
        )


def _add_words(words: Words, reason: str, by: Any) -> VocabularyVersion:
    held = locked_vocabulary()
    version = held.version + 1
    data = with_additions(held.data, words, version)
    Vocabulary(str(version), data["words"])  # raises where a word clashes
    made = VocabularyVersion.objects.create(
        version=version, data=data, reason=reason, created_by=by
    )
    audit.record(
        "matching.add_words",
        by=by,
        on=made,
        before={"version": held.version},
        after={"version": version, "words": words},
        reason=reason,
    )
    return made


def _amended(data: InstitutionData, amendment: Amendment) -> InstitutionData:
    clause = amendment.clause
    if data.name != clause.edition.institution.list_name or not amendment.values:
        return data
    copy = Clause.objects.get(pk=clause.pk)
    for name, value in amendment.values.items():
        setattr(copy, name, value)
    changed = clause_data(copy)
    clauses = tuple(
        changed if (each.polarity, each.number) == (changed.polarity, changed.number) else each
        for each in data.clauses
    )
    return replace(data, clauses=clauses)


def _register_atoms() -> Iterable[str]:
    for code in Sector.objects.values_list("code", flat=True):
        yield f"sector:{code}"
    for name in Region.objects.values_list("short_name", flat=True):
        yield f"county:{name}"
    for prefix, choices in (
        ("ownership", Ownership),
        ("nature", Nature),
        ("category", Category),
    ):
        for label in choices.labels:
            yield f"{prefix}:{label}"


def _subjects(vocabulary: VocabularyVersion) -> Iterable[Subject]:
    for part in vocabulary.data["words"]:
        for group, prefix in GROUPS.items():
            for name, entry in part.get(group, {}).items():
                if not name.startswith(MARK):
                    parents = tuple(entry.get("parents", ()))
                    yield Subject(f"{prefix}:{name}", entry["label"], _words(entry), parents)


def _words(entry: dict[str, Any]) -> tuple[str, ...]:
    """Return the terms of a vocabulary entry, then its goods, each with the deed it needs."""
    goods = {
        word: deed
        for role, deed in reversed(DEEDS.items())  # of several roles the first is shown
        for word in entry.get(role, ())
    }
    return (*entry["terms"], *(f"{word}（{deed}）" for word, deed in goods.items()))


def _speaks_of(subject: Subject, sought: str) -> bool:
    texts = (subject.atom, subject.label, *subject.terms)
    return any(sought in text.lower() for text in texts)


def _led_by(subject: Subject, sought: str) -> Subject:
    terms = sorted(subject.terms, key=lambda term: sought not in term.lower())
    return replace(subject, terms=tuple(terms))


def projects_to_try(*, by: Any, text: str, region: Region | None, on: date) -> Any:
    """Return the projects a trial is asked for, by a text in what they say of themselves."""
    found = Project.objects.visible_to(by).in_full(on)
    if region:
        found = found.filter(region=region)
    if not text.strip():
        return found
    named = Q(name_key__contains=name_key(text)) | Q(borrower_key__contains=name_key(text))
    told = Q(content__icontains=text.strip()) | Q(purpose__icontains=text.strip())
    return found.filter(named | told | Q(code__iexact=text.strip()))
