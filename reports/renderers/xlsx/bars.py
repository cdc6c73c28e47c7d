"""Native bar charts that stand on the rows of a table, so that names are not printed twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.chart import Chart

from reports.renderers.xlsx.styles import BODY_FONT, INK

# Room for the value at the end of the longest bar.
LABEL_PX = 54


@dataclass(frozen=True)
class Bars:
    """A bar for each row of a table: which columns it shows, where it stands, in which colour."""

    title: str
    names: int
    amounts: int
    at: int
    fill: str


def make_bars(
    book: Workbook, sheet: str, bars: Bars, body: range, shown: Sequence[str], width_px: int
) -> Chart:
    """Return the chart of the rows `body` of a sheet; `shown` are their amounts as printed."""
    chart = book.add_chart({"type": "bar"})
    chart.add_series(
        {
            "name": bars.title,
            "categories": [sheet, body[0], bars.names, body[-1], bars.names],
            "values": [sheet, body[0], bars.amounts, body[-1], bars.amounts],
            "fill": {"color": bars.fill},
            "border": {"none": True},
            "gap": 90,
            "data_labels": _labels(shown),
        }
    )
    chart.set_title({"none": True})
    chart.set_legend({"none": True})
    # In a bar chart the y axis carries the names; reversed, the first stands on top.
    chart.set_y_axis({"reverse": True, "visible": False, "major_gridlines": {"visible": False}})
    chart.set_x_axis(_value_axis(shown, width_px))
    # The bars fill the chart and the chart fills the rows: one bar, one row.
    chart.set_plotarea({"layout": {"x": 0.03, "y": 0.0, "width": 0.97, "height": 1.0}})
    chart.set_chartarea({"border": {"none": True}, "fill": {"none": True}})
    return chart


def _labels(shown: Sequence[str]) -> dict[str, Any]:
    """The printed amount at the end of each bar; one in 万元 is text in its cell, and here too."""
    font = {"name": BODY_FONT, "size": 10, "color": INK}
    labels = {"value": True, "position": "outside_end", "num_format": "0.00", "font": font}
    if any(amount.endswith("万元") for amount in shown):
        labels["custom"] = [
            {"value": amount, "font": font} if amount.endswith("万元") else None for amount in shown
        ]
    return labels


def _value_axis(shown: Sequence[str], width_px: int) -> dict[str, Any]:
    """A hidden axis from zero, so long that the longest bar leaves room for its label."""
    largest = max((float(amount) for amount in shown if not amount.endswith("万元")), default=0.0)
    longest = largest * width_px / max(width_px - LABEL_PX, 1)
    return {
        "visible": False,
        "min": 0,
        "max": round(longest, 4) or 1,
        "major_gridlines": {"visible": False},
    }
