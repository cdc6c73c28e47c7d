"""Sentences about a bulletin as a document: as of when, in which state, does it add up."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from django.utils import timezone

from common.money import in_prose
from reports.renderers.document import BulletinDocument

Snapshot = Mapping[str, Any]

TITLE_LINES = ("关于金融支持喀什地区经济高质量发展", "有关工作情况的通报")
TITLE = "".join(TITLE_LINES)
TOTAL = "全部合计"
STAGE_LABELS = {"disbursed": "已投放", "intended": "已达成意向"}

# The sums a reader could try on the printed figures: unit, and the printed parts of each.
_PARTS: dict[str, tuple[str, Callable[[Snapshot], list[str]]]] = {
    "各档项目数相加": ("个", lambda s: [str(row["projects"]) for row in s["demand"]["bands"]]),
    "各档需求相加": ("亿元", lambda s: [row["amount_yi"] for row in s["demand"]["bands"]]),
    "各机构投放相加": ("亿元", lambda s: _amounts(s["disbursed"]["institutions"])),
    "各机构意向相加": ("亿元", lambda s: _amounts(s["intended"]["institutions"])),
    "投放加意向": ("亿元", lambda s: _amounts([s["disbursed"], s["intended"]])),
    "投放占比加意向占比": (
        "%",
        lambda s: [s["disbursed"]["share_pct"], s["intended"]["share_pct"]],
    ),
}
# More parts than this are not written out in a sentence.
MOST_PARTS = 30


def as_of_words(snapshot: Snapshot) -> str:
    """Return the as-of day in prose: 2022年2月28日."""
    day = date.fromisoformat(snapshot["as_of"])
    return f"{day.year}年{day.month}月{day.day}日"


def known_at_words(snapshot: Snapshot) -> str:
    """Return the moment up to which records are in the figures, in the time of the office."""
    if snapshot["known_at"] is None:
        return "生成时"
    moment = timezone.localtime(datetime.fromisoformat(snapshot["known_at"]))
    return f"{moment:%Y-%m-%d %H:%M}"


def state_words(document: BulletinDocument) -> str:
    """Return draft or frozen, and which revision."""
    if not document.is_frozen:
        return "草稿，未冻结"
    return f"已冻结，第{document.revision}版"


def check_unit(check: Mapping[str, str]) -> str:
    """Return the unit of a check's figures."""
    return _PARTS[_subject(check)][0]


def rounding_words(check: Mapping[str, str], snapshot: Snapshot) -> str:
    """Return a rounding difference with its arithmetic."""
    subject = _subject(check)
    unit, parts_of = _PARTS[subject]
    parts = parts_of(snapshot)
    summands = "＋".join(parts) if len(parts) <= MOST_PARTS else f"共{len(parts)}项"
    return (
        f"{subject}：{summands}＝{check['parts']}{unit}，合计按原值为{check['whole']}{unit}，"
        f"差{check['difference'].replace('-', '−')}{unit}，属四舍五入差。"
    )


def check_of(subject: str, snapshot: Snapshot) -> Mapping[str, str] | None:
    """Return the check of a sum, such as 各机构投放相加."""
    return next((line for line in snapshot["checks"] if _subject(line) == subject), None)


def total_demand(snapshot: Snapshot) -> str:
    """Return the denominator of every share, in prose."""
    return in_prose(snapshot["demand"]["amount_yi"])


def _subject(check: Mapping[str, str]) -> str:
    return check["name"].partition(" = ")[0]


def _amounts(rows: list[dict[str, Any]]) -> list[str]:
    return [row["amount_yi"] for row in rows]
