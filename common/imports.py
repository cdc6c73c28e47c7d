"""What an import answers: counts, and everything that is wrong, all rows at once."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

VALUE_SHOWN = 80


@dataclass(frozen=True)
class RowMessage:
    """One remark on one cell: where it stands in Excel, what stands there, how to mend it.

    `row` is None where the remark is about the file as a whole.
    """

    row: int | None
    column: str
    value: str
    message: str

    def as_json(self) -> dict[str, Any]:
        """Return the entry of the report; a very long value is cut."""
        return {
            "row": self.row,
            "column": self.column,
            "value": _shorten(self.value),
            "message": self.message,
        }

    def __str__(self) -> str:
        place = f"第 {self.row} 行" if self.row else "整个文件"
        column = f"“{self.column}”" if self.column else ""
        value = f"（现为“{_shorten(self.value)}”）" if self.value else ""
        return f"{place}{column}{value}：{self.message}"


@dataclass
class ImportReport:
    """The result of reading one file; `rows` counts every row, repeated ones too."""

    rows: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    duplicates: list[RowMessage] = field(default_factory=list)
    warnings: list[RowMessage] = field(default_factory=list)
    errors: list[RowMessage] = field(default_factory=list)

    @classmethod
    def of_refusal(cls, sentence: str) -> Self:
        """Return the report of a file that could not be read at all."""
        return cls(errors=[RowMessage(None, "", "", sentence)])

    @property
    def refused(self) -> bool:
        """Whether nothing was saved because something has to be mended first."""
        return bool(self.errors)

    @property
    def counts(self) -> dict[str, int]:
        """The numbers, for the record of the imported file."""
        return {
            "rows": self.rows,
            "new": self.new,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "duplicates": len(self.duplicates),
            "warnings": len(self.warnings),
            "errors": len(self.errors),
        }

    def as_json(self) -> dict[str, Any]:
        """Return the shape of interfaces.md 4."""
        return {
            "rows": self.rows,
            "new": self.new,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "duplicates": [entry.as_json() for entry in self.duplicates],
            "warnings": [entry.as_json() for entry in self.warnings],
            "errors": [entry.as_json() for entry in self.errors],
        }

    def as_text(self) -> str:
        """Return the report for a person at a terminal."""
        head = (
            f"共 {self.rows} 行：新增 {self.new}，变更 {self.changed}，"
            f"无变化 {self.unchanged}，重复 {len(self.duplicates)}。"
        )
        if self.refused:
            head = f"没有导入，请先改正下列 {len(self.errors)} 处错误。（共 {self.rows} 行）"
        return "\n".join([head, *self._sections()])

    def _sections(self) -> Iterable[str]:
        titled = (("错误", self.errors), ("重复", self.duplicates), ("提醒", self.warnings))
        for title, entries in titled:
            if entries:
                yield f"{title}（{len(entries)}）"
                yield from (f"  {entry}" for entry in entries)


def _shorten(value: str) -> str:
    return value if len(value) <= VALUE_SHOWN else value[: VALUE_SHOWN - 1] + "…"
