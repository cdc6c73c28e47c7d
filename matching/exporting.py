"""The matrix as a workbook: one sheet as on the page, one with a row for each pair."""

from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import Any

from django.utils.timezone import localtime
from xlsxwriter import Workbook

from accounts.models import User
from common.errors import InvalidInput
from common.excel import WRITER_OPTIONS, safe_text
from institutions.models import Institution
from matching.matrix import Line, lines
from matching.models import MatchRun, ProjectMatch, VerdictChoice
from matching.panel import LISTS, ORDER
from projects.models import Project

# About 50 000 rows of the long list: some seconds of work.
MOST_PROJECTS = 2000
HEAD_ROW = 2
COLOURS = {
    VerdictChoice.SUPPORTED: ("#1c6b3c", "#e5f3ea"),
    VerdictChoice.RESTRICTED: ("#875200", "#fcf0da"),
    VerdictChoice.EXCLUDED: ("#b0261e", "#fbe9e7"),
    VerdictChoice.NEUTRAL: ("#56636f", "#edf0f3"),
}
PROJECT_COLUMNS = (("项目编号", 14), ("项目", 44), ("县市", 12), ("行业", 24))
LONG_COLUMNS = (
    *PROJECT_COLUMNS,
    ("机构", 22),
    ("结论", 8),
    ("得分", 8),
    ("依据", 70),
    ("项目原文", 40),
    ("待核实", 60),
    ("未答（项）", 10),
)
MATRIX_COLUMNS = (*PROJECT_COLUMNS, ("待核实未答（项）", 10))


def render_matrix(
    *, projects: Sequence[Project], institutions: Sequence[Institution], run: MatchRun, by: User
) -> bytes:
    """Write both sheets; texts stay texts. Raises InvalidInput for more than fits."""
    if len(projects) > MOST_PROJECTS:
        raise InvalidInput(
            f"一次最多导出 {MOST_PROJECTS} 个项目，现在有 {len(projects)} 个，"
            "请先按县市或行业筛选。"
        )
    content = BytesIO()
    with Workbook(content, WRITER_OPTIONS) as workbook:
        formats = _formats(workbook)
        day = f"{localtime(run.started_at):%Y-%m-%d %H:%M}"
        about = f"匹配时间 {day}，{run.vocabulary}，{len(projects)} 个项目"
        rows = lines(by, projects, institutions)
        _write_matrix(workbook.add_worksheet("匹配矩阵"), rows, institutions, formats, about)
        stored = _stored(by, projects, institutions)
        _write_long(workbook.add_worksheet("匹配清单"), projects, stored, formats, about)
    return content.getvalue()


def _formats(workbook: Workbook) -> dict[Any, Any]:
    head = {"bold": True, "bg_color": "#f8fafb", "border": 1, "text_wrap": True}
    shown = {
        verdict: workbook.add_format({"font_color": ink, "bg_color": ground, "align": "center"})
        for verdict, (ink, ground) in COLOURS.items()
    }
    return shown | {
        "title": workbook.add_format({"bold": True, "font_size": 14}),
        "head": workbook.add_format(head),
        "wrap": workbook.add_format({"text_wrap": True, "valign": "top"}),
        "top": workbook.add_format({"valign": "top"}),
    }


def _stored(
    by: User, projects: Sequence[Project], institutions: Sequence[Institution]
) -> dict[int, list[ProjectMatch]]:
    found: dict[int, list[ProjectMatch]] = {}
    rows = ProjectMatch.objects.visible_to(by).filter(
        project__in=projects, institution__in=institutions
    )
    for row in rows.select_related("institution").order_by("institution__display_order"):
        found.setdefault(row.project_id, []).append(row)
    return found


def _write_head(sheet: Any, about: str, columns: Iterable[Any], head: Any) -> None:
    sheet.write_string(1, 0, safe_text(about))
    for place, (name, width) in enumerate(columns):
        sheet.write_string(HEAD_ROW, place, safe_text(name), head)
        sheet.set_column(place, place, width)


def _write_project(sheet: Any, number: int, project: Project, look: Any = None) -> None:
    texts = (project.code, project.name, project.region.short_name, str(project.sector))
    for place, text in enumerate(texts):
        sheet.write_string(number, place, safe_text(text), look)


def _write_matrix(
    sheet: Any,
    rows: Sequence[Line],
    institutions: Sequence[Institution],
    formats: dict[Any, Any],
    about: str,
) -> None:
    sheet.write_string(0, 0, "项目与机构匹配矩阵", formats["title"])
    columns = (*MATRIX_COLUMNS, *((each.short_name, 10) for each in institutions))
    _write_head(sheet, about + "；格内是结论和得分", columns, formats["head"])
    for number, line in enumerate(rows, start=HEAD_ROW + 1):
        _write_project(sheet, number, line.project)
        sheet.write_number(number, len(PROJECT_COLUMNS), line.open_count)
        for place, cell in enumerate(line.cells, start=len(MATRIX_COLUMNS)):
            if cell.verdict:
                text = f"{cell.label} {cell.score}"
                sheet.write_string(number, place, text, formats[cell.verdict])
    _write_counts(sheet, HEAD_ROW + 1 + len(rows), rows, formats)
    sheet.freeze_panes(HEAD_ROW + 1, 2)


def _write_counts(sheet: Any, first: int, rows: Sequence[Line], formats: dict[Any, Any]) -> None:
    """One row for each verdict and for open questions: of how many of the projects above."""
    counted = [(f"{verdict.label}（个）", verdict) for verdict in ORDER]
    for number, (label, verdict) in enumerate([*counted, ("有待核实（个）", None)], start=first):
        sheet.write_string(number, 1, label, formats["head"])
        for place, cells in enumerate(zip(*(line.cells for line in rows), strict=True)):
            count = sum(
                cell.verdict == verdict if verdict else cell.open_count > 0 for cell in cells
            )
            sheet.write_number(number, len(MATRIX_COLUMNS) + place, count, formats["head"])


def _write_long(
    sheet: Any,
    projects: Sequence[Project],
    stored: dict[int, list[ProjectMatch]],
    formats: dict[Any, Any],
    about: str,
) -> None:
    sheet.write_string(0, 0, "项目与机构匹配清单", formats["title"])
    _write_head(sheet, about, LONG_COLUMNS, formats["head"])
    number, base = HEAD_ROW, len(PROJECT_COLUMNS)
    for project in projects:
        for row in stored.get(project.pk, ()):
            number += 1
            _write_project(sheet, number, project, formats["top"])
            verdict = VerdictChoice(row.verdict)
            sheet.write_string(number, base, safe_text(row.institution), formats["top"])
            sheet.write_string(number, base + 1, verdict.label, formats[verdict])
            sheet.write_number(number, base + 2, row.score, formats["top"])
            for place, text in enumerate(_texts(row), start=base + 3):
                sheet.write_string(number, place, safe_text(text), formats["wrap"])
            sheet.write_number(number, len(LONG_COLUMNS) - 1, row.open_count, formats["top"])
    sheet.autofilter(HEAD_ROW, 0, max(number, HEAD_ROW), len(LONG_COLUMNS) - 1)
    sheet.freeze_panes(HEAD_ROW + 1, 2)


def _texts(row: ProjectMatch) -> tuple[str, str, str]:
    reasons = (f"{LISTS[each['list']]}{each['clause']}：{each['text']}" for each in row.reasons)
    words = dict.fromkeys(word for each in row.reasons for word in each["evidence"])
    questions = (f"{each['clause']}{each['question']}" for each in row.to_check)
    return "\n".join(reasons), "、".join(words), "\n".join(questions)
