"""Load regions, industries, departments, institutions and the counting rules."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

import accounts.reference
import common.reference
import institutions.reference
import matching.reference
import reports.reference
from accounts.models import User
from common import audit
from common.errors import DomainError
from common.reference import Loaded


class Command(BaseCommand):
    """`manage.py load_reference [--json]`: run again, it changes nothing."""

    help = "Load the reference data that comes with the portal; run again, it changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add `--json`."""
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Load, then say what was new, changed and unchanged in each register."""
        try:
            loaded = load_reference(by=User.objects.system())
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal
        if options["json"]:
            counts = {register.register: register.counts for register in loaded}
            self.stdout.write(json.dumps(counts, ensure_ascii=False))
            return
        for register in loaded:
            self.stdout.write(
                f"{register.label}：新增 {register.new}，更新 {register.changed}，"
                f"未变 {register.unchanged}"
            )


@transaction.atomic
def load_reference(*, by: User) -> list[Loaded]:
    """Load every room's reference data in one transaction; audited once, if anything changed."""
    User.objects.select_for_update().get(pk=by.pk)  # two at once would both add the same rows
    loaded = [
        *common.reference.load(by),
        *accounts.reference.load(by),
        *institutions.reference.load(by),
        *matching.reference.load(by),
        _load_counting_rules(by),
    ]
    touched = [register for register in loaded if register.new or register.changed]
    if touched:
        audit.record(
            "reports.load_reference",
            by=by,
            before={register.register: register.before for register in touched},
            after={
                register.register: register.counts | {"values": register.after}
                for register in touched
            },
        )
    return loaded


def _load_counting_rules(by: User) -> Loaded:
    counts = reports.reference.load(by)
    return Loaded(
        "counting_rules", "统计口径", counts["new"], counts["changed"], counts["unchanged"]
    )
