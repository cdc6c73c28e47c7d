"""A bulletin as the page shows it: cells that the narrative can point at, and bars.

Only what the snapshot holds is shown; widths of bars are the one thing that is worked out here.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from reports.checks import EQUAL, ROUNDING
from reports.lagging import RULE_LABELS
from reports.renderers.document import BulletinDocument

RETURN_BADGES = {
    "nil": ("grey", "circle-minus", "零报告"),
    "reported": ("green", "circle-check", "已报送"),
    "missing": ("red", "clock", "未报送"),
}
VERDICT_BADGES = {
    EQUAL: ("green", "circle-check", "一致"),
    ROUNDING: ("grey", "equal-not", "四舍五入差"),
    "wrong": ("red", "circle-x", "有误"),
}


def cell_id(ref: str) -> str:
    """Return the id of the cell that shows a figure of the snapshot."""
    return "f-" + ref.replace(".", "-")


def bulletin_page(document: BulletinDocument) -> dict[str, Any]:
    """Return everything the page of one bulletin shows."""
    snapshot = document.snapshot
    by_return: dict[str, int] = {}
    for row in snapshot["institutions"]:
        by_return[row["return"]] = by_return.get(row["return"], 0) + 1
    return {
        "document": document,
        "snapshot": snapshot,
        "narrative": [_paragraph(entry) for entry in snapshot["narrative"]],
        "bands": _bands(snapshot, document.rules["bands"]),
        "stages": _stages(snapshot),
        "landed": landed_institutions(snapshot),
        "without": _without(snapshot),
        "not_reported": snapshot["not_reported"],
        "returns": {
            "expected": len(snapshot["institutions"]),
            "received": by_return.get("nil", 0) + by_return.get("reported", 0),
            "nil": by_return.get("nil", 0),
        },
        "checks": [
            {**line, "badge": VERDICT_BADGES[line["verdict"]]} for line in snapshot["checks"]
        ],
        "lagging": lagging_rows(snapshot),
    }


def landed_institutions(snapshot: dict[str, Any]) -> list[dict[str, Any]]:
    """Institutions with something landed, largest first, with the two parts of their bar."""
    rows = [row for row in snapshot["institutions"] if row["landed_deals"]]
    rows.sort(key=lambda row: -Decimal(row["landed"]["amount_wan"]))
    widths = _widths([row["landed"]["amount_wan"] for row in rows])
    return [
        {
            **row,
            "bar_paid": _part(row["disbursed"], row["landed"], width),
            "bar_rest": _part(row["intended"], row["landed"], width),
        }
        for row, width in zip(rows, widths, strict=True)
    ]


def lagging_rows(snapshot: dict[str, Any]) -> list[dict[str, Any]]:
    """Lagging institutions with their rules in words and the state of their return."""
    state = {row["name"]: row["return"] for row in snapshot["institutions"]}
    landed = {row["name"]: row["landed_deals"] for row in snapshot["institutions"]}
    return [
        {
            "name": entry["institution"],
            "rules": "、".join(RULE_LABELS[rule["rule"]] for rule in entry["rules"]),
            "figure": landed[entry["institution"]],
            "badge": RETURN_BADGES[state[entry["institution"]]],
        }
        for entry in snapshot["lagging"]
    ]


def _paragraph(entry: dict[str, Any]) -> dict[str, Any]:
    parts = [
        {**part, "cell": cell_id(part["ref"])} if "ref" in part else part for part in entry["parts"]
    ]
    # The title of a paragraph, "（一）…。", is set off from its sentences.
    if entry["kind"] == "text" and parts and parts[0]["text"].startswith("（"):
        title, _, rest = parts[0]["text"].partition("。")
        return {**entry, "title": f"{title}。", "parts": [{"text": rest}, *parts[1:]]}
    return {**entry, "parts": parts}


def _bands(snapshot: dict[str, Any], rules: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = snapshot["demand"]["bands"]
    ends = {rule["key"]: rule for rule in rules}
    widths = _widths([row["amount_wan"] for row in rows])
    return [
        {
            **row,
            "bar": width,
            "from_wan": ends[row["key"]]["from_wan"],
            "below_wan": ends[row["key"]]["below_wan"],
            "ids": _ids(f"demand.bands.{row['key']}"),
        }
        for row, width in zip(rows, widths, strict=True)
    ]


def _stages(snapshot: dict[str, Any]) -> list[dict[str, Any]]:
    labels = (("disbursed", "已投放"), ("intended", "已达成意向"))
    return [{**snapshot[stage], "label": label, "ids": _ids(stage)} for stage, label in labels]


def _ids(base: str) -> dict[str, str]:
    columns = ("projects", "deals", "amount_yi", "share_pct", "banks", "cooperatives", "others")
    return {column: cell_id(f"{base}.{column}") for column in columns}


def _without(snapshot: dict[str, Any]) -> list[dict[str, Any]]:
    names = set(snapshot["without_any"])
    return [
        {"name": row["name"], "code": row["code"], "badge": RETURN_BADGES[row["return"]]}
        for row in snapshot["institutions"]
        if row["name"] in names
    ]


def _widths(amounts: Sequence[str]) -> list[str]:
    """Bar widths in percent of the largest amount; a real amount is never invisible."""
    largest = max((Decimal(amount) for amount in amounts), default=Decimal(0))
    if largest == 0:
        return ["0"] * len(amounts)
    return [
        f"{max(Decimal(amount) * 100 / largest, Decimal('0.5')):.2f}" if Decimal(amount) else "0"
        for amount in amounts
    ]


def _part(part: dict[str, str], whole: dict[str, str], width: str) -> str:
    share = Decimal(part["amount_wan"]) / Decimal(whole["amount_wan"])
    return f"{share * Decimal(width):.2f}"
