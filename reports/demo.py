"""The synthetic Kashgar data set of the end of February 2022, brought in by ordinary services.

`fixtures/demo` holds single rows only: projects, pushes, one return per institution, accounts.
No total stands anywhere; every figure comes out of the rows. What stands in the database already
is left alone, so seeding twice changes nothing and undoes nobody's later work.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from xlsxwriter import Workbook

from accounts.choices import Role
from accounts.models import User
from accounts.registers import find_department, find_region
from accounts.services import create_account
from common import audit
from common.errors import InvalidInput
from common.imports import ImportReport
from common.names import name_key
from institutions.models import Institution
from institutions.services import InstitutionIndex, join_institution
from projects.models import Project
from projects.services import import_ledger
from referrals.models import MonthlyReturn, Referral
from referrals.services import import_progress, push_project

FOLDER = settings.FIXTURES / "demo"
MONTH = date(2022, 2, 1)
# A fixed date of making lets the same rows give the same bytes.
MADE_AT = datetime(2022, 2, 28)
# What a project of the ledger is known by.
KEY = ("name_key", "borrower_key")

Rows = Sequence[Sequence[str]]


@dataclass(frozen=True)
class DemoAccount:
    """An account of the demo, with its password: it is meant to be printed."""

    username: str
    full_name: str
    role: Role
    password: str
    region: str = ""
    department: str = ""
    institution: str = ""

    @property
    def role_label(self) -> str:
        """The role in words."""
        return self.role.label

    @property
    def place(self) -> str:
        """Where the person works."""
        return self.institution or self.department or self.region or "—"


@dataclass(frozen=True)
class Added:
    """How many of each the seed added; all zero where the data set stood already."""

    projects: int
    pushes: int
    returns: int
    accounts: int


def demo_accounts() -> list[DemoAccount]:
    """Return the accounts of the demo, one per role and a second bank."""
    content = json.loads((FOLDER / "accounts.json").read_text(encoding="utf-8"))
    return [
        DemoAccount(**entry | {"role": Role(entry["role"]), "password": content["password"]})
        for entry in content["accounts"]
    ]


@transaction.atomic
def seed(*, by: User) -> Added:
    """Bring the data set in, all of it or nothing; what stands already is left alone.

    Raises InvalidInput where the reference data is missing or the database holds real projects.
    """
    if not Institution.objects.exists():
        raise InvalidInput("还没有基础资料，请先运行 load_reference，再装入演示数据。")
    ledger = _read_table(FOLDER / "ledger.tsv")
    _refuse_among_real_projects(ledger)
    added = Added(
        projects=_add_projects(ledger, by),
        pushes=_add_pushes(by),
        returns=_add_returns(by),
        accounts=_add_accounts(by),
    )
    if any(asdict(added).values()):
        audit.record("reports.seed_demo", by=by, after=asdict(added), reason="装入合成的演示数据")
    return added


def _refuse_among_real_projects(ledger: Rows) -> None:
    """Refuse to mix; a database that holds the whole data set already may have grown since."""
    ours = {key for key, _ in _keyed(ledger)}
    if ours <= set(Project.objects.filter(is_synthetic=True).values_list(*KEY)):
        return
    real = Project.objects.filter(is_synthetic=False).order_by("pk").values_list("name", *KEY)
    strangers = [name for name, *key in real if tuple(key) not in ours]
    if strangers:
        raise InvalidInput(
            f"数据库里已有 {len(strangers)} 个真实项目（如“{strangers[0]}”），演示数据不能混入；"
            "请用 DATA_DIR 或 DATABASE_URL 另指定一个数据库再试。"
        )


def _add_projects(ledger: Rows, by: User) -> int:
    known = set(Project.objects.values_list(*KEY))
    missing = [row for key, row in _keyed(ledger) if key not in known]
    if missing:
        workbook = as_workbook([ledger[0], *missing])
        report = import_ledger(
            source=workbook, file_name="示例项目台账.xlsx", by=by, synthetic=True
        )
        _require_accepted(report, "ledger.tsv")
    return len(missing)


def _keyed(ledger: Rows) -> Iterator[tuple[tuple[str, str], Sequence[str]]]:
    """Every project's row with the key it has in the database."""
    header, *rows = ledger
    name, borrower = header.index("项目名称"), header.index("项目单位")
    for row in rows:
        yield (name_key(row[name]), name_key(row[borrower])), row


def _add_pushes(by: User) -> int:
    _, *rows = _read_table(FOLDER / "pushes.tsv")
    projects = {project.name_key: project for project in Project.objects.all()}
    pushed = set(Referral.objects.exclude(pushed_on=None).values_list("project", "institution"))
    institutions = InstitutionIndex()
    count = 0
    for name, institution_name, day in rows:
        project = projects[name_key(name)]
        institution = _institution(institution_name, institutions)
        if (project.pk, institution.pk) in pushed:
            continue
        push_project(
            project=project, institution=institution, pushed_on=date.fromisoformat(day), by=by
        )
        count += 1
    return count


def _institution(name: str, institutions: InstitutionIndex) -> Institution:
    if (found := institutions.find(name)) is None:
        raise InvalidInput(f"演示数据里的金融机构“{name}”不在机构名录中，请先运行 load_reference。")
    return found


def _add_returns(by: User) -> int:
    """Hand in the returns of the institutions that have not reported for the month yet."""
    reported = set(
        MonthlyReturn.objects.filter(month=MONTH).values_list("institution__code", flat=True)
    )
    files = [
        path for path in sorted((FOLDER / "returns").glob("*.tsv")) if path.stem not in reported
    ]
    for path in files:
        report = import_progress(
            source=as_workbook(_read_table(path)),
            file_name=f"示例进展表-{path.stem}.xlsx",
            month=MONTH,
            by=by,
        )
        _require_accepted(report, path.name)
    return len(files)


def _add_accounts(by: User) -> int:
    missing = [
        account
        for account in demo_accounts()
        if not User.objects.filter(username__iexact=account.username).exists()
    ]
    institutions = InstitutionIndex()
    for account in missing:
        user, _ = create_account(
            username=account.username,
            full_name=account.full_name,
            role=account.role,
            region=find_region(account.region) if account.region else None,
            department=find_department(account.department) if account.department else None,
            password=account.password,
            by=by,
        )
        if account.institution:
            workplace = _institution(account.institution, institutions)
            join_institution(user=user, institution=workplace, by=by)
    return len(missing)


def _require_accepted(report: ImportReport, file_name: str) -> None:
    if report.refused:
        raise InvalidInput(
            f"演示数据 {file_name} 有 {len(report.errors)} 处错误，没有装入；{report.errors[0]}"
        )


def _read_table(path: Path) -> list[list[str]]:
    """The lines of a text table as cells; every line as long as the longest."""
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    width = max(len(row) for row in rows)
    return [row + [""] * (width - len(row)) for row in rows]


def as_workbook(rows: Rows) -> bytes:
    """Return rows of text as the workbook a person would hand in; the same rows, the same bytes."""
    content = BytesIO()
    with Workbook(content, {"in_memory": True}) as workbook:
        workbook.set_properties({"title": "合成测试数据", "created": MADE_AT})
        sheet = workbook.add_worksheet()
        for row_number, row in enumerate(rows):
            for column, text in enumerate(row):
                if text:
                    sheet.write_string(row_number, column, text)
    return content.getvalue()


def as_json(added: Added) -> dict[str, Any]:
    """What the command prints: what was added, and who can log in."""
    return {
        "synthetic": True,
        "month": f"{MONTH:%Y-%m}",
        "added": asdict(added),
        "accounts": [
            {
                "username": account.username,
                "role": account.role_label,
                "place": account.place,
                "password": account.password,
            }
            for account in demo_accounts()
        ],
    }
