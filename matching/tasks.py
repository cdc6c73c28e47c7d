"""What this room does in the background."""

from typing import Any

from celery import shared_task

from accounts.models import User
from common.jobs import Claim, job_task
from matching.loaders import load_rulebook
from matching.models import MatchRun
from matching.services import match_chunk
from matching.staleness import rematch_if_stale


@job_task("matching.match_chunk")
def match_projects(held: Claim) -> dict[str, Any]:
    """Match the projects the job names; twice gives the same rows."""
    run = MatchRun.objects.select_related("vocabulary").get(pk=held.job.arguments["run"])
    ids = held.job.arguments["projects"]
    held.progress(0, len(ids), "读清单和词表")
    rulebook = load_rulebook(run.vocabulary)
    changed = match_chunk(run=run, project_ids=ids, rulebook=rulebook)
    held.progress(len(ids), len(ids), "完成")
    return {"text": f"{len(ids)} 个项目，{changed} 个结论有变化", "url": "/projects/"}


@shared_task(name="matching.rematch_if_stale")
def rematch_stale() -> None:
    """Match again what projects, lists or words left behind; on the schedule of celery.py."""
    rematch_if_stale(by=User.objects.system())
