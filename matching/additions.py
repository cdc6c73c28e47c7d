"""Words added to subjects there are: read from what a person typed, made into a part. Pure.

An added word is a case of its subject: the part holds a subject of its own for it, below the one it
was added to, so that every part stays as it was and the version tells what came when.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from matching.conditions import ConditionError
from matching.vocabulary import GROUPS, fold

Words = dict[str, list[str]]
LINE = re.compile(
    r"\s*(?:(subject|borrower|purpose):)?(?!(?:subject|borrower|purpose):)([a-z0-9_]+)"
    r"\s*(?:[:：=→]|->)\s*(.+)"
)
BETWEEN = re.compile(r"[、，,；;]")
LONGEST = 30
MOST = 200
MARK = "added_"


def read_additions(text: str) -> Words:
    """Read lines such as `subject:cotton → 籽棉、皮棉`. Raises ConditionError naming the line."""
    found: Words = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        match = LINE.fullmatch(line.strip())
        if match is None:
            raise ConditionError(f"第 {number} 行要写成“subject:编号 → 词1、词2”。")
        terms = [" ".join(term.split()) for term in BETWEEN.split(match[3])]
        held = found.setdefault(f"{match[1] or 'subject'}:{match[2]}", [])
        held += [term for term in dict.fromkeys(terms) if term and term not in held]
        if wrong := next((term for term in held if len(term) > LONGEST or len(term) < 2), None):
            raise ConditionError(
                f"第 {number} 行的“{wrong[:LONGEST]}”太短或太长，一个词 2 到 {LONGEST} 个字。"
            )
    if sum(map(len, found.values())) > MOST:
        raise ConditionError(f"一次最多补充 {MOST} 个词。")
    return {subject: terms for subject, terms in found.items() if terms}


def with_additions(data: Mapping[str, Any], words: Words, version: int) -> dict[str, Any]:
    """Return a copy of a vocabulary's data with one more part. Raises ConditionError."""
    part: dict[str, Any] = {"_note": f"第 {version} 版补充的词。"}
    for atom, terms in words.items():
        prefix, _, name = atom.partition(":")
        group = next(group for group, each in GROUPS.items() if each == prefix)
        entry = _entry(data["words"], group, name)
        if entry is None or name.startswith(MARK):
            raise ConditionError(f"词表里没有“{atom}”，请在下面的主题表里查编号。")
        held = {fold(term) for term in entry["terms"]}
        if repeated := [term for term in terms if fold(term) in held]:
            raise ConditionError(f"“{'、'.join(repeated)}”已经是“{entry['label']}”的词。")
        part.setdefault(group, {})[f"{MARK}{version}_{name}"] = {
            "label": entry["label"],
            "parents": [name],
            "terms": terms,
            **{key: entry[key] for key in ("kept_by", "states") if key in entry},
        }
    return {**data, "words": [*data["words"], part]}


def _entry(parts: Iterable[Mapping[str, Any]], group: str, name: str) -> Mapping[str, Any] | None:
    for part in parts:
        if name in part.get(group, {}):
            found: Mapping[str, Any] = part[group][name]
            return found
    return None
