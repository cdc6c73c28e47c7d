"""`import_lists FILE [--dry-run] [--json]` (interfaces.md 4)."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from common.errors import DomainError
from institutions.originals import OriginalPlan, attach_original, plan_original


class Command(BaseCommand):
    """Read the original of the published lists and attach its wording to the clauses."""

    help = "导入各机构清单原文（文本文件），把官方文字附到对应条款；--dry-run 只看不存。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Name the file."""
        parser.add_argument("file", type=Path, metavar="FILE", help="原文的文本文件")
        parser.add_argument("--dry-run", action="store_true", help="只看结果，不保存")
        parser.add_argument("--json", action="store_true", help="输出一个 JSON 对象")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 0 when done, 1 when refused, 2 when the call is wrong."""
        try:
            content = options["file"].read_bytes()
        except OSError as error:
            sentence = f"读不了文件 {options['file']}：{error.strerror}"
            raise CommandError(sentence, returncode=2) from error
        try:
            plan = (
                plan_original(content)
                if options["dry_run"]
                else attach_original(
                    source=content, file_name=options["file"].name, by=User.objects.system()
                )
            )
        except DomainError as refusal:
            raise CommandError(refusal.message, returncode=1) from refusal
        text = json.dumps(plan.as_json(), ensure_ascii=False) if options["json"] else _text(plan)
        self.stdout.write(text)


def _text(plan: OriginalPlan) -> str:
    counts = [
        f"{section.name}：正面 {len(section.numbered('positive'))} 条，"
        f"负面 {len(section.numbered('negative'))} 条，文件 {len(section.documents)} 份"
        for section in plan.sections
    ]
    remarks = [
        f"没有对应：{each['institution']} {each['list']}{each['no']} {each['message']}"
        for each in plan.unmatched
    ]
    return "\n".join([*counts, f"附上原文的条款：{len(plan.wording)} 条", *remarks])
