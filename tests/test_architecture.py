"""Rooms import downwards only, by absolute names (docs: map of the rooms in the README)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

# Each may import from those before it; a room that does not stand yet has its place already.
ROOMS = (
    "common",
    "accounts",
    "institutions",
    "policies",
    "projects",
    "matching",
    "referrals",
    "reports",
    "kashgar_finance",
)
OUTSIDE = ("tests", "benchmarks")
FORBIDDEN_NAMES = {"utils.py", "helpers.py", "misc.py"}
STANDING = [room for room in ROOMS if (settings.BASE_DIR / room).is_dir()]


def sources(room: str) -> list[Path]:
    """Return the Python files of a room."""
    return sorted((settings.BASE_DIR / room).rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and module of every import in a file; a relative one begins with a dot."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield node.lineno, "." * node.level + (node.module or "")


def wrong_imports(path: Path, room: str) -> list[str]:
    """Return what a file of a room imports from above, from tests, or relatively."""
    above = {*ROOMS[ROOMS.index(room) + 1 :], *OUTSIDE, ""}
    return [
        f"{path.name}:{line} imports {module}"
        for line, module in imports(path)
        if module.partition(".")[0] in above
    ]


@pytest.mark.parametrize("room", STANDING)
def test_a_room_imports_only_from_the_rooms_below_it(room: str) -> None:
    assert sources(room)
    assert [wrong for path in sources(room) for wrong in wrong_imports(path, room)] == []


def test_every_room_of_the_house_has_its_place_in_the_order() -> None:
    standing = {path.parent.name for path in settings.BASE_DIR.glob("*/apps.py")}
    assert standing == set(STANDING) - {"kashgar_finance"}
    assert {app for app in settings.INSTALLED_APPS if app in ROOMS} == standing


@pytest.mark.parametrize("room", STANDING)
def test_files_are_named_by_their_subject(room: str) -> None:
    assert FORBIDDEN_NAMES & {path.name for path in sources(room)} == set()


@pytest.mark.parametrize(
    ("line", "is_wrong"),
    [
        ("from common import audit", False),
        ("import institutions.models", True),
        ("from kashgar_finance.celery import app", True),
        ("def f():\n    from reports.models import Bulletin", True),
        ("from .models import User", True),
        ("from . import models", True),
        ("import commonplace", False),
    ],
)
def test_the_rule_sees_what_it_must(tmp_path: Path, line: str, is_wrong: bool) -> None:
    path = tmp_path / "example.py"
    path.write_text(line, encoding="utf-8")
    assert bool(wrong_imports(path, "accounts")) == is_wrong
