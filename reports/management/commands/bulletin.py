"""`bulletin 2022-02 [--json] [--xlsx PATH] [--freeze] [--verify]`."""

import json
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from common.errors import DomainError, InvalidInput, NotFound
from common.months import parse_month
from reports.models import Bulletin
from reports.renderers.document import BulletinDocument
from reports.renderers.xlsx import render_xlsx
from reports.services import (
    draft_document,
    find_document,
    freeze_bulletin,
    recompute,
)
from reports.snapshot import as_interface


class Command(BaseCommand):
    """Print a month's bulletin: the frozen one where there is one, else the figures of now."""

    help = "输出某月通报：已冻结的按冻结数，未冻结的按现时记录计算；--freeze 冻结。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Name the month and what to write."""
        parser.add_argument("month", help="月份，如 2022-02")
        parser.add_argument("--json", action="store_true", help="输出一个 JSON 对象")
        parser.add_argument("--xlsx", type=Path, metavar="PATH", help="写出 Excel 工作簿")
        parser.add_argument("--freeze", action="store_true", help="冻结本月数字（已冻结的不变）")
        parser.add_argument("--verify", action="store_true", help="由记录重算，与冻结的快照核对")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 0 when done, 1 when refused, 2 when the call is wrong."""
        try:
            month = parse_month(options["month"])
        except InvalidInput as error:
            raise CommandError(error.message, returncode=2) from error
        try:
            document = _document(month, options)
        except DomainError as refusal:
            raise CommandError(refusal.message, returncode=1) from refusal
        if path := options["xlsx"]:
            _write(path, render_xlsx(document))
        self.stdout.write(_as_json(document) if options["json"] else _as_text(document))


def _document(month: date, options: dict[str, Any]) -> BulletinDocument:
    by = User.objects.system()
    if options["freeze"]:
        freeze_bulletin(month=month, by=by)
    if options["verify"]:
        _verify(month)
    try:
        return find_document(month=month, by=by)
    except NotFound:
        return draft_document(month=month)


def _verify(month: date) -> None:
    bulletin = Bulletin.objects.of_month(month).first()
    if bulletin is None:
        raise NotFound("本月通报还没有冻结，没有可核对的快照。")
    if parts := recompute(bulletin):
        raise InvalidInput(
            f"由记录重算与冻结的快照不一致（{'、'.join(parts)}）：登记资料（名称、机构）在冻结后改过。"
        )


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise CommandError(f"写不了文件 {path}：{error.strerror}", returncode=2) from error


def _as_json(document: BulletinDocument) -> str:
    state = {
        "is_frozen": document.is_frozen,
        "revision": document.revision if document.is_frozen else None,
        "digest": document.digest,
    }
    return json.dumps(as_interface(document.snapshot) | state, ensure_ascii=False)


def _as_text(document: BulletinDocument) -> str:
    state = f"已冻结，第 {document.revision} 版" if document.is_frozen else "草稿，未冻结"
    paragraphs = as_interface(document.snapshot)["narrative"]
    return "\n".join([f"{document.month:%Y-%m} 通报（{state}）", *paragraphs])
