"""Taking in a progress return: read, compare, report; written only when nothing is wrong."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from common import audit
from common.errors import InvalidInput, NotAllowed
from common.excel import find_table
from common.imports import ImportReport, RowMessage
from common.money import ZERO
from common.months import local_today, month_end, month_key, month_label
from institutions.models import Institution
from projects.models import FinancingDemand, ImportedFile
from referrals.importing.columns import COLUMNS, REQUIRED
from referrals.importing.deals import assign_deals
from referrals.importing.demand import check_against_demand, landed_on
from referrals.importing.entries import CHANGED, NEW, UNCHANGED, Entry, Period
from referrals.importing.heading import Heading, read_heading
from referrals.importing.naming import (
    REPORTER,
    NamedRow,
    ProjectFinder,
    Reporters,
    name_rows,
)
from referrals.importing.planning import plan_row
from referrals.importing.rows import ProgressRow, Remarks, read_rows
from referrals.models import Referral
from referrals.services.progress import record_progress
from referrals.services.pushing import lock_institutions
from referrals.services.returns import MAY_REPORT, check_month, record_returns, what_moved
from referrals.standing import ReferralStanding, in_chunks, load_standings

KIND = "progress"


@dataclass
class ProgressPlan:
    """What a file comes to: the report, its rows one by one, who reports with how many changes."""

    month: date
    report: ImportReport
    entries: list[Entry] = field(default_factory=list)
    row_counts: list[tuple[Institution, int]] = field(default_factory=list)
    # Project as written, by Excel row: a remark names more than a number.
    names: dict[int, str] = field(default_factory=dict)
    # The same file was taken in for this month before.
    is_repeated: bool = False

    @property
    def institutions(self) -> list[Institution]:
        """The institutions that count as having reported."""
        return [institution for institution, _ in self.row_counts]


@dataclass(frozen=True)
class _Reading:
    """The file as read, before the records are looked at."""

    heading: Heading
    reporter: Institution | None
    rows: list[ProgressRow]
    named: list[NamedRow]
    remarks: Remarks

    @property
    def institutions(self) -> list[Institution]:
        """Every institution that is named, in the order of the report."""
        found = {named.institution.pk: named.institution for named in self.named}
        if self.reporter:
            found[self.reporter.pk] = self.reporter
        return sorted(found.values(), key=lambda one: one.display_order)


def import_progress(
    *, source: Path | bytes, file_name: str, month: date, by: Any, dry_run: bool = False
) -> ImportReport:
    """Take in the progress return of a month; with `dry_run` only say what it would change.

    Saved whole or, where the report has errors, not at all. The same file twice for the same
    month changes nothing.
    """
    if dry_run:
        return plan_progress(source=source, month=month, by=by).report
    content = source.read_bytes() if isinstance(source, Path) else source
    with transaction.atomic():
        plan = _plan(content, month, by, lock=True)
        if not plan.report.refused and not plan.is_repeated:
            _save(plan, content, file_name, by)
    return plan.report


def plan_progress(*, source: Path | bytes, month: date, by: Any) -> ProgressPlan:
    """Say what a file would change, row by row. Writes nothing."""
    content = source.read_bytes() if isinstance(source, Path) else source
    return _plan(content, month, by, lock=False)


def _plan(content: bytes, month: date, by: Any, *, lock: bool) -> ProgressPlan:
    if by.role not in MAY_REPORT:
        raise NotAllowed(f"您的角色（{by.get_role_display()}）不能报送。")
    check_month(month)
    try:
        reading = _read(content, month, by)
    except InvalidInput as refusal:
        return ProgressPlan(month, ImportReport.of_refusal(refusal.message))
    if lock:
        lock_institutions([institution.pk for institution in reading.institutions])
    if (earlier := _known_file(content, month)) and not reading.remarks.errors:
        return _repeated(reading, earlier, month)
    entries = _compare(reading, month, lock=lock)
    row_counts = _count_rows(reading, month)
    _check_nil(reading, month)
    names = {row.row.number: row.project for row in reading.rows}
    return ProgressPlan(month, _report(reading, entries), entries, row_counts, names)


def _read(content: bytes, month: date, by: Any) -> _Reading:
    table = find_table(content, COLUMNS, required=REQUIRED)
    remarks = Remarks(table.headings)
    heading = read_heading(table.preamble)
    if heading.month and heading.month != month:
        remarks.error(
            None,
            "报送月份",
            f"表头写的是{month_label(heading.month)}，现在报送的是{month_label(month)}，"
            "请改正表头或选对月份。",
        )
    rows = read_rows(table, remarks, month=month)
    reporters = Reporters(by)
    reporter = reporters.of_heading(heading, rows, remarks)
    named = name_rows(rows, reporter, reporters, ProjectFinder(rows, by), remarks)
    return _Reading(heading, reporter, rows, named, remarks)


def _known_file(content: bytes, month: date) -> ImportedFile | None:
    digest = hashlib.sha256(content).hexdigest()
    known = ImportedFile.objects.filter(kind=KIND, sha256=digest, returns__month=month)
    return known.order_by("pk").first()


def _repeated(reading: _Reading, earlier: ImportedFile, month: date) -> ProgressPlan:
    count = len(reading.rows)
    report = ImportReport(rows=count, unchanged=count)
    when = timezone.localdate(earlier.imported_at)
    sentence = f"这个文件在 {when} 已作为{month_label(month)}报送导入过，没有重复计入。"
    report.warnings.append(RowMessage(None, "", "", sentence))
    return ProgressPlan(month, report, [], _count_rows(reading, month), is_repeated=True)


def _compare(reading: _Reading, month: date, *, lock: bool) -> list[Entry]:
    """Compare every row with the records; what contradicts them goes to the remarks."""
    standings = _standings(reading.named, month, lock=lock)
    rows_of: dict[tuple[int, int], list[ProgressRow]] = defaultdict(list)
    for named in reading.named:
        rows_of[named.project.pk, named.institution.pk].append(named.row)
    period = Period(month, local_today())
    pairs = [
        (row, standings[pair], deal)
        for pair, rows in rows_of.items()
        for row, deal in assign_deals(rows, standings[pair], reading.remarks)
    ]
    others = _others(standings.values(), {id(deal) for _, _, deal in pairs}, period.end)
    entries = [
        plan_row(row, standing, deal, period, reading.remarks)
        for row, standing, deal in pairs
        if row.stage or row.unchanged
    ]
    demands = _demands({named.project.pk for named in reading.named}, period.end)
    check_against_demand(entries, others, demands, reading.remarks)
    return sorted(entries, key=lambda entry: entry.row.row.number)


def _standings(
    named: Iterable[NamedRow], month: date, *, lock: bool
) -> dict[tuple[int, int], ReferralStanding]:
    """How every referral of these projects stands; for a pair that is new, an unsaved one."""
    named = list(named)
    found: dict[tuple[int, int], ReferralStanding] = {}
    own = {one.institution.pk for one in named}
    for chunk in in_chunks({one.project.pk for one in named}):
        referrals = Referral.objects.filter(project__in=chunk).order_by("pk")
        if lock:  # only what may change: other institutions' imports lock their own
            list(referrals.filter(institution__in=own).select_for_update())
        for standing in load_standings(referrals).values():
            referral = standing.referral
            found[referral.project_id, referral.institution_id] = standing
    for one in named:
        pair = one.project.pk, one.institution.pk
        if pair not in found:
            found[pair] = ReferralStanding(Referral(stage_on=month_end(month)))
        # The objects that are at hand, or showing each row would ask for them again.
        found[pair].referral.project = one.project
        found[pair].referral.institution = one.institution
    return found


def _others(
    standings: Iterable[ReferralStanding], mentioned: set[int], day: date
) -> dict[int, Decimal]:
    """What the deals a file does not mention come to, by project."""
    sums: dict[int, Decimal] = defaultdict(lambda: ZERO)
    for standing in standings:
        for deal in standing.deals:
            if id(deal) not in mentioned:
                sums[standing.referral.project_id] += landed_on(deal, day)
    return sums


def _demands(project_ids: set[int], day: date) -> dict[int, Decimal]:
    demands: dict[int, Decimal] = {}
    for chunk in in_chunks(project_ids):
        rows = FinancingDemand.objects.as_of(day).filter(project__in=chunk)
        demands.update(rows.values_list("project_id", "demand_wan"))
    return demands


def _count_rows(reading: _Reading, month: date) -> list[tuple[Institution, int]]:
    """Who reports, with how many rows that say something moved.

    Where all rows say 无变化 but the pages hold something of the month, that is what is reported.
    """
    moved = Counter(n.institution.pk for n in reading.named if not n.row.unchanged)
    marked = {n.institution.pk for n in reading.named if n.row.unchanged}
    return [
        (one, moved[one.pk] or (len(what_moved(one, month)) if one.pk in marked else 0))
        for one in reading.institutions
    ]


def _check_nil(reading: _Reading, month: date) -> None:
    """A nil return contradicts rows that move something, and what the portal holds already."""
    moving = [row.row.number for row in reading.rows if not row.unchanged]
    if moving and reading.heading.is_nil:
        numbers = "、".join(map(str, moving[:5]))
        reading.remarks.error(
            None, REPORTER, f"表头写明零报告，表里却有进展（第 {numbers} 行），请改正其一。"
        )
    if reading.rows or not reading.reporter or reading.remarks.errors:
        return
    if moved := what_moved(reading.reporter, month):
        reading.remarks.error(
            None,
            REPORTER,
            f"{month_label(month)}已登记有进展，不能报零报告：{'；'.join(moved[:3])}"
            f"{f'等 {len(moved)} 项' if len(moved) > 3 else ''}。",
        )


def _report(reading: _Reading, entries: list[Entry]) -> ImportReport:
    counts = Counter(entry.outcome for entry in entries)
    return ImportReport(
        rows=len(reading.rows),
        new=counts[NEW],
        changed=counts[CHANGED],
        unchanged=counts[UNCHANGED],
        warnings=sorted(reading.remarks.warnings, key=lambda one: one.row or 0),
        errors=sorted(reading.remarks.errors, key=lambda one: one.row or 0),
    )


def _save(plan: ProgressPlan, content: bytes, file_name: str, by: Any) -> None:
    steps = [entry.step for entry in plan.entries if entry.step]
    imported = ImportedFile.objects.create(
        kind=KIND,
        file_name=file_name[:255],
        sha256=hashlib.sha256(content).hexdigest(),
        counts=plan.report.counts,
        imported_by=by,
    )
    at = record_progress(steps=steps, by=by)
    record_returns(row_counts=plan.row_counts, month=plan.month, source=imported, at=at, by=by)
    written = [entry for entry in plan.entries if entry.step and entry.step.is_move]
    audit.record(
        "referrals.import_progress",
        by=by,
        on=imported,
        before={_place(entry): entry.before.as_json() for entry in written},
        after={
            "month": month_key(plan.month),
            "institutions": plan.institutions,
            **plan.report.counts,
            **{_place(entry): entry.after.as_json() for entry in written},
        },
    )


def _place(entry: Entry) -> str:
    """Name a row's deal in the audit record."""
    return f"第 {entry.row.row.number} 行 {entry.standing.referral} {entry.row.voucher_no}".strip()
