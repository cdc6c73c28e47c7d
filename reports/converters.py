"""A month inside an address."""

from datetime import date

from django.urls import register_converter

from common.months import month_key, parse_month


class MonthConverter:
    """A month in an address: 2022-02."""

    regex = r"[12][0-9]{3}-(?:0[1-9]|1[0-2])"

    def to_python(self, value: str) -> date:
        """Return the first day of the month."""
        return parse_month(value)

    def to_url(self, value: date) -> str:
        """Return YYYY-MM."""
        return month_key(value)


# The name of the converter in addresses; importing it makes Django know it.
MONTH = "month"
register_converter(MonthConverter, MONTH)
