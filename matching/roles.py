"""What a text does with the goods it names: makes, mines, trades, moves or merely uses them.

电缆 alone says little: 年产电缆3000公里 makes it, 敷设电缆 uses it, 电缆批发 trades it. The role
words of the vocabulary stand before their goods (生产…, 采购…) or after them (…生产线, …批发);
goods listed together (乳胶漆、腻子和真石漆生产线) share a role; a yearly quantity (涂料8000吨/年)
says made.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from matching.cues import END, ENTRY, START, Hits, Muted
from matching.vocabulary import Role, Side, Vocabulary

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
# What begins another deed between a role word and goods after it: 主产乡建冷库、购冷藏车.
BREAK = re.compile(r"建(?!材|筑)|购|租|用于|同时|另|供应|给")
# How many characters away a role word still speaks of the goods.
NEAR, FAR = 24, 40


@dataclass(slots=True)  # not frozen: one is made for every project, and that costs
class Text:
    """A folded text with what was found in it; `name_end` is where the project's name ends."""

    vocabulary: Vocabulary
    folded: str
    hits: Hits
    muted: Muted
    name_end: int

    def head(self, place: int) -> str:
        """Return what stands right before a hit."""
        start = self.hits[place][START]
        return self.folded[max(0, start - NEAR) : start]

    def speaks(self, role: Role) -> bool:
        """Whether the text has a word of a role at all."""
        sides = self.vocabulary.sides
        return any(
            role in sides[hit[ENTRY]].get(side, ())
            for place, hit in enumerate(self.hits)
            if hit[ENTRY] in sides and place not in self.muted
            for side in (Side.BEFORE, Side.AFTER)
        )

    def fitting(self, place: int, offered: tuple[Role, ...]) -> Role:
        """Return the role that goods have a meaning in, where a word gives several: 销售."""
        stated = self.vocabulary.goods[self.hits[place][ENTRY]]
        return next((role for role in offered if role in stated), offered[0])


def roles(text: Text) -> Iterator[tuple[int, Role]]:
    """Yield the unmuted goods of a text, by their place among the hits, with their role."""
    told: set[int] = set()
    untold: list[int] = []
    last: tuple[int, Role] | None = None
    for place, hit in enumerate(text.hits):
        if hit[ENTRY] not in text.vocabulary.goods or place in text.muted:
            continue
        role = _role(text, place)
        if role is None and last and _goes_on(text, last[0], place):
            role = last[1]
        if role is None:
            untold.append(place)
            continue
        last = place, role
        told.add(hit[ENTRY])
        # 采购动力煤，转卖给供热站: what is bought to be sold on is traded.
        is_resold = role is Role.BOUGHT and text.speaks(Role.TRADED)
        yield place, Role.TRADED if is_resold else role
    yield from _of_untold(text, [place for place in untold if text.hits[place][ENTRY] not in told])


def _of_untold(text: Text, untold: list[int]) -> Iterator[tuple[int, Role]]:
    """Goods beside which nothing tells are named; in the project's name they say what it does."""
    in_name = [place for place in untold if text.hits[place][START] < text.name_end]
    for role in OF_NAME if in_name else ():
        if text.speaks(role):
            yield from ((place, role) for place in in_name)
    yield from ((place, Role.NAMED) for place in untold)


def _role(text: Text, place: int) -> Role | None:
    """The word right after decides, then the nearest one before, then a yearly quantity."""
    after = _after(text, place, Side.AFTER)
    before = _before(text, place)
    if after is not None and not (after is Role.TRADED and before is Role.MADE):
        return after
    if before is not None:
        return before
    end = text.hits[place][END]
    if RATED_AFTER.match(text.folded, end) or RATED_BEFORE.search(text.head(place)):
        return Role.MADE
    return _after(text, place, Side.WEAKLY_AFTER)


def _after(text: Text, place: int, side: Side) -> Role | None:
    end = text.hits[place][END]
    for at in range(place + 1, len(text.hits)):
        entry, start, _ = text.hits[at]
        between = text.folded[end:start]
        if len(between) > NEAR or at in text.muted or STOP.search(between):
            return None
        sides = text.vocabulary.sides.get(entry)
        if sides and side in sides:
            return text.fitting(place, sides[side]) if LINK.fullmatch(between) else None
    return None


def _before(text: Text, place: int) -> Role | None:
    start = text.hits[place][START]
    for at in range(place - 1, -1, -1):
        entry, _, end = text.hits[at]
        between = text.folded[end:start]
        if len(between) > FAR or STOP.search(between) or BREAK.search(between):
            return None
        sides = text.vocabulary.sides.get(entry)
        if sides and Side.BEFORE in sides and at not in text.muted:
            return text.fitting(place, sides[Side.BEFORE])
    return None


def _goes_on(text: Text, last: int, place: int) -> bool:
    """Whether counted goods go on with a list: 年产变压器500台，开关柜1000面."""
    end, (_, start, here) = text.hits[last][END], text.hits[place]
    if start - end > FAR or SENTENCE.search(text.folded, end, start):
        return False
    is_counted = COUNTED_AFTER.match(text.folded, here) or COUNTED_BEFORE.search(text.head(place))
    return bool(is_counted)
