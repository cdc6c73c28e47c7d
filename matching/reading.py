"""Reading a project: which atoms its own words and fields state, and where it says so."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_

from matching.conditions import Atoms
from matching.cues import muted
from matching.fields import FieldReader
from matching.roles import Text, roles
from matching.types import ProjectFacts, Span
from matching.vocabulary import Cue, Vocabulary, fold

APPLICANT = re.compile(
    r"(?:借款人|借款主体|借款单位|承贷主体|贷款主体)(?:为|是|:|：)([^，,。；;\n]{2,40})"
)
FIELDS = ("name", "content", "purpose", "borrower")


@dataclass(frozen=True, slots=True)
class Hit:
    """A term found in the text, with the cue that changes its meaning, if any."""

    atoms: tuple[str, ...]
    start: int
    end: int
    cue: Cue | None


@dataclass(frozen=True)
class Reading:
    """A project's true and unknown bits, and the places that state them."""

    true: int
    unknown: int
    text: str
    hits: tuple[Hit, ...]
    bounds: tuple[tuple[str, int, int], ...]
    facts: ProjectFacts

    def spans(self, atoms: set[str]) -> tuple[Span, ...]:
        """Return where the project's own words state any of some atoms."""
        found = [hit for hit in self.hits if not hit.cue and atoms.intersection(hit.atoms)]
        return tuple(self._span(hit) for hit in found)

    def _span(self, hit: Hit) -> Span:
        name, begin, _ = next(b for b in self.bounds if b[1] <= hit.start < b[2])
        start, end = hit.start - begin, hit.end - begin
        return Span(name, start, end, getattr(self.facts, name)[start:end])


class Meanings:
    """What the entries of a vocabulary state, each as one integer that `of` makes of its bits.

    The bits themselves show what is true; rows of a `TermTable` decide what holds. Both are
    gathered by or.
    """

    def __init__(self, vocabulary: Vocabulary, atoms: Atoms, of: Callable[[int], int]) -> None:
        self.of = of
        self.entries = [of(atoms.known(entry.atoms)) for entry in vocabulary.entries]
        self.borrowers = [of(atoms.known(entry.atoms)) for entry in vocabulary.borrower_entries]
        self.goods = {
            number: {role: of(atoms.known(names)) for role, names in stated.items()}
            for number, stated in vocabulary.goods.items()
        }

    def of_text(self, text: Text) -> int:
        """Gather what the words of a text state."""
        entries = [hit[0] for hit in text.hits]
        heard = entries
        if text.muted:
            heard = [entry for place, entry in enumerate(entries) if place not in text.muted]
        found = reduce(or_, map(self.entries.__getitem__, heard), 0)
        if not self.goods.keys().isdisjoint(entries):
            for place, role in roles(text):
                found |= self.goods[entries[place]].get(role, 0)
        return found


class Reader:
    """Reads projects by a vocabulary, for the atoms the conditions speak of."""

    def __init__(
        self, vocabulary: Vocabulary, atoms: Atoms, sectors: Mapping[str, str] | None = None
    ) -> None:
        """`sectors` maps names of the classification to codes with their letter."""
        self.vocabulary = vocabulary
        self.atoms = atoms
        self.fields = FieldReader(atoms, sectors or {})
        self.bits = self.meanings(int)
        self._asks, self._subjects, self._purposes, self._borrowers = (
            atoms.known(n for n in atoms.bits if n.startswith(prefix))
            for prefix in ("ask:", "subject:", "purpose:", "borrower:")
        )

    def meanings(self, of: Callable[[int], int]) -> Meanings:
        """Return what the vocabulary states, in another form."""
        return Meanings(self.vocabulary, self.atoms, of)

    def stated(self, facts: ProjectFacts, meanings: Meanings) -> tuple[int, int]:
        """Return what a project states, gathered, and the unknown bits; without evidence.

        A bit that is both true and unknown is true.
        """
        text = self._text(fold(f"{facts.name}\n{facts.content}\n{facts.purpose}"), len(facts.name))
        found = meanings.of_text(text)
        named, unknown = self.fields.named(facts)
        sector, below = self.fields.sector(facts.sector)
        size, unsized = self.fields.size(facts)
        of = meanings.of
        found |= of(named) | of(sector) | of(size)
        unknown |= unsized | self._unsaid(facts, text, below)
        if borrower := facts.borrower or _applicant(facts):
            for entry, _, _ in self.vocabulary.find_borrower(fold(borrower)):
                found |= meanings.borrowers[entry]
            return found, unknown
        return found, unknown | self._borrowers

    def _unsaid(self, facts: ProjectFacts, text: Text, below: int) -> int:
        """Return what the texts and the sector leave unknown."""
        if facts.sector and (facts.purpose or facts.content):
            return self._asks | below
        unknown, stated = self._asks, self.bits.of_text(text)
        if not (facts.name or facts.content or facts.purpose):
            unknown |= self._subjects
        # Where no sector is given but the text says what the project is, the text stands for it.
        if facts.sector or not stated & self._subjects:
            unknown |= below
        if not (facts.purpose or facts.content or stated & self._purposes):
            unknown |= self._purposes
        return unknown

    def read(self, facts: ProjectFacts) -> Reading:
        """Return the bits with the places in the text that state them."""
        bounds, begin = [], 0
        for name in FIELDS:
            value = getattr(facts, name)
            bounds.append((name, begin, begin + len(value)))
            begin += len(value) + 1
        whole = "\n".join(getattr(facts, name) for name in FIELDS)
        folded = fold(whole)
        begin = bounds[-1][1]
        text = self._text(folded[:begin], len(facts.name))
        hits = (*self._hits(text), *self._borrower_hits(folded, begin))
        true, unknown = self.stated(facts, self.bits)
        return Reading(true, unknown & ~true, whole, hits, tuple(bounds), facts)

    def _text(self, folded: str, name_end: int) -> Text:
        hits = self.vocabulary.find(folded)
        silent = muted(self.vocabulary, folded, hits, name_end)
        return Text(self.vocabulary, folded, hits, silent, name_end)

    def _hits(self, text: Text) -> Iterator[Hit]:
        entries, goods = self.vocabulary.entries, self.vocabulary.goods
        for place, (entry, start, end) in enumerate(text.hits):
            if entries[entry].cue is None:
                yield Hit(entries[entry].atoms, start, end, text.muted.get(place))
        for place, role in roles(text):
            entry, start, end = text.hits[place]
            yield Hit(goods[entry].get(role, ()), start, end, None)

    def _borrower_hits(self, folded: str, begin: int) -> Iterator[Hit]:
        entries = self.vocabulary.borrower_entries
        for entry, start, end in self.vocabulary.find_borrower(folded[begin:]):
            yield Hit(entries[entry].atoms, begin + start, begin + end, None)


def _applicant(facts: ProjectFacts) -> str:
    """Return the borrower that the text itself names."""
    match = APPLICANT.search(f"{facts.content}\n{facts.purpose}")
    return match[1] if match else ""
