"""How names of projects are shown."""

import re

from django import template
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString

register = template.Library()

_TAIL = re.compile(r"(?P<name>.+?)(?P<tail>(?:[（(][^（()）]{1,8}[）)])+)")


@register.filter
def with_whole_tail(name: str) -> SafeString:
    """Keep （一期）（续建） at the end of a name on one line."""
    if not (match := _TAIL.fullmatch(name)):
        return conditional_escape(name)
    return format_html('{}<span class="keep-together">{}</span>', match["name"], match["tail"])
