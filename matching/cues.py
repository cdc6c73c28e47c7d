"""Which words of a text a cue takes the meaning from: 不涉及…, 毗邻…, 供应…, 原…厂房, …除外."""

import re
from collections.abc import Sequence

from matching.vocabulary import BEFORE, Cue, Vocabulary

# The terms found in a text, left to right: (entry of the vocabulary, start, end).
Hits = Sequence[tuple[int, int, int]]
# Place among the hits → the cue that takes its meaning away.
Muted = dict[int, Cue]
Spans = list[tuple[int, int, Cue]]
ENTRY, START, END = range(3)

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
    r"([^，,。；;！!？?：:\n()]{1,20}?)(?:(?<=[厂司业户社店站商区位院校])提供|提供(?!到站|卸|装卸|仓储|寄存|堆存|配送|运输|中转|储存)|配套|供应|供货|供给|服务|输送|代工|开发(?!区)|研发|运输|做|送货|储存|存放|存储)"
)
# 原棉麻公司酒店改造为…, 老水泥厂家属院: what stands between is gone.
FORMER = re.compile(
    r"(?:(?<![平草高中还太荒复湿塬川州])原|(?<![古养敬助])老|(?<![陈新复怀])旧|闲置|废弃|遗留)"
    r"(?![料种则始奶药煤油木粮矿材生浆创板旧城街人年区化师牌字乡品物金])"
    r"([^，,。；;！!？?：:\n()]{1,20}?)"
    r"(?:改造|改建|改为|改成|拆除|转型|片区|家属院|旧址|遗址|旧厂房|老厂房|厂房|厂址|厂区|院子|大院|旧车间|老车间|一带|改|生态治理|生态恢复|生态修复|综合治理|治理|修复|整治|复垦|复绿)"
)
# 从外县水泥厂买进…: what stands between is where things come from.
FROM = re.compile(
    r"从(?!事|而|业|此|未|今|小|重|严|优)([^，,。；;！!？?：:\n()]{1,20}?)(?:[买购采进收运拉调接取拿租引借]|进口)"
)
# 在商业街开店: what stands between is where it is done.
AT = re.compile(
    r"在(?!建|线|校|职|册|岗|押|于|这|此|原|现)([^，,。；;！!？?：:\n()]{1,14}?)"
    r"(?:开[设店办]|经营|租[了用赁下]|卖|摆摊|有[一两二三四五六七八九十\d])"
)
# 与丝绸厂签了收茧合同: what stands between is the other party.
PARTY = re.compile(r"与([^，,。；;！!？?：:\n()]{1,20}?(?:厂|公司|企业|集团))(?:签|订|合作)")
SIGNS = (
    *((sign, SERVED, Cue.SERVES) for sign in "为向给"),
    *((sign, FORMER, Cue.REPLACES) for sign in "原老旧闲废遗"),
    ("与", PARTY, Cue.SERVES),
    ("从", FROM, Cue.SERVES),
    ("在", AT, Cue.PLACES),
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
# 均不涉及, 禁用农药一律不卖, 造纸厂早年关停.
TAIL = {Cue.NEGATES: 1, Cue.REPLACES: 2}
# A cue after a word reaches back over this many characters.
REACH_BACK = 2
# 不 by itself reaches over the words right after it: 不炼钢, 不开盐矿.
REACH_OF_NOT = 8


def muted(vocabulary: Vocabulary, folded: str, hits: Hits, name_end: int = 0) -> Muted:
    """Return which hits of a folded text a cue mutes.

    `name_end` is where the project's name ends, if the text begins with it.
    """
    spans, cues = _spans(folded), vocabulary.cues
    found: Muted = {}
    if not spans and cues.keys().isdisjoint([hit[ENTRY] for hit in hits]):
        return found
    kept = vocabulary.kept
    until, why = -1, None
    for place, (number, start, end) in enumerate(hits):
        cue = cues.get(number)
        if cue is None:
            here = why if start < until else _within(spans, start)
            if here is not None and here not in kept.get(number, ()):
                found[place] = here
        elif cue in BEFORE:
            _look_back(vocabulary, found, folded, hits, place, cue)
        elif cue is not Cue.ADDS or not _stands_alone(folded, start, name_end, spans):
            reach = _reach(folded, end, cue)
            if end - start == 1:
                reach = min(reach, end + REACH_OF_NOT)
            if reach - end <= TAIL.get(cue, -1):
                _look_back(vocabulary, found, folded, hits, place, cue)
            if reach > until or (reach == until and why is not Cue.NEGATES):
                until, why = reach, cue
    return found


def _within(spans: Spans, start: int) -> Cue | None:
    return next((cue for begin, end, cue in spans if begin <= start < end), None)


def _spans(folded: str) -> Spans:
    """Return the places that name customers or what goes away, by what stands on both sides."""
    found: Spans = []
    for sign, pattern, cue in SIGNS:
        at = folded.find(sign)
        while at >= 0:
            if match := pattern.match(folded, at):
                found.append((*match.span(1), cue))
            at = folded.find(sign, at + 1)
    return found


def _stands_alone(folded: str, start: int, name_end: int, spans: Spans) -> bool:
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
    vocabulary: Vocabulary, found: Muted, folded: str, hits: Hits, place: int, cue: Cue
) -> None:
    """Mute what stands before a cue: the clause before 除外 or 均不涉及, the word before 旁."""
    whole, first = cue in WHOLE, hits[place][START]
    reach = first
    for at in range(place - 1, -1, -1):
        number, start, end = hits[at]
        if number in vocabulary.cues:
            continue
        between = folded[end:reach]
        if BACK_TO.search(between):
            return
        if not whole and (
            len(between) > REACH_BACK if reach == first else between not in "、和及与"
        ):
            return
        reach = start
        if at not in found and FAMILY.get(cue, cue) not in vocabulary.kept.get(number, ()):
            found[at] = cue
