"""Reading a project: which atoms its own words and fields state, and where it says so."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

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


class Reader:
    """Reads projects by a vocabulary, for the atoms the conditions speak of."""

    def __init__(
        self, vocabulary: Vocabulary, atoms: Atoms, sectors: Mapping[str, str] | None = None
    ) -> None:
        """`sectors` maps names of the classification to codes with their letter."""
        self.vocabulary = vocabulary
        self.atoms = atoms
        self.fields = FieldReader(atoms, sectors or {})
        self._masks = [atoms.known(entry.atoms) for entry in vocabulary.entries]
        self._borrower_masks = [atoms.known(entry.atoms) for entry in vocabulary.borrower_entries]
        self._goods = {
            number: {role: atoms.known(names) for role, names in stated.items()}
            for number, stated in vocabulary.goods.items()
        }
        self._asks, self._subjects, self._purposes, self._borrowers = (
            atoms.known(n for n in atoms.bits if n.startswith(prefix))
            for prefix in ("ask:", "subject:", "purpose:", "borrower:")
        )

    def stated(self, facts: ProjectFacts) -> tuple[list[int], int]:
        """Return masks that together are the true bits, and the unknown bits; without evidence.

        A bit that is both is true.
        """
        masks = self._of_text(facts)
        return masks, self._with_fields(facts, masks)

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
        masks, unknown = self.stated(facts)
        true = 0
        for mask in masks:
            true |= mask
        return Reading(true, unknown & ~true, whole, hits, tuple(bounds), facts)

    def _text(self, folded: str, name_end: int) -> Text:
        hits = self.vocabulary.find(folded)
        silent = muted(self.vocabulary, folded, hits, name_end)
        return Text(self.vocabulary, folded, hits, silent, name_end)

    def _of_text(self, facts: ProjectFacts) -> list[int]:
        """The fast path of what `_hits` says with its places."""
        text = self._text(fold(f"{facts.name}\n{facts.content}\n{facts.purpose}"), len(facts.name))
        masks, goods, silent = self._masks, self._goods, text.muted
        entries = [hit[0] for hit in text.hits]
        if silent:
            stated = [masks[entry] for n, entry in enumerate(entries) if n not in silent]
        else:
            stated = [masks[entry] for entry in entries]
        if not goods.keys().isdisjoint(entries):
            stated += [goods[entries[place]].get(role, 0) for place, role in roles(text)]
        return stated

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

    def _with_fields(self, facts: ProjectFacts, masks: list[int]) -> int:
        """Add what the fields state to the masks of the text, and return what is unknown."""
        named, unknown = self.fields.named(facts)
        sector, below = self.fields.sector(facts.sector)
        size, unsized = self.fields.size(facts)
        unknown |= self._asks | unsized
        if not (facts.name or facts.content or facts.purpose):
            unknown |= self._subjects
        # Where no sector is given but the text says what the project is, the text stands for it.
        if facts.sector or not any(mask & self._subjects for mask in masks):
            unknown |= below
        if not (facts.purpose or facts.content or any(mask & self._purposes for mask in masks)):
            unknown |= self._purposes
        masks += (named, sector, size)
        if borrower := facts.borrower or _applicant(facts):
            found = self.vocabulary.find_borrower(fold(borrower))
            masks += (self._borrower_masks[entry] for entry, _, _ in found)
            return unknown
        return unknown | self._borrowers


def _applicant(facts: ProjectFacts) -> str:
    """Return the borrower that the text itself names."""
    match = APPLICANT.search(f"{facts.content}\n{facts.purpose}")
    return match[1] if match else ""
