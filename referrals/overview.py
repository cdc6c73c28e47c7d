"""Who has reported for which month: a bank's own months, and all institutions side by side."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import Min

from common.months import local_today, month_of, next_month, previous_month
from institutions.models import Institution
from referrals.models import MonthlyReturn

MONTHS_SHOWN = 13
MONTHS_SIDE_BY_SIDE = 6


@dataclass(frozen=True)
class State:
    """Word, tone and icon of a state of reporting."""

    word: str
    tone: str
    icon: str


MOVED = State("已报", "green", "circle-check")
NIL = State("零报告", "grey", "circle-minus")
NONE = State("未报送", "red", "clock")
# The month still runs: nobody can have missed it.
RUNNING = State("本月", "grey", "clock")
# Before the first return of anybody: nothing was asked for.
BEFORE = State("—", "", "")


@dataclass
class MonthCell:
    """One institution's month: everything it sent, oldest first."""

    institution: Institution
    month: date
    # The first month anybody reported for; None while nobody has.
    began: date | None
    returns: list[MonthlyReturn] = field(default_factory=list)

    @property
    def state(self) -> State:
        """Whether it reported; a nil return beside another one says nothing more."""
        if self.returns:
            return NIL if all(one.is_nil for one in self.returns) else MOVED
        if self.month >= month_of(local_today()):
            return RUNNING
        return NONE if self.began and self.month >= self.began else BEFORE

    @property
    def is_missing(self) -> bool:
        """Whether the institution still owes the month."""
        return self.state == NONE

    @property
    def latest(self) -> MonthlyReturn | None:
        """What was received last."""
        return self.returns[-1] if self.returns else None


def last_months(until: date, count: int) -> list[date]:
    """Return months up to one, the latest first."""
    months = [until.replace(day=1)]
    while len(months) < count:
        months.append(previous_month(months[-1]))
    return months


def months_of(institution: Institution, until: date, user: Any) -> list[MonthCell]:
    """The months of one institution, the latest first; none from before reporting began."""
    months = last_months(until, MONTHS_SHOWN)
    cells = _cells([institution], months, user)
    return [cell for month in months if (cell := cells[institution.pk, month]).state != BEFORE]


def side_by_side(
    institutions: Iterable[Institution], until: date, user: Any
) -> tuple[list[date], list[tuple[Institution, list[MonthCell]]]]:
    """Some months of many institutions: the months, oldest first, and a row an institution.

    What a branch sends stands with its parent.
    """
    heads = list(institutions)
    months = last_months(until, MONTHS_SIDE_BY_SIDE)[::-1]
    cells = _cells(heads, months, user)
    return months, [(one, [cells[one.pk, month] for month in months]) for one in heads]


def count_states(cells: Iterable[MonthCell]) -> dict[str, int]:
    """Count who reported something, nothing, or not at all."""
    words = Counter(cell.state.word for cell in cells)
    silent = words.total() - words[MOVED.word] - words[NIL.word]
    return {"moved": words[MOVED.word], "nil": words[NIL.word], "silent": silent}


def month_to_show(user: Any, institution: Institution | None = None) -> date:
    """The latest month to show: this one, or, where nothing recent is known, the last reported."""
    today = month_of(local_today())
    known = MonthlyReturn.objects.visible_to(user)
    if institution:
        known = known.filter(institution=institution)
    latest = known.order_by("-month").values_list("month", flat=True).first()
    oldest_shown = last_months(today, MONTHS_SIDE_BY_SIDE)[-1]
    return next_month(latest) if latest and latest < oldest_shown else today


def month_to_report(cells: Sequence[MonthCell], until: date) -> date:
    """The month to propose: the oldest that is missing, else the last that has ended."""
    ended = min(until, previous_month(month_of(local_today())))
    return min((cell.month for cell in cells if cell.is_missing), default=ended)


def _cells(
    institutions: Sequence[Institution], months: Sequence[date], user: Any
) -> dict[tuple[int, date], MonthCell]:
    # No row of anybody is shown by it, only when reporting began.
    began = MonthlyReturn.objects.aggregate(first=Min("month"))["first"]
    sent: dict[tuple[int, date], list[MonthlyReturn]] = defaultdict(list)
    returns = (
        MonthlyReturn.objects.visible_to(user)
        .filter(month__in=months)
        .select_related("institution", "source", "received_by")
        .order_by("received_at", "pk")
    )
    for one in returns:
        head = one.institution.parent_id or one.institution_id
        for owner in {head, one.institution_id}:
            sent[owner, one.month].append(one)
    return {
        (one.pk, month): MonthCell(one, month, began, sent[one.pk, month])
        for one in institutions
        for month in months
    }
