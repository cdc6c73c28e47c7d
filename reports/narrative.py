"""The text of a bulletin; every figure in it is bound to the cell of the snapshot it comes from.

Structure and facts follow section 一 and the three problems of section 二 of the report of
February 2022; the sentences are the portal's own. The text names facts, not faults: judging an
institution is left to people.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from string import Formatter
from typing import Any

from common.money import in_prose

Part = dict[str, str]
Snapshot = dict[str, Any]


@dataclass(frozen=True)
class StageWords:
    """How a stage is spoken of."""

    done: str
    verb: str
    amount: str
    lies_with: str
    few: str
    none: str


STAGE_WORDS = {
    "disbursed": StageWords(
        "已成功投放贷款", "投放", "投放贷款金额", "贷款投放主要集中在", "仅有零星投放", "尚未投放"
    ),
    "intended": StageWords(
        "已达成融资意向",
        "达成意向",
        "意向金额",
        "贷款意向主要集中在",
        "仅有少量意向",
        "尚未达成意向",
    ),
}


def narrate(snapshot: Snapshot) -> list[dict[str, Any]]:
    """Return the paragraphs: {"kind": "heading" or "text", "parts": [{"text", "ref"?}]}.

    `ref` is the path of the figure in the snapshot, such as `disbursed.amount_yi`.
    """
    return [
        _heading("一、融资需求落实情况"),
        _paragraph(_demand(snapshot)),
        _paragraph(_landed(snapshot)),
        _paragraph(_stage(snapshot, "disbursed", "（一）已成功投放贷款的项目。")),
        _paragraph(_stage(snapshot, "intended", "（二）已达成融资意向的项目。")),
        _heading("二、融资需求落实存在的问题"),
        _paragraph(_uneven(snapshot, "disbursed", "（一）落实进展不均衡。")),
        _paragraph(_uneven(snapshot, "intended", "（二）审批进展不均衡。")),
        _paragraph(_without_any(snapshot)),
    ]


def _heading(text: str) -> dict[str, Any]:
    return {"kind": "heading", "parts": [{"text": text}]}


def _paragraph(parts: Iterable[Part]) -> dict[str, Any]:
    return {"kind": "text", "parts": list(parts)}


def _say(snapshot: Snapshot, template: str, base: str = "") -> list[Part]:
    """Fill a sentence: `{path}` becomes the figure that stands there, tied to it.

    Paths are relative to `base`; amounts in 亿元 are written as the report prints them.
    """
    parts: list[Part] = []
    for text, path, _, _ in Formatter().parse(template):
        if text:
            parts.append({"text": text})
        if path:
            ref = f"{base}.{path}" if base else path
            parts.append({"text": _shown(_look_up(snapshot, ref), path), "ref": ref})
    return parts


def _look_up(snapshot: Snapshot, ref: str) -> Any:
    """Follow a path; in a list the step is the `key` or `code` of an entry."""
    value: Any = snapshot
    for step in ref.split("."):
        if isinstance(value, list):
            value = next(row for row in value if step in (row.get("key"), row.get("code")))
        else:
            value = value[step]
    return value


def _shown(value: Any, path: str) -> str:
    if path.endswith("amount_yi"):
        return in_prose(value)
    if path.endswith("share_pct"):
        return "—" if value is None else f"{value}%"
    return str(value)


def _as_of_words(snapshot: Snapshot) -> str:
    day = date.fromisoformat(snapshot["as_of"])
    return f"截至{day.year}年{day.month}月末"


def _demand(snapshot: Snapshot) -> list[Part]:
    parts = _say(
        snapshot,
        f"{_as_of_words(snapshot)}，各县（市）和地直有关部门在重大工业项目、国有企业、重大项目"
        "和重点领域累计梳理出{demand.projects}个项目，融资需求额{demand.amount_yi}，其中：",
    )
    for place, band in enumerate(snapshot["demand"]["bands"]):
        lead = "；" if place else ""
        parts += _say(
            snapshot,
            f"{lead}{band['label']}的项目{{projects}}个，融资需求额{{amount_yi}}",
            f"demand.bands.{band['key']}",
        )
    return [*parts, {"text": "。"}]


def _landed(snapshot: Snapshot) -> list[Part]:
    parts = _say(
        snapshot,
        "达成融资意向和已成功投放的项目共计{landed.projects}个{landed.deals}笔，"
        "总金额{landed.amount_yi}，占融资需求的{landed.share_pct}。"
        "其中已成功投放{disbursed.projects}个{disbursed.deals}笔，金额{disbursed.amount_yi}，"
        "占{disbursed.share_pct}；已达成意向{intended.projects}个{intended.deals}笔，"
        "金额{intended.amount_yi}，占{intended.share_pct}。",
    )
    both = snapshot["landed"]["both_stages"]
    if both["deals"] or both["projects"]:
        parts += _say(
            snapshot,
            "同时计入两个阶段的有{projects}个项目、{deals}笔（部分投放，其余仍为意向）。",
            "landed.both_stages",
        )
    return parts


def _stage(snapshot: Snapshot, stage: str, title: str) -> list[Part]:
    found = snapshot[stage]
    words = STAGE_WORDS[stage]
    if not found["deals"]:
        return [{"text": f"{title}截至目前没有{words.done}的项目。"}]
    counted = [
        f"{{{key}}}家{word}"
        for key, word in (("banks", "银行"), ("cooperatives", "联社"))
        if found[key]
    ]
    parts = _say(
        snapshot,
        f"{title}累计{'、'.join(counted)}{words.done}项目{{projects}}个{{deals}}笔，"
        f"{words.amount}{{amount_yi}}，其中：",
        stage,
    )
    for place, row in enumerate(found["institutions"]):
        lead = "；" if place else ""
        sentence = f"{lead}{row['name']}{words.verb}{{deals}}笔，金额{{amount_yi}}"
        parts += _say(snapshot, sentence, f"{stage}.institutions.{row['code']}")
    return [*parts, {"text": "。"}]


def _uneven(snapshot: Snapshot, stage: str, title: str) -> list[Part]:
    """Where the money is and where there is little (R06); how many have none at all."""
    words = STAGE_WORDS[stage]
    main, few = snapshot["concentrated"][stage], snapshot["sporadic"][stage]
    clauses = []
    if main:
        clauses.append(f"{words.lies_with}{'、'.join(main)}")
    if few:
        clauses.append(f"{'、'.join(few)}{words.few}")
    if snapshot[stage]["others"]:
        clauses.append(f"其余{{others}}家机构{words.none}")
    return _say(snapshot, f"{title}{'，'.join(clauses)}。", stage)


def _without_any(snapshot: Snapshot) -> list[Part]:
    title = "（三）部分机构尚无落地。"
    names, silent = snapshot["without_any"], snapshot["not_reported"]
    if not names:
        return [{"text": f"{title}各机构均有投放或意向。"}]
    parts = [
        {"text": f"{title}{'、'.join(names)}共"},
        {"text": str(len(names)), "ref": "without_any"},
        {"text": "家机构没有完成投放或达成融资意向的项目。"},
    ]
    if silent:
        parts.append({"text": f"另有{'、'.join(silent)}未报送本月进展，其情况以补报为准。"})
    return parts
