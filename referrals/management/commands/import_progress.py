"""`import_progress FILE --month 2022-02 [--dry-run] [--json]` (interfaces.md 4)."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from common.errors import InvalidInput
from common.months import parse_month
from referrals.services import import_progress


class Command(BaseCommand):
    """Take in the progress return of a month, whole or not at all."""

    help = "导入一份融资对接进展表；有错误时什么也不保存。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the file, the month and the two switches."""
        parser.add_argument("file", type=Path, metavar="FILE", help="进展表（.xlsx）")
        parser.add_argument("--month", required=True, help="报送月份，如 2022-02")
        parser.add_argument("--dry-run", action="store_true", help="只检查，不保存")
        parser.add_argument("--json", action="store_true", help="输出 JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Import and print the report; exit 1 where the file was refused, 2 for a wrong call."""
        path: Path = options["file"]
        if not path.is_file():
            raise CommandError(f"找不到文件 {path}。", returncode=2)
        try:
            report = import_progress(
                source=path,
                file_name=path.name,
                month=parse_month(options["month"]),
                by=User.objects.system(),
                dry_run=options["dry_run"],
            )
        except InvalidInput as error:
            raise CommandError(error.message, returncode=2) from error
        as_json = json.dumps(report.as_json(), ensure_ascii=False)
        self.stdout.write(as_json if options["json"] else report.as_text())
        if report.refused:
            raise SystemExit(1)
