"""What a changed rulebook would decide otherwise: two rulebooks over the same projects. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from matching.engine import Rulebook
from matching.types import Match, ProjectFacts, Verdict


@dataclass(frozen=True)
class Difference:
    """A project that an institution's lists would decide otherwise, with the reasons of both."""

    project: ProjectFacts
    before: Match
    after: Match

    @property
    def institution(self) -> str:
        """The institution by the heading of its list."""
        return self.after.institution


@dataclass
class Trial:
    """How many projects were tried, how many verdicts change, and the first of these in full."""

    tried: int = 0
    changed: int = 0
    differences: list[Difference] = field(default_factory=list)
    ways: dict[tuple[Verdict, Verdict], int] = field(default_factory=dict)
    # Institution → how many of its verdicts change.
    institutions: Counter[str] = field(default_factory=Counter)


def compare(
    before: Rulebook,
    after: Rulebook,
    projects: Iterable[ProjectFacts],
    *,
    only: Collection[str] | None = None,
    most: int = 200,
) -> Trial:
    """Compare two rulebooks with the same institutions, in the same order.

    `only`: institutions that matter (default: all). Reasons are worked out for the first `most`.
    """
    trial = Trial()
    names = [each.data.name for each in before.lists]
    watched = [place for place, name in enumerate(names) if only is None or name in only]
    for facts in projects:
        trial.tried += 1
        was, now = before.verdicts(facts), after.verdicts(facts)
        changed = [place for place in watched if was[place] is not now[place]]
        trial.changed += len(changed)
        for place in changed:
            way = (was[place], now[place])
            trial.ways[way] = trial.ways.get(way, 0) + 1
            trial.institutions[names[place]] += 1
        room = changed[: most - len(trial.differences)]
        if room:
            old, new = before.evaluate(facts), after.evaluate(facts)
            trial.differences += [Difference(facts, old[place], new[place]) for place in room]
    return trial
