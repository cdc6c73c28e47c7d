"""Whether stored matches still speak of the projects, lists and words as they are."""

from typing import Any

from common.models import Job
from institutions.models import ListEdition
from matching.models import MatchRun, VocabularyVersion
from matching.services import start_run
from projects.models import ImportedFile, Project
from projects.services import LEDGER


def what_changed() -> str | None:
    """Return in words what changed since the last run began; None where nothing did.

    Projects change by ledgers only, so a ledger taken in since is what there is to look for.
    """
    last = MatchRun.objects.order_by("pk").last()
    if last is None:
        return "第一次匹配" if Project.objects.exists() else None
    editions = dict(ListEdition.objects.in_force().values_list("institution__code", "pk"))
    if editions != last.editions:
        return "机构清单有新版本"
    if VocabularyVersion.objects.filter(version__gt=last.vocabulary.version).exists():
        return "词表有新版本"
    if ImportedFile.objects.filter(kind=LEDGER, imported_at__gt=last.started_at).exists():
        return "导入了新台账"
    return None


def rematch_if_stale(*, by: Any) -> MatchRun | None:
    """Start a run where something changed and none is under way."""
    if Job.objects.active().filter(task="matching.match_chunk").exists():
        return None
    reason = what_changed()
    return start_run(by=by, reason=reason) if reason else None
