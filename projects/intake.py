"""Compares a ledger with the projects that stand: what is new, what changes, what stays."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from accounts.choices import Role
from accounts.models import User
from common.imports import RowMessage
from projects.importing import Ledger, LedgerRow
from projects.importing.columns import COLUMNS
from projects.models import FinancingDemand, Project, ProjectCategory

CHUNK = 500
# Column of the ledger → field of the project. The names as written do not count as a change.
FIELDS = {
    "recommender": "recommender",
    "sector_code": "sector_id",
    "credit_code": "credit_code",
    "ownership": "ownership",
    "content": "content",
    "nature": "nature",
    "total_investment_wan": "total_investment_wan",
    "secured_wan": "secured_wan",
    "purpose": "purpose",
    "term_months": "term_months",
    "guarantees": "guarantees",
    "planned_use_on": "planned_use_on",
    "wished_institutions": "wished_institutions",
    "contact_person": "contact_person",
    "contact_phone": "contact_phone",
    "permits": "permits",
    "note": "note",
}

Key = tuple[str, str, str]
Values = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """What a row of the ledger changes in a project, by field."""

    project: Project
    row: LedgerRow
    before: Values
    after: Values

    @property
    def fields(self) -> Values:
        """The fields of the project itself that change."""
        own = {*FIELDS.values(), "department_id"}
        return {name: value for name, value in self.after.items() if name in own}


@dataclass
class Plan:
    """What taking in a ledger would do."""

    new: list[LedgerRow] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)
    unchanged: int = 0
    warnings: list[RowMessage] = field(default_factory=list)
    errors: list[RowMessage] = field(default_factory=list)


def plan_intake(ledger: Ledger, *, on: date, by: User) -> Plan:
    """Compare the rows with what stands, demand with what holds on a day. Writes nothing."""
    plan = Plan()
    for rows in chunks(ledger.rows):
        standing = _Standing(rows, on, by)
        for row in rows:
            _plan_row(plan, row, standing, ledger.present, by)
    return plan


def chunks(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Cut into pieces a single query can take."""
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]


class _Standing:
    """The projects that may be meant by some rows, with demand and categories; four queries."""

    def __init__(self, rows: Sequence[LedgerRow], on: date, by: User) -> None:
        alike = Project.objects.filter(name_key__in={row.name_key for row in rows})
        self.projects: dict[Key, Project] = {
            (project.name_key, project.borrower_key, project.region_id): project
            for project in alike.select_for_update()
        }
        pks = [project.pk for project in self.projects.values()]
        mine = Project.objects.visible_to(by).filter(pk__in=pks)
        self.visible = set(mine.values_list("pk", flat=True))
        holding = FinancingDemand.objects.as_of(on).filter(project__in=pks)
        self.demands: dict[int, Decimal] = dict(holding.values_list("project_id", "demand_wan"))
        self.categories: dict[int, set[str]] = {}
        kept = ProjectCategory.objects.filter(project__in=pks)
        for project_id, category in kept.values_list("project_id", "category"):
            self.categories.setdefault(project_id, set()).add(category)

    def owners_of(self, row: LedgerRow) -> list[str]:
        """Owners of the other projects of that name in that county."""
        return [
            project.borrower
            for (name, borrower, county), project in self.projects.items()
            if (name, county) == (row.name_key, row.county.code) and borrower != row.borrower_key
        ]


def _plan_row(
    plan: Plan, row: LedgerRow, standing: _Standing, present: Collection[str], by: User
) -> None:
    project = standing.projects.get(row.key)
    if refusal := _refusal(row, by) or _refusal_of(project, row, standing):
        plan.errors.append(refusal)
    elif project is None:
        plan.new.append(row)
        plan.warnings.extend(_same_name(row, standing))
    elif change := _change(project, row, standing, present):
        plan.changed.append(change)
    else:
        plan.unchanged += 1


def _refusal(row: LedgerRow, by: User) -> RowMessage | None:
    """A county brings in its own projects, a department those it recommends."""
    if by.role == Role.COUNTY and row.county.code != by.region_id:
        return _remark(
            row, "county", row.county.name, f"您只能导入{by.region}的项目，请删去这一行。"
        )
    if by.role == Role.DEPARTMENT and row.department_code != by.department_id:
        sentence = f"您只能导入{by.department}推荐的项目，请删去这一行或改正推荐单位。"
        return _remark(row, "recommender", row.recommender, sentence)
    return None


def _refusal_of(project: Project | None, row: LedgerRow, standing: _Standing) -> RowMessage | None:
    if project is None or project.pk in standing.visible:
        return None
    sentence = "这个项目已由其他单位推荐入库，您不能改动；请联系地区财政局。"
    return _remark(row, "name", row.name, sentence)


def _same_name(row: LedgerRow, standing: _Standing) -> Iterator[RowMessage]:
    if owners := standing.owners_of(row):
        sentence = f"库里有同名项目，项目单位是“{owners[0]}”；现按新项目导入，请核对。"
        yield _remark(row, "borrower", row.borrower, sentence)


def _remark(row: LedgerRow, key: str, value: str, message: str) -> RowMessage:
    return RowMessage(row.number, COLUMNS[key].heading, value, message)


def _change(
    project: Project, row: LedgerRow, standing: _Standing, present: Collection[str]
) -> Change | None:
    """What differs; a column the file has not says nothing about the project."""
    before = {name: getattr(project, name) for name in (*FIELDS.values(), "department_id")}
    after = field_values(row)
    told = {FIELDS[key] for key in present if key in FIELDS} | {"department_id"}
    if "categories" in present:
        before["categories"] = sorted(standing.categories.get(project.pk, ()))
        after["categories"] = sorted(row.categories)
        told.add("categories")
    before["demand_wan"], after["demand_wan"] = standing.demands.get(project.pk), row.demand_wan
    told.add("demand_wan")
    differing = [name for name in after if name in told and before[name] != after[name]]
    if not differing:
        return None
    return Change(
        project,
        row,
        {name: before[name] for name in differing},
        {name: after[name] for name in differing},
    )


def field_values(row: LedgerRow) -> Values:
    """The values of a project's own fields as a row says them."""
    values = {name: getattr(row, key) for key, name in FIELDS.items()}
    lists = {name: list(values[name]) for name in ("guarantees", "permits")}
    return values | lists | {"department_id": row.department_code}
