"""Names as people write them, reduced to what tells two of them apart."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

_BLANKS = re.compile(r"\s+")
_UNSEEN = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")
_BRACKETS = str.maketrans("〔［【〖「『{[〕］】〗」』}]", "(" * 8 + ")" * 8)

Thing = TypeVar("Thing")


def clean_text(text: object) -> str:
    """The text without invisible characters; runs of blanks and line breaks become one blank."""
    if text is None:
        return ""
    return _BLANKS.sub(" ", _UNSEEN.sub("", str(text))).strip()


def name_key(text: object) -> str:
    """The key two writings of one name share: NFKC, no blanks, one kind of bracket, lower case."""
    folded = unicodedata.normalize("NFKC", clean_text(text))
    return _BLANKS.sub("", folded).translate(_BRACKETS).lower()


class NameIndex(Generic[Thing]):
    """Things found by any of their names; a name that two of them bear leads to neither."""

    def __init__(
        self, named: Iterable[tuple[str, Thing]], *, key: Callable[[object], str] = name_key
    ) -> None:
        self._key = key
        self._things: dict[str, Thing | None] = {}
        for name, thing in named:
            known = self._things.setdefault(key(name), thing)
            if known != thing:
                self._things[key(name)] = None
        self._things.pop("", None)

    def find(self, text: object) -> Thing | None:
        """The thing with that name; None when there is none or more than one."""
        return self._things.get(self._key(text))
