"""A file between its preview and its confirmation: kept for its owner, nothing saved yet."""

import json
import re
import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from common.errors import NotFound

KEPT_SECONDS = 24 * 60 * 60
TOKEN = re.compile(r"[0-9a-f]{32}")
GONE = "这份预览已经过期或已处理，请重新上传文件。"
CONTENT, ABOUT = "content", "about.json"


@dataclass(frozen=True)
class StagedFile:
    """A file that waits for a person's yes; `about` is what its room keeps beside it."""

    token: str
    file_name: str
    about: Mapping[str, Any]
    path: Path


class Staging:
    """One room's place for such files; each person has a folder of their own in it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def keep(self, *, content: bytes, file_name: str, by: Any, **about: Any) -> str:
        """Keep an uploaded file for its owner until it is confirmed; return its token."""
        folder = self._folder(by)
        _sweep(folder)
        token = secrets.token_hex(16)
        place = folder / token
        place.mkdir(parents=True, mode=0o700)
        (place / CONTENT).write_bytes(content)
        kept = {"file_name": file_name[:255], **about}
        (place / ABOUT).write_text(json.dumps(kept), encoding="utf-8")
        return token

    def find(self, token: str, by: Any) -> StagedFile:
        """Return a file its owner keeps. Raises NotFound for anybody else's, and one gone."""
        place = self._folder(by) / token
        if not TOKEN.fullmatch(token) or not (place / ABOUT).is_file():
            raise NotFound(GONE)
        about = json.loads((place / ABOUT).read_text(encoding="utf-8"))
        return StagedFile(token, about.pop("file_name"), about, place / CONTENT)

    def discard(self, token: str, by: Any) -> None:
        """Throw a kept file away."""
        shutil.rmtree(self.find(token, by).path.parent, ignore_errors=True)

    def _folder(self, by: Any) -> Path:
        return Path(settings.MEDIA_ROOT) / self.name / str(by.pk)


def _sweep(folder: Path) -> None:
    """Throw away what nobody confirmed within a day."""
    oldest = time.time() - KEPT_SECONDS
    for place in folder.glob("*"):
        if place.stat().st_mtime < oldest:
            shutil.rmtree(place, ignore_errors=True)
