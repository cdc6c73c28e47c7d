"""`seed_demo [--json] [--freeze]`."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from common.errors import DomainError
from common.months import month_label
from matching.services import latest_run, run_at_once
from reports.demo import MONTH, Added, as_json, demo_accounts, seed
from reports.services import freeze_bulletin


class Command(BaseCommand):
    """Bring in the synthetic data set with its accounts; run again, it changes nothing."""

    help = (
        "装入合成的喀什演示数据（2022年2月）和演示账号；已装入的不变；--freeze 冻结当月通报并匹配。"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Name the ways to print and whether to freeze the month's bulletin and match."""
        parser.add_argument("--json", action="store_true", help="输出一个 JSON 对象")
        parser.add_argument(
            "--freeze", action="store_true", help="装入后冻结当月通报，并按清单匹配"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 0 when done, 1 when refused."""
        by = User.objects.system()
        try:
            added = seed(by=by)
            if options["freeze"]:
                freeze_bulletin(month=MONTH, by=by)
                if latest_run() is None:
                    run_at_once(by=by, reason="演示数据")
        except DomainError as refusal:
            raise CommandError(refusal.message, returncode=1) from refusal
        if options["json"]:
            self.stdout.write(json.dumps(as_json(added), ensure_ascii=False))
            return
        self.stdout.write(_as_text(added))


def _as_text(added: Added) -> str:
    lines = [
        f"演示数据为合成数据，月份 {month_label(MONTH)}：新增项目 {added.projects} 个，"
        f"推送 {added.pushes} 条，报送 {added.returns} 份，账号 {added.accounts} 个。",
        *(
            f"  {account.username}  {account.role_label}  {account.place}  {account.password}"
            for account in demo_accounts()
        ),
    ]
    return "\n".join(lines)
