"""The bureau's counting rules as typed values; the data is `CountingRules`, with a version."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from common.errors import InvalidInput
from reports.models import CountingRules


@dataclass(frozen=True)
class Band:
    """One size band in 万元: lower end in, upper end out; no upper end for the largest."""

    key: str
    label: str
    from_wan: Decimal
    below_wan: Decimal | None


@dataclass(frozen=True)
class Rules:
    """What a bulletin is counted by."""

    version: int
    bands: tuple[Band, ...]
    # An institution with more than nothing and less than this in a stage is 零星 there (R06).
    sporadic_below_wan: Decimal
    # An institution with fewer landed deals lags (R08).
    landed_deals_at_least: int
    # The day of the next month on which the schedule freezes a bulletin.
    bulletin_day: int


def rules_of(row: CountingRules) -> Rules:
    """Read a version of the rules. Raises InvalidInput when its bands leave a gap or overlap."""
    values = row.values
    rules = Rules(
        version=row.version,
        bands=tuple(_band(entry) for entry in values["bands"]),
        sporadic_below_wan=Decimal(values["sporadic_below_wan"]),
        landed_deals_at_least=values["landed_deals_at_least"],
        bulletin_day=values["bulletin_day"],
    )
    _check_partition(rules.bands)
    return rules


def current_rules() -> CountingRules:
    """Return the newest version. Raises InvalidInput when the reference data is not loaded."""
    if (row := CountingRules.objects.order_by("version").last()) is None:
        raise InvalidInput("还没有统计口径，请先运行 load_reference 载入基础数据。")
    return row


def _band(entry: Mapping[str, Any]) -> Band:
    below = entry["below_wan"]
    return Band(
        key=entry["key"],
        label=entry["label"],
        from_wan=Decimal(entry["from_wan"]),
        below_wan=None if below is None else Decimal(below),
    )


def _check_partition(bands: tuple[Band, ...]) -> None:
    """Every positive demand must lie in exactly one band, or the bands would not add up (R02)."""
    rising = sorted(bands, key=lambda band: band.from_wan)
    ends = [band.below_wan for band in rising]
    starts = [band.from_wan for band in rising]
    if not rising or starts[0] != 0 or ends[-1] is not None or ends[:-1] != list(starts[1:]):
        raise InvalidInput(
            "分档必须首尾相接：从 0 开始，上一档的上限等于下一档的下限，最高档不设上限。"
        )
