"""How values are shown: amounts, shares, months, what is missing. Builtin in every template."""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from django import template
from django.contrib.messages import constants
from django.core.paginator import Page
from django.forms import BaseForm, BoundField
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from common import money, months
from common.audit_words import ACTION_WORDS
from common.choices import JobState

register = template.Library()

MISSING = "—"
MINUS = "\N{MINUS SIGN}"
CLOSING_BRACKETS = re.compile(r"(?:[（(][^（()）]*[）)])+$")


class Tone(NamedTuple):
    """Colour and icon of a message or a badge."""

    name: str
    icon: str


PLAIN_TONE = Tone("grey", "info-circle")
MESSAGE_TONES = {
    constants.SUCCESS: Tone("green", "circle-check"),
    constants.WARNING: Tone("amber", "alert-triangle"),
    constants.ERROR: Tone("red", "alert-circle"),
}
JOB_ICONS = {
    JobState.QUEUED: "hourglass",
    JobState.RUNNING: "loader-2",
    JobState.SUCCEEDED: "circle-check",
    JobState.FAILED: "alert-circle",
    JobState.CANCELLED: "ban",
}


@register.filter
def dash(value: Any) -> Any:
    """Show what is missing as —; zero stays zero."""
    return MISSING if value is None or value == "" else value


@register.filter
def unbroken(name: str | None) -> str:
    """Show a name whose closing brackets, such as （一期）（续建）, never break across lines."""
    shown = str(dash(name))
    if not (tail := CLOSING_BRACKETS.search(shown)):
        return shown
    return format_html('{}<span class="keep-together">{}</span>', shown[: tail.start()], tail[0])


@register.filter
def wan(amount: Decimal | int | str | None) -> str:
    """Show an amount in 万元 without its unit: 18000 → 18,000, 6980.5000 → 6,980.5."""
    if amount is None or amount == "":
        return MISSING
    return _grouped(money.plain(Decimal(amount)))


@register.filter
def yi(amount_wan: Decimal | int | str | None) -> str:
    """Show an amount in 万元 as 亿元 with two decimals; a real amount never shows as 0.00."""
    if amount_wan is None or amount_wan == "":
        return MISSING
    return _grouped(money.show_yi(Decimal(amount_wan)))


@register.filter
def signed_wan(difference: Decimal | int | None) -> str:
    """Show a difference in 万元 with its sign: +1,500, −700, 0."""
    shown = wan(difference)
    return f"+{shown}" if difference is not None and difference > 0 else shown


@register.filter
def pct_of(part: Decimal | int | None, whole: Decimal | int | None) -> str:
    """Show part ÷ whole in percent with two decimals, without the sign; — where there is none."""
    if part is None or whole is None:
        return MISSING
    return money.show_pct(Decimal(part), Decimal(whole)) or MISSING


@register.filter
def month_label(month: date | str | None) -> str:
    """Show a month as 2022年2月; text is taken as 2022-02."""
    if not month:
        return MISSING
    return months.month_label(months.parse_month(month) if isinstance(month, str) else month)


@register.filter
def page_numbers(page: Page[Any]) -> Iterator[int | str]:
    """Return the page numbers to offer: both ends and two on each side of the present one."""
    return page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1)


@register.filter
def message_tone(message: Any) -> Tone:
    """Return colour and icon for a message of Django's message store."""
    return MESSAGE_TONES.get(message.level, PLAIN_TONE)


@register.filter
def job_tone(state: str) -> Tone:
    """Return colour and icon for the state of a job."""
    return Tone(JobState(state).tone, JOB_ICONS[JobState(state)])


@register.filter
def action_word(action: str) -> str:
    """Return the Chinese word for an action of the audit record."""
    return ACTION_WORDS.get(action, action)


@register.filter
def minus(whole: int, part: int) -> int:
    """Return what is left of a whole."""
    return whole - part


@register.filter
def unit_of(field: BoundField) -> str:
    """Return the unit that stands inside a field (widget attribute `data-unit`)."""
    return str(field.field.widget.attrs.get("data-unit", ""))


@register.filter
def wrong_fields(form: BaseForm) -> int:
    """Count the fields with an error, for the line above the form."""
    return sum(1 for name in form.errors if name in form.fields)


@register.simple_block_tag
def text(content: str) -> SafeString:
    """Render what is inside once, trimmed; `{% text as name %}` keeps it for later."""
    return mark_safe(content.strip())  # noqa: S308 - it was escaped when it was rendered


@register.inclusion_tag("includes/sort_head.html", takes_context=True)
def sort_head(
    context: template.Context, name: str, label: str, unit: str = "", is_number: bool = False
) -> dict[str, Any]:
    """Render a table head that sorts by `name` (`?sort=name`, `?sort=-name`)."""
    query = context["request"].GET.copy()
    current = query.get("sort", "")
    query["sort"] = f"-{name}" if current == name else name
    query.pop("page", None)
    direction = {name: "ascending", f"-{name}": "descending"}.get(current, "")
    shown = {"label": label, "unit": unit, "is_number": is_number, "direction": direction}
    return shown | {"url": f"?{query.urlencode()}"}


def _grouped(shown: str) -> str:
    """Put thousands separators and a true minus into a written number; a unit may follow."""
    number, unit = (shown[:-2], "万元") if shown.endswith("万元") else (shown, "")
    whole, point, decimals = number.partition(".")
    sign = MINUS if whole.startswith("-") else ""
    return f"{sign}{int(whole.lstrip('-')):,}{point}{decimals}{unit}"
