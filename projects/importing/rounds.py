"""From which month a round counts, where its name says so."""

import re
import unicodedata
from datetime import date

_MONTH = re.compile(r"(?<!\d)(20\d\d)(?:年|[-./])(0?[1-9]|1[0-2])(?!\d)")
_PACKED = re.compile(r"(?<!\d)(20\d\d)(0[1-9]|1[0-2])(?!\d)")
_QUARTER = re.compile(r"(?<!\d)(20\d\d)年?(?:第?([一二三四1-4])季度?|[-.]?[qQ]([1-4]))")
_HALF = re.compile(r"(?<!\d)(20\d\d)年?(上|下)半年")
_FIRST_MONTHS = {"一": 1, "二": 4, "三": 7, "四": 10, "1": 1, "2": 4, "3": 7, "4": 10}


def month_named_in(name: str) -> date | None:
    """Return the first day of the month, quarter or half-year a name states; None for none."""
    text = re.sub(r"\s+", "", unicodedata.normalize("NFKC", name))
    if match := _MONTH.search(text) or _PACKED.search(text):
        return date(int(match[1]), int(match[2]), 1)
    if match := _QUARTER.search(text):
        return date(int(match[1]), _FIRST_MONTHS[match[2] or match[3]], 1)
    if match := _HALF.search(text):
        return date(int(match[1]), 1 if match[2] == "上" else 7, 1)
    return None
