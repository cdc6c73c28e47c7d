"""What stands above the table: 填报单位, 报送月份, 零报告."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from common.names import clean_text

_WORDS = r"(?:填报|报送|填表|上报|编制)(?:单位|机构)(?:[（(][^）)]*[）)])?"
# A name runs up to the next label, or to the end of its cell.
_NEXT = r"\s*\w{0,2}(?:月份|日期|时间|人|电话|期|单位)\s*[:：]|[\s（(]*(?:本月)?零报告|$"
_REPORTER = re.compile(rf"{_WORDS}[:：\s]\s*(?P<name>.+?)(?={_NEXT})")
_MONTH = re.compile(
    r"(?:(?:报送|填报|所属|报告|统计)?月份|(?:所属|报告|统计)期)[:：]\s*"
    r"(?P<year>(?:19|20)\d\d)\s*[年./-]\s*(?P<month>1[0-2]|0?[1-9])(?!\d)"
)
# A word of its own: a note such as 无进展请填零报告 is no nil return.
_NIL = re.compile(r"(?:^|[\s：:；;，,（(])(?:本月)?零报告(?:[：:]?是)?(?=$|[\s。；;，,）)])")
_ENDS_IN_LABEL = re.compile(rf"[:：]$|^{_WORDS}$")


@dataclass(frozen=True)
class Heading:
    """Who reports, for which month, and whether it says that nothing moved."""

    reporter: str = ""
    month: date | None = None
    is_nil: bool = False


def read_heading(texts: Iterable[str]) -> Heading:
    """Read the texts above the header; a label and its value may stand in two cells."""
    lines = _joined(texts)
    reporter = _first(_REPORTER, lines)
    month = _first(_MONTH, lines)
    return Heading(
        reporter=reporter["name"].strip(" ，,；;。（(") if reporter else "",
        month=date(int(month["year"]), int(month["month"]), 1) if month else None,
        is_nil=any(_NIL.search(line) for line in lines),
    )


def _joined(texts: Iterable[str]) -> list[str]:
    lines: list[str] = []
    for text in map(clean_text, texts):
        if lines and _ENDS_IN_LABEL.search(lines[-1]):
            lines[-1] += f" {text}"
        else:
            lines.append(text)
    return lines


def _first(pattern: re.Pattern[str], lines: list[str]) -> re.Match[str] | None:
    return next((match for line in lines if (match := pattern.search(line))), None)
