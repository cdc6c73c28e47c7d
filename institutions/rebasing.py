"""Proposals that another edition overtook: what of them still fits the edition in force."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from accounts.choices import Role
from common import audit
from common.errors import IllegalMove, NotAllowed
from common.months import local_today
from institutions.choices import OPEN, EditionStatus
from institutions.editions import Key, copied, differences, in_force, locked, put_in_force
from institutions.models import Clause, ListEdition

# What changes of a proposal itself, besides its clauses.
REDRAWN = ("based_on", "effective_from", "status", "confirmed_by")


@dataclass(frozen=True)
class Clash:
    """A clause that both the proposal and the edition in force changed, each in its own way.

    A side without the clause is None.
    """

    base: Clause | None
    held: Clause | None
    proposed: Clause | None

    @property
    def clause(self) -> Clause:
        """The clause by any side that has it."""
        return next(each for each in (self.held, self.proposed, self.base) if each)

    def differs_in(self, name: str) -> bool:
        """Whether a field is not the same on all sides."""
        sides = [each for each in (self.base, self.held, self.proposed) if each]
        return any(getattr(each, name) != getattr(sides[0], name) for each in sides)


@dataclass(frozen=True)
class Rebase:
    """What becomes of an overtaken proposal on the edition in force.

    `changes` are of clauses that edition left alone; what it says already is in neither.
    """

    held: ListEdition
    changes: dict[Key, dict[str, Any]]
    clashes: list[Clash]

    @property
    def is_possible(self) -> bool:
        """Whether the proposal can be accepted without undoing anything."""
        return bool(self.changes) and not self.clashes

    @property
    def obstacle(self) -> str:
        """Why not, in a sentence; empty where it can."""
        if self.clashes:
            places = "、".join(
                f"{each.clause.get_polarity_display()}{each.clause.number}" for each in self.clashes
            )
            return (
                f"现行版本“{self.held.name}”也改了{places}，改法不同，采纳会把它改回去；"
                "只能不采纳，或由机构按现行版本重新提出。"
            )
        if not self.changes:
            return f"现行版本“{self.held.name}”已经是这样写的，不用再采纳。"
        return ""


def is_overtaken(edition: ListEdition, held: ListEdition) -> bool:
    """Whether another edition has come into force since an open one was drafted."""
    return edition.status in OPEN and edition.based_on_id not in (None, held.pk)


def rebase_of(edition: ListEdition, held: ListEdition) -> Rebase:
    """Say what of an overtaken proposal still fits. Writes nothing."""
    base = edition.based_on or held
    touched = {row["key"] for row in differences(base, held)}
    holding = {(c.polarity, c.number): c for c in held.clauses.all()}
    rebase = Rebase(held, {}, [])
    for row in differences(base, edition):
        now = holding.get(row["key"])
        if _says_already(now, row):
            continue
        if row["key"] in touched or not (row["before"] and row["after"]):
            rebase.clashes.append(Clash(row["before"], now, row["after"]))
        else:
            rebase.changes[row["key"]] = {f: getattr(row["after"], f) for f in row["fields"]}
    return rebase


@transaction.atomic
def accept_rebased(*, edition: ListEdition, onto_id: int | None, by: Any) -> ListEdition:
    """Draw an overtaken proposal up anew from the edition in force, and accept it for its day.

    `onto_id`: the edition in force that was looked at. Raises NotAllowed, and IllegalMove where
    yet another one holds by now, both changed a clause, or another edition waits already; then
    nothing is saved.
    """
    if by.role not in (Role.BUREAU, Role.SYSTEM):
        raise NotAllowed("只有财政局可以让清单版本生效。")
    edition = locked(edition)
    if edition.status not in OPEN:
        raise IllegalMove(f"“{edition.name}”现在是“{edition.get_status_display()}”，不能再生效。")
    held = in_force(edition.institution)
    if held.pk != onto_id or not is_overtaken(edition, held):
        raise IllegalMove(f"现行版本是“{held.name}”，与您看到的不同，请刷新后再决定。")
    rebase = rebase_of(edition, held)
    if not rebase.is_possible:
        raise IllegalMove(rebase.obstacle)
    _draw_up_anew(edition, rebase, by)
    return put_in_force(edition=edition, by=by)


def _draw_up_anew(edition: ListEdition, rebase: Rebase, by: Any) -> None:
    before = {name: getattr(edition, name) for name in REDRAWN}
    edition.clauses.all().delete()
    held = rebase.held.clauses.order_by("position")
    Clause.objects.bulk_create([copied(each, edition, rebase.changes) for each in held])
    edition.based_on = rebase.held
    # Not earlier: until today the edition in force held alone.
    edition.effective_from = max(edition.effective_from, local_today())
    # The institution stood by other lists than these; once accepted, it may confirm them.
    edition.status, edition.confirmed_at, edition.confirmed_by = EditionStatus.DRAFT, None, None
    edition.save(update_fields=[*REDRAWN, "confirmed_at"])
    audit.record(
        "institutions.rebase_edition",
        by=by,
        on=edition,
        before=before,
        after={name: getattr(edition, name) for name in REDRAWN}
        | {"changed": [number for _, number in rebase.changes]},
        reason=edition.reason,
    )


def _says_already(now: Clause | None, row: dict[str, Any]) -> bool:
    """Whether the edition in force has what a proposal makes of a clause."""
    wanted = row["after"]
    if now is None or wanted is None:
        return now is wanted
    return all(getattr(now, name) == getattr(wanted, name) for name in row["fields"])
