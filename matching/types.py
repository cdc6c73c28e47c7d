"""What goes into a match and what comes out of it."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum, StrEnum


class Truth(IntEnum):
    """Three values; unknown is a question for a person, never a no (interfaces.md 5)."""

    FALSE = 0
    UNKNOWN = 1
    TRUE = 2


class Polarity(StrEnum):
    """Which of an institution's lists a clause stands in."""

    POSITIVE = "positive"
    NEGATIVE = "negative"


class Strength(StrEnum):
    """How a negative clause binds: hard excludes, soft and case by case restrict."""

    HARD = "hard"
    SOFT = "soft"
    CASE_BY_CASE = "case_by_case"


class Verdict(StrEnum):
    """What the lists of an institution say of a project."""

    EXCLUDED = "excluded"
    RESTRICTED = "restricted"
    SUPPORTED = "supported"
    NEUTRAL = "neutral"


class Effect(StrEnum):
    """What a reason does to the verdict."""

    SUPPORTS = "supports"
    EXCLUDES = "excludes"
    RESTRICTS = "restricts"


@dataclass(frozen=True, slots=True)
class ProjectFacts:
    """A project as the engine sees it; an empty text, None or () means unknown, never "no"."""

    id: str
    name: str = ""
    borrower: str = ""
    ownership: str = ""
    county: str = ""
    sector: str = ""
    categories: tuple[str, ...] = ()
    content: str = ""
    nature: str = ""
    purpose: str = ""
    demand_wan: Decimal | None = None
    term_months: int | None = None
    guarantees: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """Where in the project's own text something was found."""

    field: str
    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Reason:
    """A clause that applies, with the project's own words that show it."""

    list: str
    clause: str
    effect: Effect
    evidence: tuple[Span, ...]
    text: str
    specificity: int = 0


@dataclass(frozen=True)
class Question:
    """What a person has to check before a clause can be decided."""

    clause: str
    question: str


@dataclass(frozen=True)
class Match:
    """What one institution's lists say of one project."""

    institution: str
    verdict: Verdict
    score: int
    reasons: tuple[Reason, ...]
    to_check: tuple[Question, ...]
    score_parts: dict[str, int] = field(default_factory=dict)
