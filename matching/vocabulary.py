"""The words by which a text is understood, kept as data, found in one pass.

`subjects`: what a project is about. Each has terms (synonyms, products, local names) and may name
`parents`, broader subjects it is a case of: 轧花 is 棉花 is 农产品加工. Longer terms win over
shorter ones inside them (农用三轮车 over 车, 公租房 over 住房), so a compound term is how an
exception is told apart.
A subject may have `forms`: words × patterns such as 重大{}事故 × 粉尘爆炸, all of which are its
terms. It may also have goods under a role (`made`, `traded`, `named` …): words such as 电缆
that state it only where the text makes (mines, …) them; see `matching.roles`.
`roles`: the words that say so, `before` or `after` the goods, or `weakly_after` where nothing else
speaks; `joined` are patterns that make a term of goods, such as {}厂; `states` are subjects that
the role states whatever the goods are.
A subject that is itself a place (主城区, 水源保护区, 综保区) is `kept_by` the cue "places": 位于
does not take its meaning away.
`borrowers`: kinds of borrower, found in the borrower's name only, by an automaton of their own,
so that 带动农户 in a text makes nobody a farm household. `purposes`: kinds of use of the loan.
`cues`: words that change what the words near them mean (不涉及…, 毗邻…, 配套…, …除外).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import ahocorasick_rs

from matching.conditions import ConditionError


class Cue(StrEnum):
    """What a cue does to the words in its reach."""

    NEGATES = "negates"  # 不涉及, 不含, 不新增
    PLACES = "places"  # 毗邻, 位于: the words say where, not what
    SERVES = "serves"  # 销往, 供应: the words name customers or suppliers
    REPLACES = "replaces"  # 拆除, 关停: the words name what goes away
    ADDS = "adds"  # 配套, 附属: the words name a side part
    NEGATES_BEFORE = "negates_before"  # 除外, 以外
    PLACES_BEFORE = "places_before"  # 旁, 附近
    SERVES_BEFORE = "serves_before"  # 为原料, 等客户

    REPLACES_BEFORE = "replaces_before"  # 酒店改造为…, 砖厂关停后
    PAST = "past"  # 以前, 曾: what was done once


class Role(StrEnum):
    """What a project does with goods it names; NAMED where nothing tells."""

    BUILT = "built"
    MADE = "made"
    MINED = "mined"
    TRADED = "traded"
    MOVED = "moved"
    BOUGHT = "bought"
    USED = "used"
    NAMED = "named"


# What each deed is called where people read it.
DEEDS = {
    Role.MADE: "生产",
    Role.MINED: "开采",
    Role.TRADED: "买卖",
    Role.MOVED: "运输、仓储",
    Role.BUILT: "建设",
    Role.BOUGHT: "购置",
    Role.USED: "使用",
    Role.NAMED: "只提到",
}


class Side(StrEnum):
    """Where a role word stands."""

    BEFORE = "before"
    AFTER = "after"
    WEAKLY_AFTER = "weakly_after"


BEFORE = (Cue.NEGATES_BEFORE, Cue.PLACES_BEFORE, Cue.SERVES_BEFORE, Cue.REPLACES_BEFORE)
GROUPS = {"subjects": "subject", "borrowers": "borrower", "purposes": "purpose"}

# Full-width letters, digits and signs to their half-width forms, one for one, so that a place in
# the folded text is a place in the original.
FOLD = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
# …but punctuation that ends a clause keeps its Chinese form.
FOLD = {code: to for code, to in FOLD.items() if chr(code) not in "，。；！？："}
FULL_WIDTH = re.compile(f"[{''.join(map(chr, FOLD))}]")


def fold(text: str) -> str:
    """Return the text in half-width lower case, character by character."""
    plain = text.translate(FOLD) if FULL_WIDTH.search(text) else text
    folded = plain.lower()
    return folded if len(folded) == len(text) else plain


@dataclass(frozen=True, slots=True)
class Entry:
    """What one term of the vocabulary means: atoms it states, or a cue it is."""

    term: str
    atoms: tuple[str, ...] = ()
    cue: Cue | None = None
    kept_by: frozenset[Cue] = frozenset()
    # What goods state in each role, and which role a role word gives on which side.
    goods: tuple[tuple[Role, tuple[str, ...]], ...] = ()
    sides: tuple[tuple[Side, Role], ...] = ()


class Vocabulary:
    """All terms in one automaton."""

    def __init__(self, version: str, data: Iterable[Mapping[str, Any]]) -> None:
        """Build from the files of the vocabulary. Raises ConditionError for a wrong entry."""
        self.version = version
        merged = _merge(data)
        self.labels = {
            f"{prefix}:{name}": entry["label"]
            for group, prefix in GROUPS.items()
            for name, entry in merged[group].items()
        }
        borrowers = {"borrowers": merged.pop("borrowers")}
        self.entries = _by_term(_entries(merged))
        self.borrower_entries = _by_term(_entries(borrowers))
        self.cues = {n: entry.cue for n, entry in enumerate(self.entries) if entry.cue}
        self.kept = {n: entry.kept_by for n, entry in enumerate(self.entries) if entry.kept_by}
        self.goods = {n: _by_role(e.goods) for n, e in enumerate(self.entries) if e.goods}
        self.sides = {n: _by_side(e.sides) for n, e in enumerate(self.entries) if e.sides}
        self._automaton = _automaton(self.entries)
        self._borrower_automaton = _automaton(self.borrower_entries)

    def find(self, folded: str) -> list[tuple[int, int, int]]:
        """Return (entry, start, end) of every term in a folded text, left to right."""
        found: list[tuple[int, int, int]] = self._automaton.find_matches_as_indexes(folded)
        return found

    def find_borrower(self, folded: str) -> list[tuple[int, int, int]]:
        """Return (borrower entry, start, end) of every kind of borrower in a folded name."""
        found: list[tuple[int, int, int]] = self._borrower_automaton.find_matches_as_indexes(folded)
        return found


def _automaton(entries: Iterable[Entry]) -> Any:
    return ahocorasick_rs.AhoCorasick(
        [entry.term for entry in entries], matchkind=ahocorasick_rs.MatchKind.LeftmostLongest
    )


def _by_term(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    by_term: dict[str, Entry] = {}
    for entry in entries:
        known = by_term.get(entry.term)
        by_term[entry.term] = _joined(known, entry) if known else entry
    return tuple(by_term.values())


def _merge(data: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    merged: dict[str, dict[str, Any]] = {group: {} for group in (*GROUPS, "cues", "roles")}
    for part in data:
        for group, entries in part.items():
            if group.startswith("_"):
                continue
            if group not in merged:
                raise ConditionError(f"词表里没有“{group}”这一组")
            for name, entry in entries.items():
                if group == "cues":
                    merged[group].setdefault(name, []).extend(entry)
                elif name in merged[group]:
                    raise ConditionError(f"词表里“{name}”出现了两次")
                else:
                    merged[group][name] = entry
    return merged


def _entries(merged: Mapping[str, Mapping[str, Any]]) -> Iterator[Entry]:
    cues = {fold(term) for terms in merged.get("cues", {}).values() for term in terms}
    for group, prefix in GROUPS.items():
        for name, entry in merged.get(group, {}).items():
            atoms = tuple(f"{prefix}:{each}" for each in _closure(merged[group], name))
            atoms += tuple(entry.get("states", ()))
            kept_by = frozenset(Cue(cue) for cue in entry.get("kept_by", ()))
            for term in (*entry["terms"], *_formed(entry, cues)):
                yield Entry(fold(term), atoms, kept_by=kept_by)
            yield from _goods(entry, atoms, merged)
    for cue, terms in merged.get("cues", {}).items():
        for term in terms:
            yield Entry(fold(term), cue=Cue(cue))
    for role, words in merged.get("roles", {}).items():
        for side in Side:
            for term in words.get(side, ()):
                yield Entry(fold(term), sides=((side, Role(role)),))


def _goods(
    entry: Mapping[str, Any], atoms: tuple[str, ...], merged: Mapping[str, Mapping[str, Any]]
) -> Iterator[Entry]:
    """Yield the goods of a subject, and the terms that a role makes of them: 电缆 → 电缆厂."""
    for role in Role:
        about = merged.get("roles", {}).get(role, {})
        stated = atoms
        for subject in about.get("states", ()):
            stated += tuple(f"subject:{each}" for each in _closure(merged["subjects"], subject))
        for word in entry.get(role, ()):
            yield Entry(fold(word), goods=((role, stated),))
            for pattern in about.get("joined", ()):
                yield Entry(fold(pattern.format(word)), stated)


def _by_side(sides: Iterable[tuple[Side, Role]]) -> dict[Side, tuple[Role, ...]]:
    found: dict[Side, tuple[Role, ...]] = {}
    for side, role in sides:
        found[side] = (*found.get(side, ()), role)
    return found


def _by_role(goods: Iterable[tuple[Role, tuple[str, ...]]]) -> dict[Role, tuple[str, ...]]:
    found: dict[Role, tuple[str, ...]] = {}
    for role, atoms in goods:
        found[role] = tuple(dict.fromkeys(found.get(role, ()) + atoms))
    return found


def _formed(entry: Mapping[str, Any], cues: set[str]) -> list[str]:
    """Return the terms that the forms of a subject make, but for those that are cues."""
    forms = entry.get("forms")
    if not forms:
        return []
    made = [each.format(word) for word in forms["words"] for each in forms["patterns"]]
    return [term for term in made if fold(term) not in cues]


def _closure(entries: Mapping[str, Any], name: str) -> list[str]:
    """Return a subject and everything it is a case of."""
    found, waiting = [], [name]
    while waiting:
        each = waiting.pop()
        if each in found:
            continue
        if each not in entries:
            raise ConditionError(f"“{name}”的上级“{each}”不在词表里")
        found.append(each)
        waiting += entries[each].get("parents", [])
    return found


def _joined(known: Entry, other: Entry) -> Entry:
    """One term that several entries list states what each of them does."""
    if known.cue is not other.cue:
        raise ConditionError(f"“{other.term}”有两种意思：提示词和主题词，或两种提示词")
    atoms = tuple(dict.fromkeys(known.atoms + other.atoms))
    return Entry(
        known.term,
        atoms,
        known.cue,
        known.kept_by | other.kept_by,
        known.goods + other.goods,
        known.sides + other.sides,
    )
