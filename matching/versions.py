"""Versions of the words and shared conditions: the one projects are read by, and its successor."""

from common.errors import InvalidInput
from matching.models import VocabularyVersion


def latest_vocabulary() -> VocabularyVersion:
    """Return the words projects are read by now. Raises InvalidInput where there are none."""
    found = VocabularyVersion.objects.select_related("created_by").order_by("version").last()
    if found is None:
        raise InvalidInput("还没有词表，请先运行 load_reference 载入。")
    return found


def locked_vocabulary() -> VocabularyVersion:
    """Return the latest version, with everybody else who would add one waiting."""
    VocabularyVersion.objects.select_for_update().order_by("pk").first()
    return latest_vocabulary()
