"""Facts with two dates: when they held, and when the portal knew them."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from accounts.models import User
from common.history import write_versions
from projects.models import FinancingDemand, Project
from tests.factories import make_project

JANUARY, FEBRUARY, MARCH, APRIL = (date(2022, month, 1) for month in range(1, 5))
NEW_YEAR = datetime(2022, 1, 1, tzinfo=UTC)


def moment(number: int) -> datetime:
    """Return the moments of a test, a day apart."""
    return NEW_YEAR + timedelta(days=number)


@pytest.fixture
def project(register: None) -> Project:
    """A project about whose demand nothing is known yet."""
    made = make_project()
    made.demands.all().delete()
    return made


def write(project: Project, day: date, wan: str, at: int) -> list[FinancingDemand]:
    """Say at a moment that a demand holds from a day on."""
    return write_versions(
        FinancingDemand,
        "project",
        {project.pk: {"demand_wan": Decimal(wan)}},
        valid_from=day,
        at=moment(at),
        by=User.objects.system(),
    )


def demand_on(project: Project, day: date, known: int | None = None) -> Decimal | None:
    """Return what held on a day, as known at a moment (or now)."""
    known_at = None if known is None else moment(known)
    rows = list(project.demands.as_of(day, known_at=known_at))
    assert len(rows) <= 1, "two facts for one day"
    return rows[0].demand_wan if rows else None


def test_a_fact_holds_from_its_day_on_and_not_before(project: Project) -> None:
    write(project, FEBRUARY, "100", at=1)
    assert demand_on(project, date(2022, 1, 31)) is None
    assert demand_on(project, FEBRUARY) == 100
    assert demand_on(project, date(2030, 1, 1)) == 100


def test_a_fact_without_a_first_day_always_held(project: Project) -> None:
    write(project, date.min, "100", at=1)
    assert demand_on(project, date.min) == 100
    assert demand_on(project, JANUARY) == 100


def test_a_later_fact_takes_over_on_its_day(project: Project) -> None:
    write(project, JANUARY, "100", at=1)
    write(project, MARCH, "300", at=2)
    assert demand_on(project, date(2022, 2, 28)) == 100
    assert demand_on(project, MARCH) == 300


def test_a_late_correction_keeps_the_later_fact(project: Project) -> None:
    write(project, JANUARY, "100", at=1)
    write(project, MARCH, "300", at=2)
    write(project, FEBRUARY, "200", at=3)
    assert [demand_on(project, month) for month in (JANUARY, FEBRUARY, MARCH)] == [100, 200, 300]


def test_a_fact_from_before_the_first_ends_where_the_first_begins(project: Project) -> None:
    write(project, MARCH, "300", at=1)
    write(project, JANUARY, "100", at=2)
    assert [demand_on(project, month) for month in (FEBRUARY, MARCH, APRIL)] == [100, 300, 300]


def test_a_correction_on_the_same_day_replaces_and_leaves_the_old_on_record(
    project: Project,
) -> None:
    write(project, FEBRUARY, "100", at=1)
    write(project, FEBRUARY, "120", at=5)
    assert demand_on(project, FEBRUARY) == 120
    assert demand_on(project, FEBRUARY, known=4) == 100
    old, new = project.demands.order_by("pk")
    assert (old.demand_wan, old.superseded_at, new.superseded_at) == (100, moment(5), None)


def test_what_was_known_then_can_be_asked_for_for_ever(project: Project) -> None:
    write(project, JANUARY, "100", at=1)
    write(project, FEBRUARY, "200", at=3)
    assert demand_on(project, FEBRUARY, known=0) is None
    assert demand_on(project, FEBRUARY, known=1) == 100
    assert demand_on(project, FEBRUARY, known=2) == 100
    assert demand_on(project, FEBRUARY, known=3) == 200  # known from the moment itself on


@pytest.mark.parametrize("day", [FEBRUARY, MARCH, date(2022, 2, 15)])
def test_what_is_the_same_already_writes_nothing(project: Project, day: date) -> None:
    write(project, FEBRUARY, "100", at=1)
    assert write(project, day, "100.0000", at=2) == []
    assert project.demands.count() == 1


def test_only_the_owners_that_changed_are_written(register: None) -> None:
    first, second = make_project(demand_wan="100"), make_project(demand_wan="100")
    added = write_versions(
        FinancingDemand,
        "project",
        {first.pk: {"demand_wan": Decimal(100)}, second.pk: {"demand_wan": Decimal(250)}},
        valid_from=FEBRUARY,
        at=moment(9),
        by=User.objects.system(),
    )
    assert [row.project_id for row in added] == [second.pk]
    assert first.demands.count() == 1
    assert [demand_on(second, month) for month in (JANUARY, FEBRUARY)] == [100, 250]


def test_the_part_that_stays_keeps_its_author(project: Project, bureau: User) -> None:
    write(project, JANUARY, "100", at=1)
    project.demands.update(recorded_by=bureau)
    write(project, MARCH, "300", at=2)
    kept, added = project.demands.known().order_by("valid_from")
    assert (kept.demand_wan, kept.valid_until, kept.recorded_at) == (100, MARCH, moment(2))
    assert kept.recorded_by == bureau
    assert added.recorded_by == User.objects.system()


@pytest.mark.parametrize("seed", range(5))
def test_any_order_of_reports_gives_one_fact_a_day_now_and_at_every_moment_before(
    project: Project, seed: int
) -> None:
    """The expectation is a plain table of starts, kept for every moment."""
    dice = random.Random(seed)
    days = [date(2022, month, 1) for month in range(1, 9)]
    starts: dict[date, Decimal] = {}
    known: list[dict[date, Decimal]] = []
    for number in range(25):
        day, value = dice.choice(days), Decimal(dice.randint(1, 4))
        write(project, day, str(value), at=number)
        if held(starts, day) != value:
            starts[day] = value
        known.append(dict(starts))
    for number, table in enumerate(known):
        for day in [date(2021, 12, 31), *days, date(2022, 8, 31)]:
            assert demand_on(project, day, known=number) == held(table, day), (number, day)
    assert all(demand_on(project, day) == held(starts, day) for day in days)


def held(starts: dict[date, Decimal], day: date) -> Decimal | None:
    """Return the value of the last start that is not after a day."""
    before = [start for start in starts if start <= day]
    return starts[max(before)] if before else None


def test_the_database_refuses_two_facts_at_once_and_empty_spans(project: Project) -> None:
    write(project, JANUARY, "100", at=1)
    stamp = {
        "project": project,
        "demand_wan": Decimal(5),
        "recorded_at": moment(2),
        "recorded_by": User.objects.system(),
    }
    spans = [(JANUARY, FEBRUARY), (FEBRUARY, date.max), (MARCH, MARCH), (MARCH, FEBRUARY)]
    for valid_from, valid_until in spans:
        with pytest.raises(IntegrityError), transaction.atomic():
            FinancingDemand.objects.create(valid_from=valid_from, valid_until=valid_until, **stamp)
