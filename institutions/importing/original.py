"""Reads a document laid out like the published lists of the prefecture.

For each institution a heading, then 正面清单 and 负面清单, each with entries （一） or 一、.
Lines are wrapped, pages have numbers, and an index may follow that repeats the headings. The
regulators' parts hold whole documents (◎) instead of entries.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from common.errors import InvalidInput

LIST_HEADING = re.compile(r"[（(]?(正面|负面)清单[）)]?")
PAGE_NUMBER = re.compile(r"\d{1,4}|[-—–]\s*\d{1,4}\s*[-—–]")
NUMBERED = re.compile(r"(?:[（(]([一二三四五六七八九十]+)[）)]|([一二三四五六七八九十]+)、)")
NOTE = re.compile(r"注[：:]")
DOCUMENT = "◎"
# A number such as 银保监办发〔2022〕64号, right behind the last word of the title.
DOC_NO = re.compile(r"(?<=[知见法案])[一-鿿]{1,8}[〔\[（(]\d{4}[〕\]）)]\s*\d+\s*号")
INDEX_LINE = re.compile(r"\s*\t")
DIGITS = "一二三四五六七八九"


@dataclass
class Entry:
    """One numbered entry as it stands in the original; `number` is empty for notes and prefaces."""

    number: str
    lines: list[str]
    first_line: int

    @property
    def text(self) -> str:
        """The wording, with the wrapping of lines undone."""
        return "".join(self.lines)


@dataclass
class Document:
    """A document that a regulator lists instead of entries."""

    title: str
    doc_no: str = ""


@dataclass
class Section:
    """What stands under one heading."""

    name: str
    positive: list[Entry] = field(default_factory=list)
    negative: list[Entry] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """`regulator` where documents stand instead of entries."""
        return "regulator" if self.documents else "institution"

    def numbered(self, polarity: str) -> list[Entry]:
        """The entries of a list that have a number."""
        entries: list[Entry] = getattr(self, polarity)
        return [entry for entry in entries if entry.number]


Line = tuple[int, str]


def read_original(text: str) -> list[Section]:
    """Return the sections of a document. Raises InvalidInput where it has not that form."""
    lines = [(n, line) for n, line in _body(text) if line and not PAGE_NUMBER.fullmatch(line)]
    starts = [place for place, (_, line) in enumerate(lines) if _list_kind(line) == "正面"]
    if not starts:
        raise InvalidInput("文件里没有找到“正面清单”标题，不是各机构清单的版式，没有导入。")
    if starts[0] == 0:
        raise InvalidInput("第一个“正面清单”之前没有机构名称，不是各机构清单的版式，没有导入。")
    sections = []
    for place, start in enumerate(starts):
        heading = lines[:start] if place == 0 else lines[start - 1 : start]
        stop = starts[place + 1] - 1 if place + 1 < len(starts) else len(lines)
        sections.append(_section("".join(line for _, line in heading), lines[start:stop]))
    _check(sections)
    return sections


def _body(text: str) -> Iterator[Line]:
    """The lines without the index that may follow the text."""
    lines = text.splitlines()
    end = len(lines)
    while end and (not lines[end - 1].strip() or INDEX_LINE.match(lines[end - 1])):
        end -= 1
    for number, line in enumerate(lines[:end], start=1):
        yield number, line.strip().strip("\ufeff")


def _list_kind(line: str) -> str | None:
    match = LIST_HEADING.fullmatch(line)
    return match[1] if match else None


def _section(name: str, lines: list[Line]) -> Section:
    section = Section(name.strip())
    split = next((i for i, (_, line) in enumerate(lines) if _list_kind(line) == "负面"), len(lines))
    positive = lines[1:split]
    if any(line.startswith(DOCUMENT) for _, line in positive):
        section.documents = list(_documents(positive))
        return section
    section.positive = _entries(positive)
    section.negative = _entries(lines[split + 1 :])
    return section


def _entries(lines: list[Line]) -> list[Entry]:
    """Cut lines into entries at the next number of the outermost kind of numbering."""
    entries: list[Entry] = []
    style, expected = "", 1
    for number, line in lines:
        match = NUMBERED.match(line)
        found = _style(match) if match else ""
        if match and (not style or found == style) and _value(match) == expected:
            style, expected = found, expected + 1
            entries.append(Entry(_printed(match), [line], number))
        elif NOTE.match(line) or not entries:
            entries.append(Entry("", [line], number))
        else:
            entries[-1].lines.append(line)
    return entries


def _style(match: re.Match[str]) -> str:
    return "（）" if match[1] else "、"


def _value(match: re.Match[str]) -> int:
    """一 → 1, 十 → 10, 三十九 → 39."""
    tens, ten, ones = (match[1] or match[2]).rpartition("十")
    base = (DIGITS.index(tens) + 1 if tens else 1) * 10 if ten else 0
    return base + (DIGITS.index(ones) + 1 if ones else 0)


def _printed(match: re.Match[str]) -> str:
    return f"（{match[1]}）" if match[1] else f"{match[2]}、"


def _documents(lines: list[Line]) -> Iterator[Document]:
    """The titles after ◎; a title is wrapped until a document number or an unfinished line ends."""
    place = 0
    while place < len(lines):
        line = lines[place][1]
        place += 1
        if not line.startswith(DOCUMENT):
            continue
        title = line[1:]
        while place < len(lines) and not _is_complete(title):
            title += lines[place][1]
            place += 1
        number = DOC_NO.search(title)
        if number is None:
            yield Document(title)
            continue
        yield Document(title[: number.start()], "".join(number[0].split()))


def _is_complete(title: str) -> bool:
    return bool(DOC_NO.search(title)) or title.endswith(("通知", "意见", "办法", "方案", "》"))


def _check(sections: list[Section]) -> None:
    if not any(section.numbered("positive") for section in sections):
        raise InvalidInput("“正面清单”下没有编号条目，不是各机构清单的版式，没有导入。")
