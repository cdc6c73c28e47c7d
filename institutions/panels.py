"""Blocks that higher rooms contribute to the page of an institution, which cannot know them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from accounts.models import User
from institutions.models import Institution


@dataclass(frozen=True)
class Panel:
    """A block of the page: its template and what that shows, as `panel.context`."""

    template: str
    context: dict[str, Any] = field(default_factory=dict)


Maker = Callable[[User, Institution], Panel | None]
_MAKERS: list[Maker] = []


def hand_in_panel(maker: Maker) -> None:
    """Let a higher room show a block to those it answers with one."""
    if maker not in _MAKERS:
        _MAKERS.append(maker)


def panels_for(user: User, institution: Institution) -> list[Panel]:
    """The blocks a user gets to see below an institution."""
    return [panel for maker in _MAKERS if (panel := maker(user, institution))]
