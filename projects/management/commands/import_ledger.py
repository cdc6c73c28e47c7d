"""`import_ledger`: take in a ledger of projects and their financing demand."""

import json
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from common.errors import DomainError, InvalidInput
from common.imports import ImportReport
from common.months import local_today, month_of, parse_month
from projects.services import import_ledger


class Command(BaseCommand):
    """Exit 0 when the ledger was taken in, 1 when it was refused, 2 when the call is wrong."""

    help = "导入项目融资需求台账（.xlsx）：有一处错误就什么都不保存，所有错误一次列出。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Define the call of interfaces.md 4."""
        parser.add_argument("file", metavar="FILE", type=Path, help="台账文件")
        parser.add_argument("--round", default="", help="摸排轮次的名称；不写则计入每一期通报")
        parser.add_argument(
            "--from", dest="month", metavar="YYYY-MM", help="新轮次从哪个月起计入通报"
        )
        parser.add_argument("--dry-run", action="store_true", help="只检查，不保存")
        parser.add_argument("--json", action="store_true", help="输出一个 JSON 对象")

    def handle(self, *args: Any, **options: Any) -> None:
        """Take in the file and print what that did."""
        if not options["file"].is_file():
            raise CommandError(f"找不到文件 {options['file']}，请核对路径。", returncode=2)
        if options["month"] and not options["round"]:
            raise CommandError("--from 说的是新轮次从哪个月起计，请同时写 --round。", returncode=2)
        report = _import(options["file"], _month(options["month"]), options)
        self.stdout.write(_as_json(report) if options["json"] else _as_text(report, options))
        if report.refused:
            raise CommandError(f"有 {len(report.errors)} 处错误，没有导入。", returncode=1)


def _month(text: str | None) -> date | None:
    try:
        return parse_month(text) if text else None
    except InvalidInput as refusal:
        raise CommandError(refusal.message, returncode=2) from refusal


def _import(file: Path, month: date | None, options: dict[str, Any]) -> ImportReport:
    try:
        return import_ledger(
            source=file,
            file_name=file.name,
            by=User.objects.system(),
            round_name=options["round"],
            counts_from=month,
            default_month=month_of(local_today()),
            dry_run=options["dry_run"],
        )
    except DomainError as refusal:
        return ImportReport.of_refusal(refusal.message)


def _as_json(report: ImportReport) -> str:
    return json.dumps(report.as_json(), ensure_ascii=False)


def _as_text(report: ImportReport, options: dict[str, Any]) -> str:
    is_trial = options["dry_run"] and not report.refused
    return ("只检查，没有保存。\n" if is_trial else "") + report.as_text()
