"""Whether a condition that a person typed can be read, and speaks only of what exists. Pure."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from matching.conditions import SIZES, ConditionError, Raw, hard_part

# Far beyond any clause that a person can still follow.
DEEPEST = 12
MOST_TERMS = 2000
PREFIXES = "subject、sector、borrower、purpose、nature、ownership、county、category"


def parse_condition(text: str) -> Raw | None:
    """Read a condition from JSON; None for an empty text. Raises ConditionError."""
    if not text.strip():
        return None
    try:
        raw = json.loads(text, object_pairs_hook=_without_repeats, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        sentence = f"不是完整的 JSON：第 {error.lineno} 行第 {error.colno} 个字附近有误。"
        raise ConditionError(sentence) from error
    except RecursionError as error:
        raise ConditionError("条件套得太深，请拆开写。") from error
    except ConditionError:
        raise
    except ValueError as error:  # a number of thousands of digits
        raise ConditionError("有一个数太长，请核对。") from error
    if not isinstance(raw, dict):
        raise ConditionError('条件要写成花括号里的一个键，如 {"is": ["subject:cotton"]}。')
    return raw


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ConditionError("同一对花括号里有键写了两次，请用 any 或 all 合起来。")
    return found


def _no_constant(word: str) -> None:
    raise ConditionError(f"“{word}”不是数，请写具体的数。")


class ConditionChecker:
    """Checks conditions against the atoms and shared conditions there are."""

    def __init__(self, atoms: Collection[str], shared: Mapping[str, Raw]) -> None:
        self.atoms = atoms
        self.shared = shared

    def check(self, raw: Raw, name: str = "") -> None:
        """Raise ConditionError with one sentence that says where and what is wrong.

        `name`: of the shared condition that it is to be; `shared` then holds it already.
        """
        self._check(raw, ())
        if name and hard_part(raw):
            raise ConditionError("“hard”只能写在条款自己的条件里，写在公用条件里不起作用。")
        if circle := self._circle(raw, (name,) if name else ()):
            raise ConditionError(f"公用条件绕回了自己：{' → '.join(circle)}。")
        if not self.is_manageable(raw):
            raise ConditionError("all 和 any 交叉太多，展开后过于庞大，请拆成更简单的条件。")

    def is_manageable(self, raw: Raw) -> bool:
        """Whether a condition that is right otherwise stays of a size that can be decided by."""
        return sum(self._terms(raw, False)) <= MOST_TERMS

    def _circle(self, raw: Raw, path: tuple[str, ...]) -> tuple[str, ...]:
        """Return the names by which a condition comes back to one of them; else nothing."""
        for name in dict.fromkeys(shared_of(raw)):
            if name in path:
                return (*path[path.index(name) :], name)
            if found := self._circle(self.shared[name], (*path, name)):
                return found
        return ()

    def _check(self, raw: Any, path: tuple[str, ...]) -> None:
        if len(path) > DEEPEST:
            raise ConditionError("条件套得太深，请拆开写。")
        if not isinstance(raw, dict):
            raise ConditionError(f"{_at(path)}要写成花括号里的一个条件，现在是“{_short(raw)}”。")
        _check_text(raw.get("note", ""), "note", path)
        kinds = [key for key in raw if key != "note"]
        if len(kinds) != 1:
            named = "、".join(kinds) or "没有键"
            raise ConditionError(f"{_at(path)}一个条件只能有一个键，现在是：{named}。")
        self._check_kind(kinds[0], raw[kinds[0]], path)

    def _check_kind(self, kind: str, value: Any, path: tuple[str, ...]) -> None:
        if kind in ("any", "all"):
            for place, part in enumerate(_items(kind, value, path), start=1):
                self._check(part, (*path, f"{kind} 第 {place} 项"))
        elif kind in ("not", "hard"):
            if kind == "hard":
                _check_place_of_hard(path)
            self._check(value, (*path, kind))
        elif kind == "is":
            for atom in _items(kind, value, path):
                self._check_atom(atom, path)
        else:
            self._check_leaf(kind, value, path)

    def _check_leaf(self, kind: str, value: Any, path: tuple[str, ...]) -> None:
        if kind in SIZES:
            _check_size(kind, value, path)
        elif kind == "ask":
            _check_text(value, kind, path, needed=True)
        elif kind == "shared":
            if not isinstance(value, str) or value not in self.shared:
                raise ConditionError(f"{_at(path)}没有叫“{_short(value)}”的公用条件。")
        else:
            raise ConditionError(f"{_at(path)}不认识的条件“{_short(kind)}”。")

    def _check_atom(self, atom: Any, path: tuple[str, ...]) -> None:
        if isinstance(atom, str) and atom in self.atoms:
            return
        if not isinstance(atom, str) or ":" not in atom:
            sentence = f"“{_short(atom)}”要写成“类别:编号”，类别有 {PREFIXES}。"
            raise ConditionError(_at(path) + sentence)
        raise ConditionError(f"{_at(path)}没有“{_short(atom)}”，请在下面的主题表里查编号。")

    def _terms(self, raw: Raw, negated: bool) -> tuple[int, int]:
        """How many terms compiling makes: those that melt into one mask (0 or 1), and others."""
        ((kind, value),) = ((key, value) for key, value in raw.items() if key != "note")
        if kind == "not":
            return self._terms(value, not negated)
        if kind == "hard":
            return self._terms(value, negated)
        if kind == "shared":
            return self._terms(self.shared[value], negated)
        if kind not in ("any", "all"):
            return (0, 1) if negated else (1, 0)
        parts = [self._terms(part, negated) for part in value]
        if (kind == "any") != negated:
            return max(melted for melted, _ in parts), sum(others for _, others in parts)
        if len(parts) == 1:
            return parts[0]
        product = 1
        for part in parts:
            # Capped, so that a great many factors stay a small number.
            product = min(product * sum(part), MOST_TERMS + 1)
        return 0, product


def atoms_of(raw: Raw | None) -> Iterator[str]:
    """Yield the atoms a condition names."""
    for kind, value in (raw or {}).items():
        if kind == "is":
            yield from value
        elif kind in ("not", "hard"):
            yield from atoms_of(value)
        elif kind in ("any", "all"):
            for part in value:
                yield from atoms_of(part)


def shared_of(raw: Raw | None) -> Iterator[str]:
    """Yield the names of the shared conditions that a condition itself refers to."""
    for kind, value in (raw or {}).items():
        if kind == "shared":
            yield value
        elif kind in ("not", "hard"):
            yield from shared_of(value)
        elif kind in ("any", "all"):
            for part in value:
                yield from shared_of(part)


def _items(kind: str, value: Any, path: tuple[str, ...]) -> Iterable[Any]:
    if not isinstance(value, list) or not value:
        raise ConditionError(f"{_at(path)}“{kind}”要在方括号里列出至少一项。")
    return value


def _check_place_of_hard(path: tuple[str, ...]) -> None:
    if len(path) != 1 or not path[0].startswith("any"):
        raise ConditionError(f"{_at(path)}“hard”只能写在最外层 any 的一项里。")


def _check_size(kind: str, value: Any, path: tuple[str, ...]) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:
        unit = "月数" if kind == "term_above" else "万元数"
        raise ConditionError(f"{_at(path)}“{kind}”要写一个大于零的{unit}。")


def _check_text(value: Any, kind: str, path: tuple[str, ...], needed: bool = False) -> None:
    if not isinstance(value, str) or (needed and not value.strip()):
        raise ConditionError(f"{_at(path)}“{kind}”要写一句话。")
    if any(ord(sign) < 32 or 0xD800 <= ord(sign) < 0xE000 for sign in value):
        raise ConditionError(f"{_at(path)}“{kind}”里有不能保存的控制字符。")


def _at(path: tuple[str, ...]) -> str:
    return f"{' › '.join(path)}：" if path else ""


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:40]}…"
