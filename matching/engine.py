"""The verdict of every institution's lists on a project, with reasons and questions.

    rulebook = Rulebook(institutions, vocabulary, shared, sectors)
    rulebook.evaluate(facts)     → a Match for every institution, with reasons
    rulebook.verdicts(facts)     → the verdicts alone, for very many projects

Nothing here knows Django; `matching.loaders` makes the institutions out of rows or fixtures.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from matching.conditions import Atoms, Compiler, Condition, Raw, TermTable, hard_part
from matching.reading import Reader, Reading
from matching.scoring import ScoreContext, score_of
from matching.types import (
    Effect,
    Match,
    Polarity,
    ProjectFacts,
    Question,
    Reason,
    Span,
    Strength,
    Truth,
    Verdict,
)
from matching.vocabulary import Vocabulary

EXCLUDED, RESTRICTED, SUPPORTED, NEUTRAL = Verdict
AREA_CLAUSE = "服务区域"
ASK = "ask:"


@dataclass(frozen=True)
class ClauseData:
    """A clause as data: its printed number, what it does, and its condition, if it has one."""

    number: str
    polarity: Polarity
    strength: Strength | None
    text: str
    condition: Raw | None


@dataclass(frozen=True)
class InstitutionData:
    """An institution with the edition of its lists that is in force.

    `areas` are short names of the counties it may lend in; empty where it is not bound to an area.
    `area_clause` is the number of the clause that binds it, where one does.
    """

    name: str
    clauses: tuple[ClauseData, ...]
    areas: frozenset[str] = frozenset()
    area_clause: str = AREA_CLAUSE
    score_context: ScoreContext = ScoreContext()


@dataclass(frozen=True)
class _Clause:
    data: ClauseData
    condition: Condition
    place: int
    effect: Effect
    width: int


class _List:
    """One institution's clauses, compiled: masks over the terms of the whole rulebook."""

    def __init__(self, data: InstitutionData, clauses: Sequence[_Clause]) -> None:
        self.data = data
        self.clauses = clauses

    def deciding(self, masks: Sequence[int]) -> tuple[frozenset[str], int, int, int]:
        """Return the area, and which terms of the rulebook's table exclude, restrict, support."""
        effects = (Effect.EXCLUDES, Effect.RESTRICTS, Effect.SUPPORTS)
        hard, soft, positive = (_terms(self.clauses, masks, effect) for effect in effects)
        return self.data.areas, hard, soft, positive


class Rulebook:
    """All lists in force, compiled against one vocabulary."""

    def __init__(
        self,
        institutions: Iterable[InstitutionData],
        vocabulary: Vocabulary,
        shared: Mapping[str, Raw],
        sectors: Mapping[str, str],
        counties: Mapping[str, str] | None = None,
    ) -> None:
        """Compile. Raises ConditionError for a condition that cannot be read.

        `sectors` maps names and digits to codes, `counties` other writings to the short name.
        """
        self._counties = counties or {}
        compiler = Compiler(shared)
        self._conditions: list[Condition] = []
        self._numbers: dict[str, int] = {}
        self.lists = [self._compiled(data, compiler) for data in institutions]
        self.reader = Reader(vocabulary, compiler.atoms, sectors)
        self._table = TermTable(self._conditions)
        self._rows = self.reader.meanings(self._table.row)
        self._deciding = [each.deciding(self._table.masks) for each in self.lists]

    def _compiled(self, data: InstitutionData, compiler: Compiler) -> _List:
        clauses = []
        for clause in data.clauses:
            for raw, effect in _effects(clause):
                place = self._number(raw, compiler)
                condition = self._conditions[place]
                clauses.append(_Clause(clause, condition, place, effect, _width(condition)))
        return _List(data, clauses)

    def _number(self, raw: Raw, compiler: Compiler) -> int:
        """Equal conditions are decided once for all institutions."""
        key = repr(raw)
        if key not in self._numbers:
            self._numbers[key] = len(self._conditions)
            self._conditions.append(compiler.compile(raw))
        return self._numbers[key]

    def verdicts(self, facts: ProjectFacts) -> list[Verdict]:
        """Return the verdict of each list, in the order of the institutions."""
        facts = self._in_short_names(facts)
        stated, unknown = self.reader.stated(facts, self._rows)
        holding, county = self._table.holding(stated, unknown), facts.county
        return [
            EXCLUDED
            if holding & hard or (areas and county and county not in areas)
            else RESTRICTED
            if holding & soft
            else SUPPORTED
            if holding & positive
            else NEUTRAL
            for areas, hard, soft, positive in self._deciding
        ]

    def read(self, facts: ProjectFacts) -> Reading:
        """Return what a project's own words and fields state."""
        return self.reader.read(self._in_short_names(facts))

    def evaluate(self, facts: ProjectFacts) -> list[Match]:
        """Return what each list says, with reasons, evidence and questions."""
        reading = self.read(facts)
        return [self._match(each, reading) for each in self.lists]

    def _in_short_names(self, facts: ProjectFacts) -> ProjectFacts:
        county = self._counties.get(facts.county, facts.county)
        return facts if county == facts.county else replace(facts, county=county)

    def _match(self, each: _List, reading: Reading) -> Match:
        reasons = list(self._area(each, reading))
        questions = list(_missing(reading))
        spoken: set[int] = set()
        for clause in each.clauses:
            truth = clause.condition.truth(reading.true, reading.unknown)
            if id(clause.data) in spoken:
                continue  # its hard part holds already
            if truth is Truth.TRUE:
                spoken.add(id(clause.data))
                reasons.append(self._reason(clause, reading))
            elif truth is Truth.UNKNOWN:
                questions.extend(_questions(clause, reading, self.reader.atoms))
        verdict = _verdict_of(reasons)
        score, parts = score_of(verdict, reasons, reading.facts, each.data.score_context)
        shown = SHOWN[verdict]
        kept = sorted(
            (reason for reason in reasons if reason.effect in shown),
            key=lambda reason: shown.index(reason.effect),
        )
        asked = tuple(dict.fromkeys(questions))
        return Match(each.data.name, verdict, score, tuple(kept), asked, parts)

    def _area(self, each: _List, reading: Reading) -> Iterable[Reason]:
        county, areas = reading.facts.county, each.data.areas
        if areas and county and county not in areas:
            text = f"只在{'、'.join(sorted(areas))}办理，项目在{county}。"
            yield Reason("area", each.data.area_clause, Effect.EXCLUDES, (), text)

    def _reason(self, clause: _Clause, reading: Reading) -> Reason:
        bits = clause.condition.evidence_bits(reading.true)
        names = set(self.reader.atoms.names(bits))
        return Reason(
            list=clause.data.polarity.value,
            clause=clause.data.number,
            effect=clause.effect,
            evidence=(*reading.spans(names), *_field_evidence(names, reading.facts)),
            text=clause.data.text,
            specificity=clause.width,
        )


# What is worth showing beside a verdict: what decided it, and what speaks the other way.
SHOWN = {
    Verdict.EXCLUDED: (Effect.EXCLUDES, Effect.RESTRICTS, Effect.SUPPORTS),
    Verdict.RESTRICTED: (Effect.RESTRICTS, Effect.SUPPORTS),
    Verdict.SUPPORTED: (Effect.SUPPORTS,),
    Verdict.NEUTRAL: (),
}
FIELD_OF_ATOM = {
    "sector": "sector",
    "ownership": "ownership",
    "nature": "nature",
    "county": "county",
    "demand_below": "demand_wan",
    "demand_from": "demand_wan",
    "term_above": "term_months",
}
UNITS = {"demand_wan": "万元", "term_months": "个月"}


def _effects(clause: ClauseData) -> Iterable[tuple[Raw, Effect]]:
    """What a clause does where its condition holds; the hard part of a soft clause comes first."""
    if clause.condition is None:
        return
    if clause.polarity is Polarity.POSITIVE:
        yield clause.condition, Effect.SUPPORTS
    elif clause.strength is Strength.HARD:
        yield clause.condition, Effect.EXCLUDES
    else:
        if hard := hard_part(clause.condition):
            yield hard, Effect.EXCLUDES
        yield clause.condition, Effect.RESTRICTS


def _terms(clauses: Iterable[_Clause], masks: Sequence[int], effect: Effect) -> int:
    found = 0
    for clause in clauses:
        if clause.effect is effect:
            found |= masks[clause.place]
    return found


def _width(condition: Condition) -> int:
    """How many atoms a condition speaks of; the fewer, the more specific the clause."""
    mask = 0
    for term in condition.terms:
        for need in term.needs:
            mask |= need
    return mask.bit_count()


def _verdict_of(reasons: Iterable[Reason]) -> Verdict:
    effects = {reason.effect for reason in reasons}
    if Effect.EXCLUDES in effects:
        return Verdict.EXCLUDED
    if Effect.RESTRICTS in effects:
        return Verdict.RESTRICTED
    return Verdict.SUPPORTED if Effect.SUPPORTS in effects else Verdict.NEUTRAL


def _questions(clause: _Clause, reading: Reading, atoms: Atoms) -> Iterable[Question]:
    """The questions on which alone an undecided clause hangs."""
    open_atoms = atoms.names(clause.condition.open_bits(reading.true, reading.unknown))
    if all(atom.startswith(ASK) for atom in open_atoms):
        for atom in open_atoms:
            yield Question(clause.data.number, atom.removeprefix(ASK))


def _missing(reading: Reading) -> Iterable[Question]:
    """One question for each thing the project does not say and the lists go by."""
    facts = reading.facts
    if not (facts.content or facts.purpose):
        yield Question("", "建设内容和用途没有写，清单无从判断，请补充。")
    if not facts.sector:
        yield Question("", "所属行业没有写，请按国民经济行业分类补充后再核对。")
    if facts.demand_wan is None:
        yield Question("", "融资需求额没有写，有金额门槛的条款无从判断，请补充。")


def _field_evidence(names: set[str], facts: ProjectFacts) -> Iterable[Span]:
    """Fields that state something by their value rather than in prose."""
    for name in sorted(names):
        kind, _, value = name.partition(":")
        field = FIELD_OF_ATOM.get(kind)
        if kind == "category":
            yield Span("categories", 0, len(value), value)
        elif field and (stated := getattr(facts, field)):
            shown = f"{stated}{UNITS.get(field, '')}"
            yield Span(field, 0, len(shown), shown)
