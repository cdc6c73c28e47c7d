"""The project's own text with the words marked that a clause goes by."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from matching.types import Effect
from projects.models import Project

# Field of the facts → its label, in the order in which they are read.
LABELS = {
    "name": "项目名称",
    "content": "建设内容及规模",
    "purpose": "融资用途",
    "borrower": "项目单位",
    "sector": "所属行业",
    "ownership": "企业性质",
    "nature": "建设性质",
}
# Fields that were read by their value; what a run saw of them is shown as it was then.
VALUES = {
    "categories": "项目类别",
    "county": "县市",
    "demand_wan": "融资需求",
    "term_months": "期限",
}
ALWAYS = frozenset({"name", "content", "purpose"})
TONES = {Effect.SUPPORTS: "green", Effect.RESTRICTS: "amber", Effect.EXCLUDES: "red"}
# Where two clauses go by the same words, the stronger one colours them.
RANK = ("", "green", "amber", "red")
# A text longer than LONG leaves out what is far from every mark.
LONG, KEPT = 800, 80
# One character stands in too many words to point at anything in a clause.
SHORTEST = 2

Mark = tuple[int, int, str]


@dataclass(frozen=True)
class Piece:
    """A part of a text; without a tone nothing in it was found."""

    text: str
    tone: str = ""


@dataclass(frozen=True)
class MarkedText:
    """One field of a project in pieces."""

    label: str
    pieces: list[Piece]


def marked_texts(project: Project, reasons: Iterable[dict[str, Any]]) -> list[MarkedText]:
    """Return what the project says of itself, with the evidence of some reasons marked."""
    reasons = list(reasons)
    found = []
    for field, text in texts_of(project).items():
        marks = [mark for reason in reasons for mark in _marks(reason, field, text)]
        if text and (marks or field in ALWAYS):
            pieces = _shortened(_pieces(text, marks))
            if field == "sector":
                pieces.append(Piece(f"（{project.sector.name}）"))
            found.append(MarkedText(LABELS[field], pieces))
    return [*found, *_values(reasons)]


def _values(reasons: Iterable[dict[str, Any]]) -> Iterator[MarkedText]:
    """The fields that decided by their value, each value coloured by the strongest clause."""
    tones: dict[str, dict[str, str]] = {field: {} for field in VALUES}
    for reason in reasons:
        tone = TONES[Effect(reason["effect"])]
        for span in reason.get("spans", ()):
            if span["field"] in tones:
                held = tones[span["field"]]
                held[span["text"]] = max(tone, held.get(span["text"], ""), key=RANK.index)
    for field, held in tones.items():
        if held:
            marked = [[Piece("、"), Piece(text, tone)] for text, tone in held.items()]
            yield MarkedText(VALUES[field], [piece for pair in marked for piece in pair][1:])


def marked_clause(text: str, reason: dict[str, Any]) -> list[Piece]:
    """Return wording of a clause with the words marked that stand in the project's text too."""
    tone = TONES[Effect(reason["effect"])]
    words = {word for word in reason["evidence"] if len(word) >= SHORTEST}
    return _pieces(text, [mark for word in words for mark in _found(text, word, tone)])


def texts_of(project: Project) -> dict[str, str]:
    """Return the fields that evidence can stand in, as the engine read them."""
    return {
        "name": project.name,
        "content": project.content,
        "purpose": project.purpose,
        "borrower": project.borrower,
        "sector": project.sector_id,
        "ownership": project.get_ownership_display() if project.ownership else "",
        "nature": project.get_nature_display() if project.nature else "",
    }


def _marks(reason: dict[str, Any], field: str, text: str) -> Iterator[Mark]:
    """By position; where the text has changed since or no position was kept, by the words."""
    tone = TONES[Effect(reason["effect"])]
    stale = set() if "spans" in reason else set(reason["evidence"])
    for span in reason.get("spans", ()):
        if span["field"] != field:
            continue
        if text[span["start"] : span["end"]] == span["text"]:
            yield span["start"], span["end"], tone
        else:
            stale.add(span["text"])
    for word in sorted(stale - {""}):
        yield from _found(text, word, tone)


def _found(text: str, word: str, tone: str) -> Iterator[Mark]:
    at = text.find(word)
    while at >= 0:
        yield at, at + len(word), tone
        at = text.find(word, at + len(word))


def _pieces(text: str, marks: list[Mark]) -> list[Piece]:
    edges = sorted({0, len(text), *(edge for start, end, _ in marks for edge in (start, end))})
    pieces: list[Piece] = []
    for start, end in zip(edges, edges[1:], strict=False):
        tones = [tone for first, last, tone in marks if first <= start and end <= last]
        tone = max(tones, key=RANK.index, default="")
        if pieces and pieces[-1].tone == tone:
            pieces[-1] = Piece(pieces[-1].text + text[start:end], tone)
        else:
            pieces.append(Piece(text[start:end], tone))
    return pieces


def _shortened(pieces: list[Piece]) -> list[Piece]:
    if sum(len(piece.text) for piece in pieces) <= LONG:
        return pieces
    return [_kept(piece) for piece in pieces]


def _kept(piece: Piece) -> Piece:
    if piece.tone or len(piece.text) <= 2 * KEPT:
        return piece
    return Piece(f"{piece.text[:KEPT]} …… {piece.text[-KEPT:]}")
