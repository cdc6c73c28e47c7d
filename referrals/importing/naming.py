"""Whose return it is, and which project and institution each row names."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from accounts.choices import Role
from common.names import name_key
from institutions.models import Institution
from institutions.services import InstitutionIndex
from projects.models import Project
from referrals.importing.heading import Heading
from referrals.importing.rows import ProgressRow, Remarks
from referrals.standing import in_chunks

REPORTER = "填报单位"


@dataclass(frozen=True)
class NamedRow:
    """A row with the project and the institution it is about."""

    row: ProgressRow
    project: Project
    institution: Institution


class Reporters:
    """Finds institutions by name, within what the user may report for."""

    def __init__(self, by: Any) -> None:
        self._index = InstitutionIndex()
        self._own: Collection[int] | None = None
        if by.role == Role.BANK:
            self._own = set(Institution.objects.of_user(by).values_list("pk", flat=True))

    def of_heading(
        self, heading: Heading, rows: Collection[ProgressRow], remarks: Remarks
    ) -> Institution | None:
        """The institution that reports; without one that is known every row has to name its own."""
        found = self._index.find(heading.reporter)
        everyone_named = bool(rows) and all(row.institution for row in rows)
        if found and self._is_own(found):
            return found
        if found:
            remarks.error(None, REPORTER, f"填报单位是{found}，只能报送本机构的进展。")
        elif heading.reporter and everyone_named:
            remarks.warn(
                None, REPORTER, f"填报单位“{heading.reporter}”不在机构名录里，以各行的机构为准。"
            )
        elif heading.reporter:
            remarks.error(
                None, REPORTER, f"不认识填报单位“{heading.reporter}”，请写名录里的机构名称。"
            )
        elif not everyone_named:
            remarks.error(
                None, REPORTER, "看不出是哪家机构报送的，请在表头上方写明“填报单位：机构名称”。"
            )
        return None

    def of_row(
        self, row: ProgressRow, heading: Institution | None, remarks: Remarks
    ) -> Institution | None:
        """The institution of a row; the one that reports where the row names none."""
        if not row.institution:
            return heading
        found = self._index.find(row.institution)
        if found is None:
            remarks.error(row.row, "institution", "不认识这家机构，请写名录里的机构名称。")
        elif not self._is_own(found):
            remarks.error(row.row, "institution", "不是本机构，只能报送本机构的进展。")
            return None
        return found

    def _is_own(self, institution: Institution) -> bool:
        return self._own is None or institution.pk in self._own


class ProjectFinder:
    """Finds the projects of a file by code or by name alone, in a few queries.

    It looks at all projects: a deal may be reported for one that was never pushed.
    """

    def __init__(self, rows: Iterable[ProgressRow], by: Any) -> None:
        rows = list(rows)
        self._visible = Project.objects.visible_to(by)
        self._by_code = {
            project.code.upper(): project
            for project in _projects("code", {row.project_code.upper() for row in rows})
        }
        self._by_name: dict[str, list[Project]] = defaultdict(list)
        for project in _projects("name_key", {name_key(row.project) for row in rows}):
            self._by_name[project.name_key].append(project)

    def find(self, row: ProgressRow, remarks: Remarks) -> Project | None:
        """The project of a row; where none or several fit, the remarks say so."""
        if row.project_code:
            return self._find_by_code(row, remarks)
        found = self._by_name.get(name_key(row.project), []) if row.project else []
        if len(found) == 1:
            return found[0]
        if found:
            remarks.error(row.row, "project", self._ask_for_code(found))
        elif row.project:
            remarks.error(row.row, "project", "台账里没有这个项目，请核对名称，或填写项目编号。")
        return None

    def _find_by_code(self, row: ProgressRow, remarks: Remarks) -> Project | None:
        project = self._by_code.get(row.project_code.upper())
        if project is None:
            remarks.error(row.row, "project_code", "没有这个编号的项目，请核对。")
        elif row.project and (key := name_key(row.project)) != project.name_key:
            return self._check_other_name(row, project, remarks, is_known=key in self._by_name)
        return project

    @staticmethod
    def _check_other_name(
        row: ProgressRow, project: Project, remarks: Remarks, *, is_known: bool
    ) -> Project | None:
        """The code decides, unless the name is that of another project."""
        sentence = f"项目编号 {project.code} 是“{project.name}”，与名称不符"
        if is_known:
            remarks.error(row.row, "project", f"{sentence}，请改正编号或名称。")
            return None
        remarks.warn(row.row, "project", f"{sentence}，按编号登记，请核对。")
        return project

    def _ask_for_code(self, found: list[Project]) -> str:
        seen = self._visible.filter(pk__in=[p.pk for p in found]).select_related("region")
        codes = "、".join(f"{p.code}（{p.region}）" for p in seen.order_by("code"))
        hint = f"：{codes}" if codes else ""
        return f"有 {len(found)} 个项目叫这个名称，请在“项目编号”填写编号{hint}。"


def name_rows(
    rows: Iterable[ProgressRow],
    heading: Institution | None,
    reporters: Reporters,
    projects: ProjectFinder,
    remarks: Remarks,
) -> list[NamedRow]:
    """Find what each row names; rows that name nothing known are left out, with a remark."""
    named = []
    for row in rows:
        institution = reporters.of_row(row, heading, remarks)
        project = projects.find(row, remarks)
        if institution and project:
            named.append(NamedRow(row, project, institution))
    return named


def _projects(field: str, values: set[str]) -> Iterable[Project]:
    for chunk in in_chunks(sorted(values - {""})):
        yield from Project.objects.filter(**{f"{field}__in": chunk}).order_by("pk")
