"""What a text does with the goods it names: makes, mines, trades, moves or merely uses them.

电缆 alone says little: 年产电缆3000公里 makes it, 敷设电缆 uses it, 电缆批发 trades it. The role
words of the vocabulary stand before their goods (生产…, 采购…) or after them (…生产线, …批发);
goods listed together (乳胶漆、腻子和真石漆生产线) share a role; a yearly quantity (涂料8000吨/年)
says made.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from matching.vocabulary import Role, Side, Vocabulary

# A term found in a text: its entry, where it starts and ends, and the cue that takes its meaning
# away, if any. A plain list, as very many are made.
Mark = list[Any]
ENTRY, START, END, CUE = range(4)

# Where a phrase ends; a list (、) does not end one.
STOP = re.compile(r"[，。；;！!？?\n]|,(?!\d)")
SENTENCE = re.compile(r"[。；;！!？?\n]")
NUMBER = r"\d[\d.,]*(?:[余多])?[百千万亿]*(?:[余多])?"
UNIT = (
    r"(?:立方米|平方米|平方|重量箱|标方|标砖|公里|千米|千克|公斤|吨|方|台|套|件|只|块|片|米|辆|个|条|支"
    r"|双|枚|卷|桶|瓶|箱|面|组|瓦|千瓦|兆瓦|吉瓦|mw|gw|t|m3|m2|km|架|部|发|根|对|张|匹|锭)"
)
RATE = r"(?:/年|/a|/日|/天|/d|每年|每日|每天|年)"
LEAD = r"[(:]?(?:各|共|约|达到?|为|规模|能力){0,2}"
RATED_AFTER = re.compile(rf"{LEAD}{NUMBER}{UNIT}{RATE}")
RATED_BEFORE = re.compile(rf"{NUMBER}{UNIT}{RATE}的?$")
COUNTED_AFTER = re.compile(rf"{LEAD}{NUMBER}{UNIT}")
COUNTED_BEFORE = re.compile(rf"{NUMBER}{UNIT}的?$")
# What may stand between goods and the role word after them: the rest of a list, quantities, and
# a few characters more; but nothing that begins another deed.
_DEEDS = "建设|新建|改建|扩建|购置|购买|采购|安装|铺设|敷设|更换|用于|提供|配套|销售"
_DEED = rf"{_DEEDS}|[并为在向由给于供以]"
_WORD = rf"(?:(?!{_DEED})[^、和与及或兼/()，。；：:;\s])"
LINK = re.compile(
    rf"(?:(?:以及|[、和与及或兼/])(?!{_DEED}){_WORD}{{0,8}}|{NUMBER}{UNIT}(?:{RATE})?|\([^()]{{0,20}}\)"
    rf"|等|类|系列|\s)*(?!{_DEED}){_WORD}{{0,4}}"
)
# What a name says by its goods alone, where the text speaks of the deed: 莎车县真石漆项目.
OF_NAME = (Role.MADE, Role.MINED)
# How many characters away a role word still speaks of the goods.
NEAR, FAR = 24, 40


def roles(
    vocabulary: Vocabulary, found: Sequence[Mark], folded: str, name_end: int
) -> Iterator[tuple[Mark, Role]]:
    """Yield the unmuted goods of a text with their role, where it can be told.

    `found` are the marks of the text in their order, `name_end` is where the project's name ends.
    """
    is_resold = any(_speaks(vocabulary, mark, Role.TRADED) for mark in found)
    told: set[int] = set()
    untold: list[Mark] = []
    last: tuple[int, Role] | None = None
    for place, mark in enumerate(found):
        if mark[CUE] is not None or mark[ENTRY] not in vocabulary.goods:
            continue
        role = _role(vocabulary, found, place, folded)
        if role is None and last and _goes_on(folded, last[0], mark):
            role = last[1]
        if role is None:
            untold.append(mark)
            continue
        last = mark[END], role
        told.add(mark[ENTRY])
        yield mark, Role.TRADED if role is Role.BOUGHT and is_resold else role
    spoken = [role for role in OF_NAME if any(_speaks(vocabulary, mark, role) for mark in found)]
    for mark in untold:
        if mark[ENTRY] not in told:
            yield from ((mark, role) for role in spoken if mark[START] < name_end)
            yield mark, Role.NAMED


def _speaks(vocabulary: Vocabulary, mark: Mark, role: Role) -> bool:
    sides = vocabulary.sides.get(mark[ENTRY])
    if sides is None or mark[CUE] is not None:
        return False
    return role in (sides.get(Side.BEFORE), sides.get(Side.AFTER))


def _role(vocabulary: Vocabulary, found: Sequence[Mark], place: int, folded: str) -> Role | None:
    """The word right after decides, then the nearest one before, then a yearly quantity."""
    after = _after(vocabulary, found, place, folded, Side.AFTER)
    before = _before(vocabulary, found, place, folded)
    if after is not None and not (after is Role.TRADED and before is Role.MADE):
        return after
    if before is not None:
        return before
    mark = found[place]
    if RATED_AFTER.match(folded, mark[END]) or RATED_BEFORE.search(_head(folded, mark)):
        return Role.MADE
    return _after(vocabulary, found, place, folded, Side.WEAKLY_AFTER)


def _head(folded: str, mark: Mark) -> str:
    return folded[max(0, mark[START] - NEAR) : mark[START]]


def _after(
    vocabulary: Vocabulary, found: Sequence[Mark], place: int, folded: str, side: Side
) -> Role | None:
    end = found[place][END]
    for at in range(place + 1, len(found)):
        mark = found[at]
        between = folded[end : mark[START]]
        if len(between) > NEAR or mark[CUE] is not None or STOP.search(between):
            return None
        sides = vocabulary.sides.get(mark[ENTRY])
        if sides and side in sides:
            return sides[side] if LINK.fullmatch(between) else None
    return None


def _before(vocabulary: Vocabulary, found: Sequence[Mark], place: int, folded: str) -> Role | None:
    start = found[place][START]
    for at in range(place - 1, -1, -1):
        mark = found[at]
        between = folded[mark[END] : start]
        if len(between) > FAR or STOP.search(between):
            return None
        sides = vocabulary.sides.get(mark[ENTRY])
        if sides and Side.BEFORE in sides and mark[CUE] is None:
            return sides[Side.BEFORE]
    return None


def _goes_on(folded: str, end: int, mark: Mark) -> bool:
    """Whether counted goods go on with a list: 年产变压器500台，开关柜1000面."""
    if SENTENCE.search(folded, end, mark[START]) or mark[START] - end > FAR:
        return False
    is_counted = COUNTED_AFTER.match(folded, mark[END]) or COUNTED_BEFORE.search(
        _head(folded, mark)
    )
    return bool(is_counted)
