"""The original of the lists between its preview and its confirmation."""

from dataclasses import dataclass
from typing import Any

from common.staging import StagedFile, Staging
from institutions.originals import OriginalPlan, attach_original, plan_original

ORIGINALS = Staging("originals")


@dataclass(frozen=True)
class OriginalPreview:
    """A kept document and what attaching it would do."""

    file: StagedFile
    plan: OriginalPlan


def stage_original(*, content: bytes, file_name: str, by: Any) -> str:
    """Keep a document until it is confirmed; return its token.

    Raises InvalidInput for one that has not the form of the lists: such a file is not kept.
    """
    plan_original(content)
    return ORIGINALS.keep(content=content, file_name=file_name, by=by)


def preview_original(*, token: str, by: Any) -> OriginalPreview:
    """Say what a kept document would change, as the lists stand now. Writes nothing."""
    kept = ORIGINALS.find(token, by)
    return OriginalPreview(kept, plan_original(kept.path))


def confirm_original(*, token: str, by: Any) -> OriginalPlan:
    """Attach the wording of a kept document."""
    kept = ORIGINALS.find(token, by)
    plan = attach_original(source=kept.path, file_name=kept.file_name, by=by)
    ORIGINALS.discard(token, by)
    return plan


def discard_original(*, token: str, by: Any) -> None:
    """Throw a kept document away."""
    ORIGINALS.discard(token, by)
