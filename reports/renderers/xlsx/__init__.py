"""The Excel workbook of a bulletin."""

from datetime import UTC, datetime
from io import BytesIO

from xlsxwriter import Workbook

from common.months import month_key, month_label
from reports.renderers.document import BulletinDocument
from reports.renderers.wording import TITLE
from reports.renderers.xlsx.breakdown import write_bands, write_disbursed, write_intended
from reports.renderers.xlsx.definitions import write_definitions
from reports.renderers.xlsx.detail import write_detail
from reports.renderers.xlsx.styles import Styles
from reports.renderers.xlsx.summary import write_summary
from reports.renderers.xlsx.without_any import write_without_any

OPTIONS = {
    "in_memory": True,
    # Text of users is text, whatever it begins with.
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    # Columns are measured in digits of the default font; every machine has this one or its twin.
    "default_format_properties": {
        "font_name": "Arial",
        "font_size": 10,
        "font_scheme": "none",
    },
    "default_row_height": 17,
}
# One function a sheet, in their order.
PAGES = (
    write_summary,
    write_bands,
    write_disbursed,
    write_intended,
    write_without_any,
    write_detail,
    write_definitions,
)


def render_xlsx(document: BulletinDocument) -> bytes:
    """Return the workbook of a bulletin; the same document gives the same bytes."""
    stream = BytesIO()
    book = Workbook(stream, OPTIONS)
    _describe(book, document)
    styles = Styles(book)
    for write_page in PAGES:
        write_page(book, styles, document)
    book.close()
    return stream.getvalue()


def _describe(book: Workbook, document: BulletinDocument) -> None:
    """Fill in the properties of the file; its date is that of the figures, not of the download."""
    book.set_properties(
        {
            "title": f"{TITLE}（{month_label(document.month)}）",
            "subject": month_key(document.month),
            "keywords": f"{month_key(document.month)}，快照 {document.digest}",
            "comments": f"由快照生成，快照指纹 {document.digest}",
            "created": made_at(document),
        }
    )
    book.set_custom_property("月份", month_key(document.month), "text")
    book.set_custom_property("版本", document.revision, "number_int")
    book.set_custom_property("快照指纹", document.digest, "text")


def made_at(document: BulletinDocument) -> datetime:
    """Return when the figures were taken, for the properties of the file."""
    known_at = document.snapshot["known_at"] or document.snapshot["as_of"]
    moment = datetime.fromisoformat(known_at)
    return moment.astimezone(UTC) if moment.tzinfo else moment
