"""A return between its preview and its confirmation: kept as a file, nothing saved yet."""

import json
import re
import secrets
import shutil
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings

from common.errors import NotFound
from common.imports import ImportReport
from common.months import month_key, parse_month
from referrals.services.imports import ProgressPlan, import_progress, plan_progress

KEPT_SECONDS = 24 * 60 * 60
TOKEN = re.compile(r"[0-9a-f]{32}")
GONE = "这份预览已经过期或已处理，请重新上传文件。"


@dataclass(frozen=True)
class StagedReturn:
    """A file that waits for a person's yes."""

    token: str
    file_name: str
    month: date
    path: Path


def stage_upload(*, content: bytes, file_name: str, month: date, by: Any) -> str:
    """Keep an uploaded file for its owner until it is confirmed; return its token."""
    folder = _folder(by)
    _sweep(folder)
    token = secrets.token_hex(16)
    place = folder / token
    place.mkdir(parents=True, mode=0o700)
    (place / "return.xlsx").write_bytes(content)
    about = {"file_name": file_name[:255], "month": month_key(month)}
    (place / "about.json").write_text(json.dumps(about), encoding="utf-8")
    return token


def staged_return(token: str, by: Any) -> StagedReturn:
    """Return a file its owner staged. Raises NotFound for anybody else's, and one that is gone."""
    place = _folder(by) / token
    if not TOKEN.fullmatch(token) or not (place / "about.json").is_file():
        raise NotFound(GONE)
    about = json.loads((place / "about.json").read_text(encoding="utf-8"))
    return StagedReturn(
        token, about["file_name"], parse_month(about["month"]), place / "return.xlsx"
    )


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
    shutil.rmtree(staged_return(token, by).path.parent, ignore_errors=True)


def _folder(by: Any) -> Path:
    return Path(settings.MEDIA_ROOT) / "returns" / str(by.pk)


def _sweep(folder: Path) -> None:
    """Throw away what nobody confirmed within a day."""
    oldest = time.time() - KEPT_SECONDS
    for place in folder.glob("*"):
        if place.stat().st_mtime < oldest:
            shutil.rmtree(place, ignore_errors=True)
