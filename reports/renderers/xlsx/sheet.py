"""One A4 sheet, written from the top down: lines, paragraphs, tables and the bars beside them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_range

from reports.renderers.text_fit import line_count, split_at_stops
from reports.renderers.xlsx.bars import Bars, make_bars
from reports.renderers.xlsx.cells import Kind, show
from reports.renderers.xlsx.styles import NOTE_FONT, Styles, font_size

A4_PAPER = 9
TOP_INCH, BOTTOM_INCH = 0.9, 0.8
SIDE_INCH = {False: 0.7, True: 0.45}
PAGE_POINTS = {False: (11.69 - TOP_INCH - BOTTOM_INCH) * 72, True: (8.27 - 1.7) * 72}
PX_PER_POINT = 96 / 72
CELL_PADDING_PX, INDENT_PX = 8, 10
# A row is never broken over pages, and can be 409 points high at most.
MOST_LINES = 8
# Distance of lines, and height of one line alone, as multiples of the font size.
LOOSE, TIGHT = 1.75, 1.45
# How much more than estimated may fit on a line, in characters.
SLACK_EM = 2.5
PARAGRAPH_GAP_POINTS = 7.0
TABLE_ROW_POINTS = {"": 21.0, "small_": 18.0}


@dataclass(frozen=True)
class Column:
    """A column of a table; the head names the unit in its second line."""

    head: str
    kind: Kind
    wraps: bool = False


@dataclass(frozen=True)
class Margins:
    """What stands at the edges of every printed page."""

    header: str
    warning: str
    footer: str


class Sheet:
    """A worksheet and its next free row."""

    def __init__(
        self,
        book: Workbook,
        styles: Styles,
        name: str,
        widths_px: Sequence[int],
        margins: Margins,
        *,
        is_landscape: bool = False,
    ) -> None:
        self.row = 0
        self._book, self._styles, self._widths = book, styles, widths_px
        self._page = book.add_worksheet(name)
        self._page_points, self._used_points = PAGE_POINTS[is_landscape], 0.0
        self._breaks: list[int] = []
        for column, width in enumerate(widths_px):
            self._page.set_column_pixels(column, column, width)
        _set_up_print(self._page, margins, is_landscape)

    def line(self, text: str, style: str, *, pitch: float = TIGHT, **changes: Any) -> None:
        """Write a text over the whole width, as high as it needs."""
        lines = line_count(text, self._room_em(style))
        self._next_height(((lines - 1) * pitch + TIGHT) * font_size(style) + 4)
        form = self._styles.get(style, **changes)
        self._merge_row(form)
        self._write_text(0, text, form)
        self.row += 1

    def paragraph(self, text: str, *, lead: str = "") -> None:
        """Write a paragraph of the body, `lead` set apart; a long one takes several rows."""
        for part in split_at_stops(lead + text, self._room_em("body"), MOST_LINES):
            form = self._styles.get("body", **self._spread(part))
            self._merge_row(form)
            if lead and part.startswith(lead) and part != lead:
                fragments = (self._styles.get("lead"), lead, form, part[len(lead) :])
                self._page.write_rich_string(self.row, 0, *fragments, form)
            else:
                self._write_text(0, part, form)
            self.row += 1
            self.gap(PARAGRAPH_GAP_POINTS)

    def _spread(self, text: str) -> dict[str, str]:
        """Set the height of a paragraph's row; return how its lines stand in it.

        Lines are spread over the height. Where the reader's fonts decide whether a last line is
        needed, the height is one at which either number looks well; few lines stand on top.
        """
        room = self._room_em("body")
        most, least = line_count(text, room), line_count(text, room + SLACK_EM)
        pitch = LOOSE if most == least else TIGHT
        self._next_height(((most - 1) * pitch + TIGHT) * font_size("body") + 2)
        return {"valign": "vjustify" if most == least or least > 2 else "top"}

    def _merge_row(self, form: Format) -> None:
        if len(self._widths) > 1:
            self._page.merge_range(self.row, 0, self.row, len(self._widths) - 1, "", form)

    def gap(self, points: float = 10) -> None:
        """Leave some white."""
        self._next_height(points)
        self.row += 1

    def keep_together(self, points: float) -> None:
        """Start a new page unless so much is left of this one."""
        if self._used_points + points > self._page_points:
            self._breaks.append(self.row)
            self._used_points = 0.0

    def table(
        self,
        columns: Sequence[Column],
        rows: Iterable[Sequence[Any]],
        total: Sequence[Any] | None = None,
        *,
        size: str = "",
    ) -> range:
        """Write a table and return the rows of its body; `size` is "" or "small_"."""
        has_units = any("\n" in column.head for column in columns)
        self._next_height(TABLE_ROW_POINTS[size] * (1.8 if has_units else 1.2))
        head = self._styles.get(f"{size}head")
        for place, column in enumerate(columns):
            self._page.write_string(self.row, place, column.head, head)
        self.row += 1
        start = self.row
        for values in rows:
            self._table_row(columns, values, size, "cell")
        body = range(start, self.row)
        if total is not None:
            self._table_row(columns, total, size, "total")
        return body

    def draw_bars(self, bars: Bars, body: range, shown: Sequence[str]) -> None:
        """Draw the bars of a table's rows; none for a table without rows."""
        if not body:
            return
        width = self._widths[bars.at]
        chart = make_bars(self._book, self._page.get_name(), bars, body, shown, width)
        height = round(TABLE_ROW_POINTS[""] * PX_PER_POINT) * len(body)
        chart.set_size({"width": width, "height": height})
        # Moved and sized with its cells, so that it keeps to its rows.
        self._page.insert_chart(
            body[0], bars.at, chart, {"object_position": 1, "description": bars.title}
        )

    def keep_head(self, body: range, *, first_columns: int = 0) -> None:
        """Keep the head of a table, and some columns, in sight; print the head on every page."""
        self._page.repeat_rows(body.start - 1)
        self._page.freeze_panes(body.start, first_columns)

    def filter_rows(self, body: range) -> None:
        """Give a table's head the arrows of a filter; the totals row stays outside."""
        if body:
            self._page.autofilter(body.start - 1, 0, body.stop - 1, len(self._widths) - 1)

    def mark_as_text(self, body: range, column: int) -> None:
        """Spare the reader the green corners on numbers that are text, such as voucher numbers."""
        if body:
            cells = xl_range(body.start, column, body.stop - 1, column)
            self._page.ignore_errors({"number_stored_as_text": cells})

    def finish(self) -> None:
        """Print what was written and nothing else, with the page breaks asked for."""
        if self._breaks:
            self._page.set_h_pagebreaks(self._breaks)
        self._page.print_area(0, 0, max(self.row - 1, 0), len(self._widths) - 1)

    def _table_row(
        self, columns: Sequence[Column], values: Sequence[Any], size: str, part: str
    ) -> None:
        style = f"{size}{part}"
        cells = [show(column.kind, value) for column, value in zip(columns, values, strict=True)]
        lines = max(
            (
                line_count(cell.value, self._room_em(style, place))
                for place, cell in enumerate(cells)
                if columns[place].wraps and isinstance(cell.value, str)
            ),
            default=1,
        )
        height = lines * font_size(style) * TIGHT + 6
        self._next_height(TABLE_ROW_POINTS[size] if lines == 1 else height)
        for place, cell in enumerate(cells):
            wrap = {"text_wrap": True} if columns[place].wraps else {}
            self._write(place, cell.value, self._styles.get(style, **cell.style, **wrap))
        self.row += 1

    def _write(self, column: int, value: str | float | date, form: Format) -> None:
        if isinstance(value, str):
            self._write_text(column, value, form)
        elif isinstance(value, date):
            self._page.write_datetime(self.row, column, value, form)
        else:
            self._page.write_number(self.row, column, value, form)

    def _write_text(self, column: int, text: str, form: Format) -> None:
        """Write text as text, whatever it begins with."""
        if not text:
            self._page.write_blank(self.row, column, None, form)
        elif text.startswith("<r>") and text.endswith("</r>"):
            # XlsxWriter takes such a text for its own marked-up runs and would not escape it.
            self._page.write_rich_string(self.row, column, form, text[0], form, text[1:], form)
        else:
            self._page.write_string(self.row, column, text, form)

    def _next_height(self, points: float) -> None:
        """Set the height of the next row, in whole pixels; a row is never broken over pages."""
        pixels = round(points * PX_PER_POINT)
        self._page.set_row_pixels(self.row, pixels)
        used = self._used_points + pixels / PX_PER_POINT
        self._used_points = used if used <= self._page_points else pixels / PX_PER_POINT

    def _room_em(self, style: str, column: int | None = None) -> float:
        """How many characters fit beside each other, in a column or over the whole width.

        Half a character is left free: bold faces and substitute fonts run wider.
        """
        width = sum(self._widths) if column is None else self._widths[column] - INDENT_PX
        return (width - CELL_PADDING_PX) / (font_size(style) * PX_PER_POINT) - 0.5


def width_px(width_em: float, style: str, kind: Kind = Kind.TEXT) -> int:
    """Return the width of a column that holds so many characters on one line."""
    padding = CELL_PADDING_PX + (INDENT_PX if kind is Kind.TEXT else 0)
    return round((width_em + 0.6) * font_size(style) * PX_PER_POINT) + padding


def _set_up_print(page: Any, margins: Margins, is_landscape: bool) -> None:
    (page.set_landscape if is_landscape else page.set_portrait)()
    page.set_paper(A4_PAPER)
    page.fit_to_pages(1, 0)
    side = SIDE_INCH[is_landscape]
    page.set_margins(left=side, right=side, top=TOP_INCH, bottom=BOTTOM_INCH)
    page.center_horizontally()
    page.hide_gridlines(2)
    font = f'&9&"{NOTE_FONT},常规"'
    page.set_header(f"&L{font}{margins.header}&R{font}{margins.warning}", {"margin": 0.4})
    page.set_footer(f"&L{font}{margins.footer}&R{font}第&P页，共&N页", {"margin": 0.4})
