"""Reading a project: which atoms its own words and fields state, and where it says so."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from matching.conditions import SIZES, Atoms
from matching.roles import CUE, END, ENTRY, START, Mark, roles
from matching.types import ProjectFacts, Span
from matching.vocabulary import BEFORE, Cue, Vocabulary, fold

# Where the reach of a cue ends: at the end of its clause, passing over what stands in brackets.
_END = (
    r"\([^()\n]*\)|[，。；;！!？?：:\n)]|,(?!\d)|\s|但|而是|同时"
    r"|(?<![合兼归一])并(?![购网列入联])"
)
# Some cues also end where the text comes to what is done: 位于酒店旁[新建]冷库.
_DONE = {
    Cue.PLACES: "新建|建设|建成|扩建|改建|改造|打造|种植|养殖|发展|从事|经营|生产|开办|开设"
    "|实施|开展|用于|投资|购置|购买|采购|引进|组建|成立|流转|拟",
    Cue.REPLACES: "新建|建设|建成|改建|改造|改为|新上|用于|购置|打造|升级|发展",
    Cue.SERVES: "建设|打造|购置|销售|收购|出口|进口",
}
STOPS = "，。；;！!？?\n),"
ENDS = {cue: re.compile("|".join(filter(None, (_END, _DONE.get(cue, ""))))) for cue in Cue}
# 为酒店提供, 向汽车厂供货: what stands between names a customer.
SERVED = re.compile(
    r"(?:(?<![作改成分变认以视])为|(?<![面方走西南北东导外内])向|给)(?![主其])"
    r"([^，,。；;！!？?：:\n()]{1,20}?)(?:提供|配套|供应|供货|供给|服务|输送|代工|运输|做|送货|储存|存放|存储)"
)
# 原棉麻公司酒店改造为…, 老水泥厂家属院: what stands between is gone.
FORMER = re.compile(
    r"(?:(?<![平草高中还太荒复湿塬川州])原|(?<![古养敬助])老|(?<![陈新复怀])旧|闲置|废弃)"
    r"(?![料种则始奶药煤油木粮矿材生浆创板旧城街人年区化师牌字乡品物金])"
    r"([^，,。；;！!？?：:\n()]{1,20}?)"
    r"(?:改造|改建|改为|改成|拆除|转型|片区|家属院|旧址|遗址|旧厂房|老厂房|厂房|厂址|厂区|院子|大院|旧车间|老车间|一带|改)"
)
# 从外县水泥厂买进…: what stands between is where things come from.
FROM = re.compile(
    r"从(?!事|而|业|此|未|今|小|重|严|优)([^，,。；;！!？?：:\n()]{1,20}?)(?:[买购采进收运拉调接取拿租引借]|进口)"
)
SPANS = (
    ("为向给", SERVED, Cue.SERVES),
    ("原老旧闲废", FORMER, Cue.REPLACES),
    ("从", FROM, Cue.SERVES),
)
# 配套 names a side part, but in a project's name only after a word that joins: 园区配套污水处理厂.
JOINS = "、和及与并含,(兼带暨"
BACK_TO = re.compile(r"[，,。；;！!？?：:\n(]")
# These mute the whole of the clause before them.
WHOLE = (Cue.NEGATES, Cue.NEGATES_BEFORE, Cue.REPLACES, Cue.REPLACES_BEFORE)
# A subject kept by a cue is kept by the one that stands behind the words, too.
FAMILY = {
    Cue.PLACES_BEFORE: Cue.PLACES,
    Cue.SERVES_BEFORE: Cue.SERVES,
    Cue.REPLACES_BEFORE: Cue.REPLACES,
    Cue.NEGATES_BEFORE: Cue.NEGATES,
}
# A cue with no more than this behind it in its clause speaks of what stands before it:
# 均不涉及, 造纸厂早年关停; 不 with one character, too: 禁用农药一律不卖.
TAIL = {Cue.NEGATES: 0, Cue.REPLACES: 2}
# A cue after a word reaches back over this many characters.
REACH_BACK = 2
# 不 by itself reaches over the words right after it: 不炼钢, 不开盐矿.
REACH_OF_NOT = 8
APPLICANT = re.compile(
    r"(?:借款人|借款主体|借款单位|承贷主体|贷款主体)(?:为|是|:|：)([^，,。；;\n]{2,40})"
)
SHORTEST_NAME = 3
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
        self.sectors = sectors or {}
        self._masks = [atoms.known(entry.atoms) for entry in vocabulary.entries]
        self._borrower_masks = [atoms.known(entry.atoms) for entry in vocabulary.borrower_entries]
        self._goods = {
            number: {role: atoms.known(names) for role, names in stated.items()}
            for number, stated in vocabulary.goods.items()
        }
        self._group = {
            prefix: atoms.known(n for n in atoms.bits if n.startswith(prefix))
            for prefix in (
                "subject:",
                "sector:",
                "ownership:",
                "county:",
                "nature:",
                "borrower:",
                "purpose:",
            )
        }
        self._asks = atoms.known(n for n in atoms.bits if n.startswith("ask:"))
        self._sizes = [
            (kind, float(limit), bit)
            for name, bit in atoms.bits.items()
            for kind, _, limit in [name.partition(":")]
            if kind in SIZES
        ]
        self._sector_masks: dict[str, tuple[int, int]] = {}

    def bits(self, facts: ProjectFacts) -> tuple[int, int]:
        """Return the true and the unknown bits; the fast path, without evidence."""
        text = fold(f"{facts.name}\n{facts.content}\n{facts.purpose}")
        masks, true, has_goods = self._masks, 0, False
        found = marks(self.vocabulary, text, len(facts.name))
        for entry, _, _, cue in found:
            if cue is None:
                true |= masks[entry]
                has_goods = has_goods or entry in self._goods
        if has_goods:
            for mark, role in roles(self.vocabulary, found, text, len(facts.name)):
                true |= self._goods[mark[ENTRY]].get(role, 0)
        return self._with_fields(facts, true)

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
        hits = (*self._hits(folded[:begin], len(facts.name)), *self._borrower_hits(folded, begin))
        true, unknown = self.bits(facts)
        return Reading(true, unknown, whole, hits, tuple(bounds), facts)

    def _hits(self, folded: str, name_end: int) -> Iterator[Hit]:
        entries, goods = self.vocabulary.entries, self.vocabulary.goods
        found = marks(self.vocabulary, folded, name_end)
        for entry, start, end, cue in found:
            yield Hit(entries[entry].atoms, start, end, cue)
        for mark, role in roles(self.vocabulary, found, folded, name_end):
            yield Hit(goods[mark[ENTRY]].get(role, ()), mark[START], mark[END], None)

    def _borrower_hits(self, folded: str, begin: int) -> Iterator[Hit]:
        entries = self.vocabulary.borrower_entries
        for entry, start, end in self.vocabulary.find_borrower(folded[begin:]):
            yield Hit(entries[entry].atoms, begin + start, begin + end, None)

    def _with_fields(self, facts: ProjectFacts, true: int) -> tuple[int, int]:
        unknown = self._asks
        group, known = self._group, self.atoms.bits
        if not (facts.name or facts.content or facts.purpose):
            unknown |= group["subject:"]
        sector_true, sector_unknown = self._sector_bits(facts.sector)
        # Where no sector is given but the text says what the project is, the text stands for it.
        if facts.sector or not true & group["subject:"]:
            unknown |= sector_unknown
        true |= sector_true
        for prefix, value in (
            ("ownership:", facts.ownership),
            ("county:", facts.county),
            ("nature:", facts.nature),
        ):
            if value:
                true |= known.get(prefix + value, 0)
            else:
                unknown |= group[prefix]
        for category in facts.categories:
            true |= known.get(f"category:{category}", 0)
        if not (facts.purpose or facts.content) and not true & group["purpose:"]:
            unknown |= group["purpose:"]
        if borrower := facts.borrower or _applicant(facts):
            for entry, _, _ in self.vocabulary.find_borrower(fold(borrower)):
                true |= self._borrower_masks[entry]
        else:
            unknown |= group["borrower:"]
        size_true, size_unknown = self._size_bits(facts)
        return true | size_true, (unknown | size_unknown) & ~true

    def _sector_bits(self, sector: str) -> tuple[int, int]:
        """A sector states itself and all above it; whether it is one below it is unknown."""
        if sector in self._sector_masks:
            return self._sector_masks[sector]
        code = self._code(sector)
        bits = {n[7:]: b for n, b in self.atoms.bits.items() if n.startswith("sector:")}
        if not code:
            masks = (0, self._group["sector:"])
        else:
            above = sum(bit for each, bit in bits.items() if code.startswith(each))
            below = sum(b for each, b in bits.items() if each.startswith(code) and each != code)
            masks = (above, below)
        if len(self._sector_masks) < 10_000:
            self._sector_masks[sector] = masks
        return masks

    def _code(self, sector: str) -> str:
        text = fold(sector).strip().upper()
        if not text:
            return ""
        if match := re.match(r"([A-T]?)(\d{2,4})(?!\d)", text):
            return self.sectors.get(match[0], match[0] if match[1] else "")
        if len(text) == 1 and text in "ABCDEFGHIJKLMNOPQRST":
            return text
        return self.sectors.get(sector.strip()) or self._code_of_part(sector.strip())

    def _code_of_part(self, name: str) -> str:
        """A name that is only part of some, 有色金属冶炼: what those have in common."""
        if len(name) < SHORTEST_NAME:
            return ""
        codes = [code for each, code in self.sectors.items() if name in each]
        return os.path.commonprefix(codes) if codes else ""

    def _size_bits(self, facts: ProjectFacts) -> tuple[int, int]:
        true = unknown = 0
        for kind, limit, bit in self._sizes:
            amount = facts.term_months if kind == "term_above" else facts.demand_wan
            if amount is None:
                unknown |= bit
            elif amount < limit if kind == "demand_below" else amount >= limit:
                true |= bit
        return true, unknown


def marks(vocabulary: Vocabulary, folded: str, name_end: int = 0) -> list[Mark]:
    """Find the terms of a folded text, left to right, each with the cue that mutes it.

    `name_end` is where the project's name ends, if the text begins with it.
    """
    found: list[Mark] = []
    cues, kept = vocabulary.cues, vocabulary.kept
    spans = _spans(folded)
    muted_until, muting = -1, None
    for number, start, end in vocabulary.find(folded):
        cue = cues[number]
        if cue is None:
            why = muting if start < muted_until else None
            if spans and why is None:
                why = next((each for a, b, each in spans if a <= start < b), None)
            if why is not None and why in kept.get(number, ()):
                why = None
            found.append([number, start, end, why])
        elif cue in BEFORE:
            _look_back(found, folded, start, cue, kept)
        elif cue is not Cue.ADDS or not _stands_alone(folded, start, name_end, spans):
            until, tail = _reach(folded, end, cue), TAIL.get(cue, -1)
            if end - start == 1:
                until, tail = min(until, end + REACH_OF_NOT), 1
            if until - end <= tail:
                _look_back(found, folded, start, cue, kept)
            if until > muted_until or (until == muted_until and muting is not Cue.NEGATES):
                muted_until, muting = until, cue
    return found


def _spans(folded: str) -> list[tuple[int, int, Cue]]:
    """Return the places that name customers or what goes away, by what stands on both sides."""
    found = []
    for signs, pattern, cue in SPANS:
        for sign in signs:
            at = folded.find(sign)
            while at >= 0:
                if match := pattern.match(folded, at):
                    found.append((*match.span(1), cue))
                at = folded.find(sign, at + 1)
    return found


def _stands_alone(
    folded: str, start: int, name_end: int, spans: list[tuple[int, int, Cue]]
) -> bool:
    """Whether 配套 and its like name no side part here."""
    in_name = start < name_end and (not start or folded[start - 1] not in JOINS)
    return in_name or any(end == start for _, end, _ in spans)


def _reach(folded: str, end: int, cue: Cue) -> int:
    """Return where a cue that ends at `end` stops muting."""
    at, pattern = end, ENDS[cue]
    while match := pattern.search(folded, at):
        # 毗邻养殖小区: a word of doing right behind the cue is part of the name of the place.
        if match[0][0] == "(" or (match.start() == end and match[0][0] not in STOPS):
            at = match.end()
            continue
        return match.start()
    return len(folded)


def _look_back(
    found: list[Mark], folded: str, start: int, cue: Cue, kept: Mapping[int, frozenset[Cue]]
) -> None:
    """Mute what stands before a cue: the clause before 除外 or 均不涉及, the word before 旁."""
    whole, reach = cue in WHOLE, start
    for mark in reversed(found):
        between = folded[mark[END] : reach]
        if BACK_TO.search(between):
            return
        if not whole and (
            len(between) > REACH_BACK if reach == start else between not in "、和及与"
        ):
            return
        reach = mark[START]
        is_kept = FAMILY.get(cue, cue) in kept.get(mark[ENTRY], ())
        if mark[CUE] is None and not is_kept:
            mark[CUE] = cue


def _applicant(facts: ProjectFacts) -> str:
    """Return the borrower that the text itself names."""
    match = APPLICANT.search(f"{facts.content}\n{facts.purpose}")
    return match[1] if match else ""
