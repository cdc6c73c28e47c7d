"""`match --project CODE` or `match --input FILE.jsonl` (interfaces.md 4 and 5)."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from common.errors import DomainError
from common.months import local_today
from matching.engine import Rulebook
from matching.lines import as_line, read_lines
from matching.loaders import load_rulebook, project_facts
from matching.types import Match
from projects.models import Project

WORDS = {"excluded": "排除", "restricted": "受限", "supported": "支持", "neutral": "中性"}


class Command(BaseCommand):
    """Say what every institution's lists say of a project, clause by clause. Saves nothing."""

    help = "按各机构清单匹配项目，逐条给出依据；--input 的项目不必在库里。"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take a stored project or a file of lines."""
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--project", metavar="CODE", help="库内项目编号")
        which.add_argument("--input", type=Path, metavar="FILE", help="每行一个项目的 JSONL 文件")
        parser.add_argument("--json", action="store_true", help="输出 JSON（--input 总是 JSON）")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 0 when done, 1 when refused, 2 when the call is wrong."""
        try:
            if options["input"]:
                self._match_file(options["input"])
            else:
                self._match_project(options["project"], as_json=options["json"])
        except DomainError as refusal:
            raise CommandError(refusal.message, returncode=1) from refusal

    def _match_file(self, path: Path) -> None:
        try:
            lines = path.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"读不了文件 {path}：{error}", returncode=2) from error
        rulebook = load_rulebook()
        for facts in read_lines(lines):
            self._write(as_line(facts.id, rulebook.evaluate(facts)))

    def _match_project(self, code: str, *, as_json: bool) -> None:
        project = Project.objects.in_full(local_today()).filter(code=code).first()
        if project is None:
            raise CommandError(f"没有编号为 {code} 的项目。", returncode=2)
        rulebook: Rulebook = load_rulebook()
        matches = rulebook.evaluate(project_facts(project))
        if as_json:
            self._write(as_line(code, matches))
            return
        self.stdout.write(f"{code} {project.name}")
        for match in sorted(matches, key=lambda match: -match.score):
            self.stdout.write(_sentence(match))

    def _write(self, line: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(line, ensure_ascii=False))


def _sentence(match: Match) -> str:
    reasons = "；".join(
        f"{reason.clause}«{'、'.join(dict.fromkeys(span.text for span in reason.evidence))}»"
        for reason in match.reasons[:3]
    )
    return f"  {match.institution}  {WORDS[match.verdict.value]}  {match.score}  {reasons}"
