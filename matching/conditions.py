"""Conditions over a project: read from data, compiled to bit masks, answered in three values.

A condition is JSON:

    {"any": [...]}  {"all": [...]}  {"not": ...}     combined
    {"is": ["subject:cotton", "sector:C17"]}          any one of these atoms
    {"demand_below": 1000}  {"demand_from": 30000}    size in 万元
    {"term_above": 12}                                longer than these months
    {"ask": "是否……？"}                                nobody can tell from the data: always unknown
    {"shared": "commercial_real_estate"}              a condition defined once for many clauses
    {"hard": ...}                                     in the `any` of a soft clause: binds hard

Beside its one key a condition may carry a "note" for its readers.

Atoms are facts a reading states about a project: `subject:`, `sector:`, `borrower:`, `purpose:`,
`nature:`, `ownership:`, `county:`, `category:`. Each atom is a bit; a project is two integers, the
bits that are true and the bits that are unknown. A condition becomes a disjunction of terms, each a
conjunction of any-of masks and one mask of bits that must not be there; so deciding a clause is a
handful of integer operations.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from matching.types import Truth

Raw = Mapping[str, Any]


class ConditionError(ValueError):
    """A condition that cannot be read; the message says where and what."""


@dataclass(frozen=True, slots=True)
class Term:
    """True where every `need` mask meets the true bits and no forbidden bit is true."""

    needs: tuple[int, ...]
    forbidden: int = 0

    def truth(self, true: int, unknown: int) -> Truth:
        """Answer for a project's true and unknown bits."""
        answer = Truth.TRUE
        if self.forbidden & true:
            return Truth.FALSE
        if self.forbidden & unknown:
            answer = Truth.UNKNOWN
        for need in self.needs:
            if need & true:
                continue
            if not need & unknown:
                return Truth.FALSE
            answer = Truth.UNKNOWN
        return answer


class Atoms:
    """Numbers the atoms: each gets the next free bit."""

    def __init__(self) -> None:
        self.bits: dict[str, int] = {}

    def mask(self, names: Iterable[str]) -> int:
        """Return the bits of some atoms together, giving new ones a bit."""
        found = 0
        for name in names:
            found |= self.bits.setdefault(name, 1 << len(self.bits))
        return found

    def known(self, names: Iterable[str]) -> int:
        """Return the bits of those atoms that any condition speaks of."""
        found = 0
        for name in names:
            found |= self.bits.get(name, 0)
        return found

    def names(self, mask: int) -> list[str]:
        """Return the atoms of a mask."""
        return [name for name, bit in self.bits.items() if bit & mask]


@dataclass(frozen=True)
class Condition:
    """A compiled condition; `questions` are what its unknown parts ask a person."""

    terms: tuple[Term, ...]
    questions: tuple[str, ...] = field(default=())

    def truth(self, true: int, unknown: int) -> Truth:
        """Answer for a project's true and unknown bits."""
        answer = Truth.FALSE
        for term in self.terms:
            found = term.truth(true, unknown)
            if found is Truth.TRUE:
                return found
            answer = max(answer, found)
        return answer

    def evidence_bits(self, true: int) -> int:
        """Return the true bits by which the condition holds, of every term that holds."""
        found = 0
        for term in self.terms:
            if not term.forbidden & true and all(need & true for need in term.needs):
                for need in term.needs:
                    found |= need & true
        return found

    def open_bits(self, true: int, unknown: int) -> int:
        """Return the unknown bits that alone keep a term from holding."""
        found = 0
        for term in self.terms:
            if term.truth(true, unknown) is not Truth.UNKNOWN:
                continue
            found |= term.forbidden & unknown
            for need in term.needs:
                if not need & true:
                    found |= need & unknown
        return found


# Far more than a vocabulary has entries with different meanings.
MOST_ROWS = 50_000


class TermTable:
    """The terms of many conditions, decided all at once for a project: the fast path.

    For each atom it keeps which needs of which terms the atom meets, as one long row of bits: a
    layer for the first need of every term, one for the second, and so on. The rows of a project's
    true atoms together show in each layer the terms whose need is met; what is met in every layer
    and not forbidden holds.
    """

    def __init__(self, conditions: Iterable[Condition]) -> None:
        terms: list[Term] = []
        # Which terms make up each condition, in the order given.
        self.masks: list[int] = []
        for condition in conditions:
            self.masks.append(((1 << len(condition.terms)) - 1) << len(terms))
            terms += condition.terms
        self._width = len(terms)
        self._depth = max((len(term.needs) for term in terms), default=1)
        self._meets: dict[int, int] = {}
        self._forbids: dict[int, int] = {}
        self._always = 0
        for place, term in enumerate(terms):
            for layer in range(self._depth):
                spot = 1 << (layer * self._width + place)
                if layer < len(term.needs):
                    _mark(self._meets, term.needs[layer], spot)
                else:
                    self._always |= spot
            _mark(self._forbids, term.forbidden, 1 << place)
        self._forbidding = sum(self._forbids)
        self._meeting = sum(self._meets)
        self._rows: dict[int, int] = {}
        self._barred: dict[int, int] = {}

    def row(self, mask: int) -> int:
        """Return what true bits meet and forbid, as one integer; rows are joined by or."""
        row = self._rows.get(mask)
        if row is None:
            if len(self._rows) >= MOST_ROWS:
                self._rows.clear()
            met = _gather(self._meets, mask & self._meeting)
            row = self._rows[mask] = self._forbidden(mask) << (self._depth * self._width) | met
        return row

    def holding(self, row: int, unknown: int) -> int:
        """Return the terms that are certainly true, as bits; as `Term.truth` says of each.

        `row` is of the true bits.
        """
        held = left = row | self._always
        width = self._width
        for _ in range(self._depth - 1):
            left >>= width
            held &= left
        forbidden = left >> width | self._forbidden(unknown)
        return held & ((1 << width) - 1) & ~forbidden

    def _forbidden(self, mask: int) -> int:
        """The same few masks come again and again."""
        found = self._barred.get(mask)
        if found is None:
            if len(self._barred) >= MOST_ROWS:
                self._barred.clear()
            found = self._barred[mask] = _gather(self._forbids, mask & self._forbidding)
        return found


def _mark(table: dict[int, int], mask: int, spot: int) -> None:
    while mask:
        bit = mask & -mask
        table[bit] = table.get(bit, 0) | spot
        mask ^= bit


def _gather(table: dict[int, int], mask: int) -> int:
    found = 0
    while mask:
        bit = mask & -mask
        found |= table[bit]
        mask ^= bit
    return found


# A sum of products: a list of (any-of masks, forbidden mask).
Sum = list[tuple[tuple[int, ...], int]]


class Compiler:
    """Turns conditions as data into compiled ones, sharing atoms and named conditions."""

    def __init__(self, shared: Mapping[str, Raw] | None = None) -> None:
        self.atoms = Atoms()
        self.shared = dict(shared or {})
        self._open: list[str] = []

    def compile(self, raw: Raw) -> Condition:
        """Compile one condition. Raises ConditionError naming the part that is wrong."""
        questions: list[str] = []
        terms = [Term(needs, forbidden) for needs, forbidden in self._sum(raw, False, questions)]
        return Condition(tuple(terms), tuple(dict.fromkeys(questions)))

    def _sum(self, raw: Raw, negated: bool, questions: list[str]) -> Sum:
        raw = {key: value for key, value in raw.items() if key != "note"}
        if len(raw) != 1:
            raise ConditionError(f"一个条件只能有一个键：{raw}")
        ((kind, value),) = raw.items()
        if kind in ("any", "all"):
            parts = [self._sum(part, negated, questions) for part in _list(kind, value)]
            is_or = (kind == "any") != negated
            return _either(parts) if is_or else _both(parts)
        if kind == "not":
            return self._sum(value, not negated, questions)
        if kind == "hard":
            return self._sum(value, negated, questions)
        if kind == "shared":
            return self._named(str(value), negated, questions)
        return _atom_sum(self._leaf(kind, value, questions), negated)

    def _named(self, name: str, negated: bool, questions: list[str]) -> Sum:
        if name not in self.shared:
            raise ConditionError(f"没有叫“{name}”的公用条件")
        if name in self._open:
            raise ConditionError(f"公用条件“{name}”引用了自己")
        self._open.append(name)
        try:
            return self._sum(self.shared[name], negated, questions)
        finally:
            self._open.pop()

    def _leaf(self, kind: str, value: Any, questions: list[str]) -> int:
        if kind == "is":
            return self.atoms.mask(_list(kind, value))
        if kind == "ask":
            questions.append(str(value))
            return self.atoms.mask([f"ask:{value}"])
        if kind in SIZES:
            return self.atoms.mask([f"{kind}:{value}"])
        raise ConditionError(f"不认识的条件“{kind}”")


def hard_part(raw: Raw) -> Raw | None:
    """Return the parts of a clause's condition that bind hard where the clause is soft."""
    parts = [part["hard"] for part in raw.get("any", ()) if "hard" in part]
    return {"any": parts} if parts else None


SIZES = ("demand_below", "demand_from", "term_above")


def _list(kind: str, value: Any) -> Sequence[Any]:
    if not isinstance(value, list) or not value:
        raise ConditionError(f"“{kind}”要列出至少一项")
    return value


def _atom_sum(mask: int, negated: bool) -> Sum:
    return [((), mask)] if negated else [((mask,), 0)]


def _either(parts: list[Sum]) -> Sum:
    """Join alternatives; single-mask alternatives melt into one any-of mask."""
    melted = 0
    rest: Sum = []
    for needs, forbidden in (term for part in parts for term in part):
        if len(needs) == 1 and not forbidden:
            melted |= needs[0]
        else:
            rest.append((needs, forbidden))
    return [((melted,), 0), *rest] if melted else rest


def _both(parts: list[Sum]) -> Sum:
    """Multiply the alternatives of each part with those of the others."""
    product: Sum = [((), 0)]
    for part in parts:
        product = [
            (needs + more, forbidden | other)
            for needs, forbidden in product
            for more, other in part
        ]
    return product
