"""What the sheets of the workbook have in common: edges of the page and widths of names."""

from collections.abc import Iterable, Sequence

from xlsxwriter import Workbook

from common.months import month_label
from reports.renderers.document import BulletinDocument
from reports.renderers.text_fit import widest
from reports.renderers.wording import TITLE, as_of_words
from reports.renderers.xlsx.sheet import Margins, Sheet, width_px
from reports.renderers.xlsx.styles import Styles


def open_sheet(
    book: Workbook,
    styles: Styles,
    document: BulletinDocument,
    name: str,
    widths_px: Sequence[int],
    *,
    is_landscape: bool = False,
) -> Sheet:
    """Return a new sheet that says on every printed page which bulletin it belongs to."""
    return Sheet(book, styles, name, widths_px, _margins(document), is_landscape=is_landscape)


def name_width(names: Iterable[str], least: int) -> int:
    """Return the width of a table column that holds the longest name on one line."""
    return max(least, width_px(widest(names), "cell"))


def _margins(document: BulletinDocument) -> Margins:
    draft = [] if document.is_frozen else ["草稿"]
    synthetic = ["含合成演示数据"] if document.is_synthetic else []
    return Margins(
        header=f"{TITLE}（{month_label(document.month)}）",
        warning="　".join([*draft, *synthetic]),
        footer=f"数据截至{as_of_words(document.snapshot)}　快照{document.digest[:8]}",
    )
