"""Every write of this room: so far, taking in a ledger."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.models.functions import Length

from accounts.choices import SUBMITTERS, RegionLevel, Role
from accounts.models import User
from accounts.registers import DepartmentIndex, RegionIndex
from common import audit
from common.errors import InvalidInput, NotAllowed
from common.history import recording_moment, write_versions
from common.imports import ImportReport, RowMessage
from common.months import month_label, month_of
from common.sectors import SectorIndex
from institutions.services import InstitutionIndex
from projects.importing import County, LedgerRow, Registers, month_named_in, read_ledger
from projects.intake import Change, Plan, chunks, field_values, plan_intake
from projects.models import DemandRound, FinancingDemand, ImportedFile, Project, ProjectCategory

MAY_IMPORT = SUBMITTERS | {Role.BUREAU, Role.SYSTEM}
LEDGER = "ledger"
CODE_PREFIX = "KS-"
# One ledger is taken in at a time, or two would number their projects alike.
INTAKE_LOCK = 20220301
# Without a round a demand counts in every bulletin.
ALWAYS = date.min


@dataclass(frozen=True)
class _Round:
    """The round a ledger belongs to: kept already or not, and from when it counts."""

    name: str = ""
    counts_from: date = ALWAYS
    kept: DemandRound | None = None
    warning: str = ""

    @property
    def is_new(self) -> bool:
        return bool(self.name) and self.kept is None


def import_ledger(
    *,
    source: Path | bytes,
    file_name: str,
    by: User,
    round_name: str = "",
    counts_from: date | None = None,
    default_month: date | None = None,
    dry_run: bool = False,
    synthetic: bool = False,
) -> ImportReport:
    """Take in a ledger, whole or not at all, and say what that did; a dry run only says it.

    Projects of a new round count from `counts_from`, else from the month its name states, else
    from `default_month`; a ledger without a round counts in every bulletin.
    """
    if by.role not in MAY_IMPORT:
        raise NotAllowed("只有财政局和填报单位可以导入台账。")
    ledger = read_ledger(source, _registers())
    with transaction.atomic():
        _wait_for_other_ledgers()
        at = recording_moment()  # before any row is locked, as every writer of facts does it
        round_ = _find_round(" ".join(round_name.split()), counts_from, default_month)
        plan = plan_intake(ledger, on=round_.counts_from, by=by)
        report = _complete(ledger.report, plan, round_)
        if dry_run or report.refused or not (plan.new or plan.changed or round_.is_new):
            return report
        file = _keep_file(source, file_name, report, by)
        _save(plan, round_, file, at=at, by=by, synthetic=synthetic)
    return report


def _registers() -> Registers:
    """Load the registers once, so that a file costs as many queries as there are registers."""
    regions, departments = RegionIndex(), DepartmentIndex()
    sectors, institutions = SectorIndex(), InstitutionIndex()

    def county(text: str) -> County | None:
        found = regions.find(text)
        is_county = found is not None and found.level == RegionLevel.COUNTY
        return County(found.code, found.short_name) if found and is_county else None

    return Registers(
        sector=lambda text: found.code if (found := sectors.find(text)) else None,
        county=county,
        department=lambda text: found.code if (found := departments.find(text)) else None,
        is_institution=lambda text: institutions.find(text) is not None,
    )


def _wait_for_other_ledgers() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [INTAKE_LOCK])


def _find_round(name: str, counts_from: date | None, default_month: date | None) -> _Round:
    if not name:
        if counts_from:
            raise InvalidInput("指定了起计月份，却没有指定轮次；请同时写明轮次名称。")
        return _Round()
    if kept := DemandRound.objects.filter(name=name).first():
        if counts_from and counts_from != kept.counts_from:
            raise InvalidInput(
                f"轮次“{name}”已登记为从{month_label(kept.counts_from)}起计，不能改为"
                f"{month_label(counts_from)}；请去掉起计月份，或另起轮次名称。"
            )
        return _Round(name, kept.counts_from, kept)
    if len(name) > (longest := DemandRound._meta.get_field("name").max_length or 0):
        raise InvalidInput(f"轮次名称最多 {longest} 个字，请缩短。")
    if start := counts_from or month_named_in(name):
        return _Round(name, start)
    if default_month is None:
        raise InvalidInput(f"轮次名称“{name}”看不出从哪个月起计，请写明起计月份，如 2022-03。")
    start = month_of(default_month)
    warning = f"轮次名称看不出从哪个月起计，按{month_label(start)}起计；如不对，请指定起计月份。"
    return _Round(name, start, warning=warning)


def _complete(report: ImportReport, plan: Plan, round_: _Round) -> ImportReport:
    """Add what the comparison found; a refused file does nothing, so it counts nothing."""
    report.errors.extend(plan.errors)
    report.errors.sort(key=lambda entry: entry.row or 0)
    report.warnings.extend(plan.warnings)
    if round_.warning:
        report.warnings.append(RowMessage(None, "轮次", round_.name, round_.warning))
    if not report.refused:
        report.new, report.changed = len(plan.new), len(plan.changed)
        report.unchanged = plan.unchanged
    return report


def _keep_file(
    source: Path | bytes, file_name: str, report: ImportReport, by: User
) -> ImportedFile:
    content = source if isinstance(source, bytes) else source.read_bytes()
    return ImportedFile.objects.create(
        kind=LEDGER,
        file_name=Path(file_name).name[-255:],
        sha256=hashlib.sha256(content).hexdigest(),
        counts=report.counts,
        imported_by=by,
    )


def _save(
    plan: Plan,
    round_: _Round,
    file: ImportedFile,
    *,
    at: datetime,
    by: User,
    synthetic: bool,
) -> None:
    """1. the round, 2. new projects, 3. changed ones, 4. demand, 5. the record of it all."""
    demand_round = _keep_round(round_, by)
    added = _add_projects(plan.new, synthetic)
    _change_projects(plan.changed)
    demands = {
        project.pk: {"demand_wan": row.demand_wan, "round": demand_round}
        for project, row in zip(added, plan.new, strict=True)
    } | {
        change.project.pk: {"demand_wan": change.row.demand_wan, "round": demand_round}
        for change in plan.changed
        if "demand_wan" in change.after
    }
    _write_demands(demands, round_.counts_from, at, by)
    _record(plan, added, file, demand_round, by)


def _keep_round(round_: _Round, by: User) -> DemandRound | None:
    if not round_.is_new:
        return round_.kept
    return DemandRound.objects.create(
        name=round_.name, counts_from=round_.counts_from, created_by=by
    )


def _add_projects(rows: Sequence[LedgerRow], synthetic: bool) -> list[Project]:
    first = _highest_number() + 1
    projects = [
        Project(
            code=f"{CODE_PREFIX}{number:06}",
            name=row.name,
            name_key=row.name_key,
            borrower=row.borrower,
            borrower_key=row.borrower_key,
            region_id=row.county.code,
            is_synthetic=synthetic,
            **field_values(row),
        )
        for number, row in enumerate(rows, start=first)
    ]
    Project.objects.bulk_create(projects, batch_size=500)
    _set_categories([(project.pk, row) for project, row in zip(projects, rows, strict=True)])
    return projects


def _highest_number() -> int:
    """The number of the youngest project; longer codes are younger, so 999999 is no wall."""
    youngest = (
        Project.objects.filter(code__regex=rf"^{CODE_PREFIX}[0-9]+$")
        .order_by(Length("code").desc(), "-code")
        .values_list("code", flat=True)
        .first()
    )
    return int(youngest.removeprefix(CODE_PREFIX)) if youngest else 0


def _change_projects(changes: Sequence[Change]) -> None:
    fields = sorted({name for change in changes for name in change.fields})
    for change in changes:
        for name, value in change.fields.items():
            setattr(change.project, name, value)
    touched = [change.project for change in changes if change.fields]
    if touched:
        Project.objects.bulk_update(touched, [_field_name(name) for name in fields], batch_size=100)
    regrouped = [change for change in changes if "categories" in change.after]
    for part in chunks(regrouped):
        pks = [change.project.pk for change in part]
        ProjectCategory.objects.filter(project__in=pks).delete()
    _set_categories([(change.project.pk, change.row) for change in regrouped])


def _set_categories(rows: Sequence[tuple[int, LedgerRow]]) -> None:
    ProjectCategory.objects.bulk_create(
        [
            ProjectCategory(project_id=pk, category=category)
            for pk, row in rows
            for category in row.categories
        ],
        batch_size=500,
    )


def _write_demands(
    demands: dict[int, dict[str, Any]], valid_from: date, at: datetime, by: User
) -> None:
    for part in chunks(list(demands.items())):
        write_versions(FinancingDemand, "project", dict(part), valid_from=valid_from, at=at, by=by)


def _record(
    plan: Plan,
    added: Sequence[Project],
    file: ImportedFile,
    demand_round: DemandRound | None,
    by: User,
) -> None:
    """One line for the file, and one for each project it changed."""
    codes = {"first_code": added[0].code, "last_code": added[-1].code} if added else {}
    after = {"sha256": file.sha256, "round": demand_round and demand_round.name, **file.counts}
    audit.record("projects.import_ledger", by=by, on=file, after=after | codes)
    audit.record_all(
        "projects.import_ledger",
        ((change.project, _named(change.before), _named(change.after)) for change in plan.changed),
        by=by,
        reason=f"导入台账：{file.file_name}",
    )


def _named(values: dict[str, Any]) -> dict[str, Any]:
    return {_field_name(name): value for name, value in values.items()}


def _field_name(attribute: str) -> str:
    return attribute.removesuffix("_id")
