"""Loads the first version of the vocabulary and the shared conditions."""

import json
from typing import Any

from django.conf import settings

from common.reference import Loaded
from matching.models import VocabularyVersion


def load(by: Any) -> list[Loaded]:
    """Add the vocabulary of the fixtures where the portal has none yet; later versions stay."""
    if VocabularyVersion.objects.exists():
        return [Loaded("vocabulary", "词表", unchanged=1)]
    VocabularyVersion.objects.create(
        version=1, data=fixture_vocabulary(), reason="初始词表。", created_by=by
    )
    return [Loaded("vocabulary", "词表", new=1)]


def fixture_vocabulary() -> dict[str, Any]:
    """Return words and shared conditions as the fixtures have them."""
    words = sorted((settings.FIXTURES / "vocabulary").glob("*.json"))
    shared = settings.FIXTURES / "lists" / "_shared.json"
    return {
        "words": [json.loads(path.read_text(encoding="utf-8")) for path in words],
        "shared": json.loads(shared.read_text(encoding="utf-8"))["conditions"],
    }
