"""A return between its preview and its confirmation: kept as a file, nothing saved yet."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from common.imports import ImportReport
from common.months import month_key, parse_month
from common.staging import Staging
from referrals.services.imports import ProgressPlan, import_progress, plan_progress

RETURNS = Staging("returns")


@dataclass(frozen=True)
class StagedReturn:
    """A file that waits for a person's yes."""

    token: str
    file_name: str
    month: date
    path: Path


def stage_upload(*, content: bytes, file_name: str, month: date, by: Any) -> str:
    """Keep an uploaded file for its owner until it is confirmed; return its token."""
    return RETURNS.keep(content=content, file_name=file_name, by=by, month=month_key(month))


def staged_return(token: str, by: Any) -> StagedReturn:
    """Return a file its owner staged. Raises NotFound for anybody else's, and one that is gone."""
    kept = RETURNS.find(token, by)
    return StagedReturn(token, kept.file_name, parse_month(kept.about["month"]), kept.path)


def preview_upload(*, token: str, by: Any) -> tuple[StagedReturn, ProgressPlan]:
    """Say what a staged file would change, as the records stand now. Writes nothing."""
    staged = staged_return(token, by)
    return staged, plan_progress(source=staged.path, month=staged.month, by=by)


def confirm_upload(*, token: str, by: Any) -> ImportReport:
    """Take in a staged file; it is kept where it turns out to be refused."""
    staged = staged_return(token, by)
    report = import_progress(
        source=staged.path, file_name=staged.file_name, month=staged.month, by=by
    )
    if not report.refused:
        discard_upload(token=token, by=by)
    return report


def discard_upload(*, token: str, by: Any) -> None:
    """Throw a staged file away."""
    RETURNS.discard(token, by)
