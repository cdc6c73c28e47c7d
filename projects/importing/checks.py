"""What only shows when rows are seen together, and what is possible but hardly meant."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal

from common.cells import split_words
from common.imports import RowMessage
from common.money import plain
from projects.importing.columns import COLUMNS
from projects.importing.registers import Registers
from projects.importing.rows import ReadRow

# Beyond these a demand is possible, but was probably typed in another unit.
UNLIKELY_HIGH_WAN = Decimal(1_000_000)
UNLIKELY_LOW_WAN = Decimal(10)
# Texts that say how something is put, not what it is.
_NOT_COMPARED = frozenset({"name", "borrower"})

Key = tuple[str, str, str]


def look_for_oddities(read: ReadRow, registers: Registers) -> None:
    """Warn of what one row says that is possible but hardly meant."""
    demand = read.values.get("demand_wan")
    total = read.values.get("total_investment_wan")
    if demand is not None:
        if total is not None and demand > total:
            read.warn("demand_wan", f"大于总投资（{plain(total)} 万元），请核对。")
        if demand >= UNLIKELY_HIGH_WAN:
            read.warn("demand_wan", f"合 {plain(demand)} 万元，数额异常大，请核对单位。")
        elif demand < UNLIKELY_LOW_WAN:
            read.warn("demand_wan", f"合 {plain(demand)} 万元，数额异常小，请核对单位。")
    wished = read.values.get("wished_institutions", "")
    for name in [] if registers.is_institution(wished) else split_words(wished):
        if not registers.is_institution(name):
            read.warn("wished_institutions", f"“{name}”不在金融机构名录里，已照原样保存。")


def sort_out_repeats(rows: Iterable[ReadRow]) -> tuple[list[ReadRow], list[RowMessage]]:
    """Return the first row of every project, and a remark for each row that says it again.

    Two rows of one project with different demands contradict each other: that is an error.
    """
    first: dict[Key, ReadRow] = {}
    kept: list[ReadRow] = []
    repeats: list[RowMessage] = []
    for read in rows:
        key = _key_of(read)
        earlier = first.setdefault(key, read) if key else read
        if earlier is read:
            kept.append(read)
        elif earlier.values.get("demand_wan") != read.values.get("demand_wan"):
            read.error("demand_wan", _contradiction(earlier, read))
            kept.append(read)
        elif read.errors:
            kept.append(read)
        else:
            repeats.append(read.message("name", _repetition(earlier, read)))
    return kept, repeats


def warn_of_same_names(rows: Iterable[ReadRow]) -> None:
    """Warn where a county has two projects of one name with different owners."""
    seen: dict[tuple[str, str], ReadRow] = {}
    for read in rows:
        if (key := _key_of(read)) is None:
            continue
        earlier = seen.setdefault((key[0], key[2]), read)
        if earlier is not read and earlier.values["borrower_key"] != key[1]:
            read.warn(
                "borrower",
                f"第 {earlier.row.number} 行有同名项目，项目单位是“{earlier.values['borrower']}”；"
                "现按两个项目导入，如是同一个，请统一项目单位。",
            )


def gather_alike(warnings: Iterable[RowMessage]) -> Iterator[RowMessage]:
    """Say once what is true of many rows: the first row stands for all."""
    alike: dict[tuple[str, str, str], list[RowMessage]] = {}
    for warning in warnings:
        alike.setdefault((warning.column, warning.value, warning.message), []).append(warning)
    for group in alike.values():
        more = f"（另有 {len(group) - 1} 行相同）" if len(group) > 1 else ""
        yield replace(group[0], message=group[0].message + more)


def _key_of(read: ReadRow) -> Key | None:
    name, borrower = read.values.get("name_key"), read.values.get("borrower_key")
    county = read.values.get("county")
    return (name, borrower, county.code) if name and borrower and county else None


def _contradiction(earlier: ReadRow, read: ReadRow) -> str:
    one, two = (_shown(row.values.get("demand_wan")) for row in (earlier, read))
    return (
        f"与第 {earlier.row.number} 行是同一个项目（名称、单位、县市都相同），"
        f"那里是 {one}，这里是 {two}；请删去一行，或改成两个项目的名称。"
    )


def _repetition(earlier: ReadRow, read: ReadRow) -> str:
    sentence = f"与第 {earlier.row.number} 行是同一个项目，只计一次"
    other = [
        COLUMNS[key].heading
        for key in COLUMNS
        if key not in _NOT_COMPARED and earlier.values.get(key) != read.values.get(key)
    ]
    return f"{sentence}；{'、'.join(other)}不同，以前一行为准。" if other else f"{sentence}。"


def _shown(amount: Decimal | None) -> str:
    return f"{plain(amount)} 万元" if amount is not None else "读不出的金额"
