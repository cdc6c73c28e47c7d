"""The frozen figures of one month: what page, workbook, API and command all show.

A snapshot is plain JSON. Shown figures are strings, rounded once (`amount_yi`, `share_pct`);
beside each stands the exact amount in 万元 (`amount_wan`) it was rounded from.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from common.money import plain, show_pct, show_yi
from common.months import month_key
from reports import figures
from reports.checks import check_snapshot
from reports.figures import AsOf, InstitutionLanding, Landing
from reports.lagging import lagging_institutions
from reports.narrative import narrate
from reports.rules import Band, Rules

Payload = dict[str, Any]
STAGES = ("disbursed", "intended")


def build_snapshot(as_of: AsOf, rules: Rules) -> Payload:
    """Compute every figure of a month; the same day, knowledge and rules give the same result."""
    total, by_institution = figures.landing(as_of)
    heads = list(figures.active_heads(as_of.day))
    rows = [InstitutionLanding(head, by_institution.get(head.pk, Landing())) for head in heads]
    reported = figures.reported_institutions(as_of)
    bands = figures.demand_by_band(as_of, rules.bands)
    demand_wan = sum((band.amount_wan for band in bands), start=Decimal(0))
    snapshot: Payload = {
        "month": month_key(as_of.day),
        "as_of": as_of.day.isoformat(),
        "known_at": as_of.known_at.isoformat() if as_of.known_at else None,
        "rules_version": rules.version,
        "is_synthetic": figures.has_synthetic(as_of),
        "demand": {
            "projects": sum(band.projects for band in bands),
            **_amount(demand_wan),
            "bands": _bands(bands, rules.bands, demand_wan),
        },
        "landed": {
            "projects": total.landed_projects,
            "deals": total.landed_deals,
            **_amount(total.landed_wan),
            "share_pct": show_pct(total.landed_wan, demand_wan),
            "both_stages": {"projects": total.both_projects, "deals": total.both_deals},
        },
        **{stage: _stage(stage, total, rows, demand_wan) for stage in STAGES},
        "concentrated": _names_by_stage(rows, lambda amount: amount >= rules.sporadic_below_wan),
        "sporadic": _names_by_stage(rows, lambda amount: 0 < amount < rules.sporadic_below_wan),
        "institutions": [_institution(row, reported) for row in rows],
        "without_any": [str(row.institution) for row in rows if not row.landing.landed_deals],
        "not_reported": [str(head) for head in heads if head.pk not in reported],
        "lagging": lagging_institutions(rows, reported, rules),
        "funnel": [
            {"stage": step.stage, "projects": step.projects, **_amount(step.demand_wan)}
            for step in figures.funnel(as_of)
        ],
    }
    snapshot["checks"] = check_snapshot(snapshot)
    snapshot["narrative"] = narrate(snapshot)
    return snapshot


def digest_of(snapshot: Payload) -> str:
    """Return the fingerprint of a snapshot; equal figures have equal fingerprints."""
    text = json.dumps(snapshot, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def differing_parts(frozen: Payload, again: Payload) -> list[str]:
    """Return the parts of a frozen snapshot that come out differently when computed again.

    The sentences are left out: their figures are compared where they stand, and the wording of a
    later version of the portal may differ. So are parts that the frozen one does not know.
    """
    return [part for part in frozen if part != "narrative" and frozen[part] != again.get(part)]


def as_interface(snapshot: Payload) -> Payload:
    """Return a snapshot in the shape of interfaces.md 6: the narrative as plain paragraphs."""
    paragraphs = ["".join(part["text"] for part in p["parts"]) for p in snapshot["narrative"]]
    return {**snapshot, "narrative": paragraphs}


def _amount(amount_wan: Decimal) -> Payload:
    return {"amount_yi": show_yi(amount_wan), "amount_wan": plain(amount_wan)}


def _bands(
    found: tuple[figures.BandFigures, ...], bands: tuple[Band, ...], demand_wan: Decimal
) -> list[Payload]:
    return [
        {
            "key": band.key,
            "label": band.label,
            "projects": row.projects,
            **_amount(row.amount_wan),
            "share_pct": show_pct(row.amount_wan, demand_wan),
        }
        for band, row in zip(bands, found, strict=True)
    ]


def _stage(
    stage: str, total: Landing, rows: list[InstitutionLanding], demand_wan: Decimal
) -> Payload:
    amount_wan: Decimal = getattr(total, f"{stage}_wan")
    present = sorted(
        (row for row in rows if row.deals(stage)),
        key=lambda row: (-row.amount_wan(stage), row.institution.display_order),
    )
    cooperatives = sum(row.institution.is_cooperative for row in present)
    return {
        "projects": getattr(total, f"{stage}_projects"),
        "deals": getattr(total, f"{stage}_deals"),
        **_amount(amount_wan),
        "share_pct": show_pct(amount_wan, demand_wan),
        "banks": len(present) - cooperatives,
        "cooperatives": cooperatives,
        "others": len(rows) - len(present),
        "institutions": [
            {
                "name": str(row.institution),
                "code": row.institution.code,
                "deals": row.deals(stage),
                **_amount(row.amount_wan(stage)),
            }
            for row in present
        ],
    }


def _names_by_stage(
    rows: Iterable[InstitutionLanding], belongs: Callable[[Decimal], bool]
) -> dict[str, list[str]]:
    """Names per stage in the report's order: banks first, then deals, then amount, falling."""
    names = {}
    for stage in STAGES:
        chosen = [row for row in rows if row.deals(stage) and belongs(row.amount_wan(stage))]
        chosen.sort(
            key=lambda row: (
                row.institution.is_cooperative,
                -row.deals(stage),
                -row.amount_wan(stage),
                row.institution.display_order,
            )
        )
        names[stage] = [str(row.institution) for row in chosen]
    return names


def _institution(row: InstitutionLanding, reported: dict[int, bool]) -> Payload:
    """One row of the table of all institutions, in register order."""
    returns = {None: "missing", True: "nil", False: "reported"}
    return {
        "name": str(row.institution),
        "code": row.institution.code,
        "is_cooperative": row.institution.is_cooperative,
        "return": returns[reported.get(row.institution.pk)],
        "landed_deals": row.landing.landed_deals,
        "landed": _amount(row.landing.landed_wan),
        **{
            stage: {"deals": row.deals(stage), **_amount(row.amount_wan(stage))} for stage in STAGES
        },
    }
