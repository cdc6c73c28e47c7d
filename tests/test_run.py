"""`./run`: its words, what it installs and when, what it says when something is in the way.

The script is tried in a folder of its own with a Python that only pretends to install.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings

LOCKS = ("requirements.txt", "requirements-dev.txt", "package-lock.json")
VENDOR = "common/management/commands/vendor_assets.py"
# Answers the questions of `run` and makes an environment whose Python writes down its work.
PYTHON = """#!/bin/sh
case "$*" in
*version_info*) exit ${TOO_OLD:-0} ;;
*"import ensurepip"*) exit ${NO_VENV:-0} ;;
"-m venv .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
*) echo "$*" >>work.log; [ "$*" != "${FAILING:-}" ] ;;
esac
"""
PYTEST = """#!/bin/sh
echo "pytest $*" >>work.log
"""


@dataclass
class House:
    """A checkout with nothing installed."""

    folder: Path

    def run(self, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Call `./run` on a machine that has a shell and one Python."""
        path = f"{self.folder}/bin:/usr/bin:/bin"
        return subprocess.run(
            [self.folder / "run", *words],
            env={"PATH": path, "PYTHON": "python-of-the-test", **environment},
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def work(self) -> list[str]:
        """Return what was done since the last look."""
        log = self.folder / "work.log"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return [line for line in lines if "pip --version" not in line]


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A checkout with nothing installed, and a pretended Python."""
    if shutil.which("uv", path="/usr/bin:/bin"):
        pytest.skip("uv would install in place of pip")
    shutil.copy(settings.BASE_DIR / "run", tmp_path)
    for name in (*LOCKS, VENDOR):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "build" / "vendor").mkdir(parents=True)
    write_script(tmp_path / "bin" / "python-of-the-test", PYTHON)
    return House(tmp_path)


def write_script(path: Path, text: str) -> None:
    """Write something that can be called."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def sentence_of(result: "subprocess.CompletedProcess[str]") -> str:
    """Return the one line said in place of the work; a refusal is never a success."""
    assert result.returncode not in (0, None)
    assert len(result.stderr.splitlines()) == 1, result.stderr
    return result.stderr.strip()


def test_help_lists_the_words_and_installs_nothing(house: House) -> None:
    result = house.run("help")
    assert result.returncode == 0
    for word in ("./run [--port N]", "./run setup", "./run test", "./run check", "./run help"):
        assert word in result.stdout
    assert house.work() == []


@pytest.mark.parametrize("word", ["tset", "--prot", "-x"])
def test_an_unknown_word_is_answered_with_the_words(house: House, word: str) -> None:
    result = house.run(word)
    assert result.returncode == 2
    assert "./run setup" in result.stderr
    assert house.work() == []


def test_setup_installs_once_and_again_when_a_lock_changed(house: House) -> None:
    assert house.run("setup").returncode == 0
    pip, npm, vendor = house.work()
    assert "-m pip install" in pip
    assert pip.endswith("--require-hashes -r requirements.txt")
    assert "ci --ignore-scripts" in npm
    assert vendor == "manage.py vendor_assets"

    assert house.run("setup").returncode == 0
    assert house.work() == []

    (house.folder / "requirements.txt").write_text("changed")
    house.run("setup")
    assert [line.rpartition(" ")[2] for line in house.work()] == ["requirements.txt"]

    (house.folder / "package-lock.json").write_text("changed")
    house.run("setup")
    assert [line.rpartition(" ")[2] for line in house.work()] == [
        "--loglevel=error",
        "vendor_assets",
    ]


def test_an_install_that_failed_is_tried_again(house: House) -> None:
    failing = "-m pip install -qq --disable-pip-version-check --require-hashes -r requirements.txt"
    result = house.run("setup", FAILING=failing)
    assert "没有装上" in sentence_of(result)
    assert house.work() == [failing]
    assert house.run("setup").returncode == 0
    assert house.work()[0] == failing


@pytest.mark.parametrize(
    ("words", "served"),
    [((), ""), (("--port", "8001"), " --port 8001"), (("--port=8001",), " --port=8001")],
)
def test_without_a_word_it_starts_the_portal(
    house: House, words: tuple[str, ...], served: str
) -> None:
    house.run("setup")
    house.work()
    assert house.run(*words).returncode == 0
    assert house.work() == [f"manage.py serve{served}"]


def test_test_hands_its_arguments_to_pytest(house: House) -> None:
    write_script(house.folder / ".venv" / "bin" / "pytest", PYTEST)
    shutil.copy(house.folder / "bin" / "python-of-the-test", house.folder / ".venv/bin/python")
    assert house.run("test", "-k", "money or months", "-x").returncode == 0
    work = house.work()
    assert work[0].endswith("requirements-dev.txt")
    assert work[-1] == "pytest -k money or months -x"


def test_an_old_python_is_one_sentence(house: House) -> None:
    assert "3.11" in sentence_of(house.run("setup", TOO_OLD="1"))
    assert not (house.folder / ".venv").exists()


def test_a_missing_venv_module_is_one_sentence_with_the_line_to_type(house: House) -> None:
    assert "sudo apt install python3-venv" in sentence_of(house.run(NO_VENV="1"))
    assert not (house.folder / ".venv").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [("DATABASE_URL", "localhost"), ("DATABASE_URL", "mysql://x/y"), ("REDIS_URL", "localhost")],
)
def test_an_address_that_is_none_is_one_sentence(house: House, name: str, value: str) -> None:
    assert name in sentence_of(house.run(**{name: value}))


def test_data_that_cannot_be_written_is_one_sentence(house: House) -> None:
    assert "DATA_DIR" in sentence_of(house.run("setup", DATA_DIR="/dev/null/var"))
    assert house.work() == []


def test_the_scripts_are_executable_and_the_locks_name_no_registry() -> None:
    for script in ("run", ".ci/run"):
        assert os.access(settings.BASE_DIR / script, os.X_OK)
    for lock in LOCKS:
        text = (settings.BASE_DIR / lock).read_text(encoding="utf-8")
        assert "://registry." not in text
        assert '"resolved"' not in text
        assert "--index-url" not in text
