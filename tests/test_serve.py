"""`manage.py serve`: it starts, says where, survives the death of its parts, ends without rest."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django import Settings

from accounts.models import User
from common.management.commands import vendor_assets
from common.management.commands.serve import (
    NotReady,
    accounts_to_print,
    collect_static,
    is_demo_wanted,
    listening_on,
    only_one,
)
from common.supervisor import FIRST_DELAY, LONGEST_DELAY, STEADY_SECONDS, Child

PATIENCE_SECONDS = 30
SUPERVISOR = """
import json, sys
from common.supervisor import supervise
supervise(json.loads(sys.argv[1]))
"""
# A process that writes down itself and its own child, and waits.
FAMILY = 'sleep 300 & echo $$ $! >>"$0"; wait'


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    """Wait for something that is going to be so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    """Whether a process still runs; one that only waits to be buried does not."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# --- the supervisor


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A supervisor of one process, and the file in which that process writes who it is."""
    diary = tmp_path / "pids"
    commands = json.dumps({"family": ["sh", "-c", FAMILY, str(diary)]})
    process = subprocess.Popen(
        (sys.executable, "-c", SUPERVISOR, commands),
        cwd=settings.BASE_DIR,
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: len(pids(diary)) == 1, "the process did not start")
    yield process, diary
    process.kill()
    process.wait()
    for parent, child in pids(diary):
        for pid in (parent, child):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def pids(diary: Path) -> list[list[int]]:
    """Return who has been started so far: process and child, in order."""
    lines = diary.read_text().splitlines() if diary.exists() else []
    return [[int(pid) for pid in line.split()] for line in lines if " " in line]


def test_a_killed_process_comes_back_and_leaves_nothing_behind(
    supervisor: tuple[subprocess.Popen[bytes], Path],
) -> None:
    _, diary = supervisor
    parent, child = pids(diary)[0]
    os.kill(parent, signal.SIGKILL)
    wait_until(lambda: len(pids(diary)) == 2, "the process did not come back")
    assert not is_alive(child)
    assert is_alive(pids(diary)[1][0])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_end_is_the_end_of_all(
    supervisor: tuple[subprocess.Popen[bytes], Path], number: signal.Signals
) -> None:
    process, diary = supervisor
    process.send_signal(number)
    assert process.wait(PATIENCE_SECONDS) == 0
    assert [pid for pid in pids(diary)[0] if is_alive(pid)] == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of the death")
def test_processes_do_not_outlive_a_supervisor_that_is_killed(
    supervisor: tuple[subprocess.Popen[bytes], Path],
) -> None:
    process, diary = supervisor
    process.kill()
    wait_until(lambda: not is_alive(pids(diary)[0][0]), "an orphan goes on")


def test_who_dies_again_and_again_waits_longer_each_time_but_not_for_ever() -> None:
    child = Child("short", ["true"])
    delays = [bury(child, ran_for=1.0) for _ in range(9)]
    assert delays[:4] == [FIRST_DELAY, 2 * FIRST_DELAY, 4 * FIRST_DELAY, 8 * FIRST_DELAY]
    assert delays[-1] == LONGEST_DELAY
    assert bury(child, ran_for=STEADY_SECONDS + 1) == FIRST_DELAY


def bury(child: Child, *, ran_for: float) -> float:
    """Let a process run and die; return how long it is to wait."""
    child.start(now=0.0, keep_open=())
    assert child.process is not None
    child.process.wait()
    child.bury(now=ran_for)
    return child.due_at - ran_for


# --- what is in the way


@pytest.mark.parametrize("port", ["abc", "0", "70000", "-1", "", "８０００"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(NotReady, match="1 到 65535"), listening_on(port):
        pass


def test_a_second_portal_on_the_same_data_is_refused() -> None:
    with only_one(), pytest.raises(NotReady, match="已在运行"), only_one():
        pass
    with only_one():  # the first has ended
        pass


def start_refused(tmp_path: Path, port: int, **environment: str) -> str:
    """Try to start the portal; return the one sentence it says."""
    clean = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
    result = subprocess.run(
        (sys.executable, "manage.py", "serve", "--port", str(port)),
        cwd=settings.BASE_DIR,
        env=clean | {"DATA_DIR": str(tmp_path), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 1
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1, result.stderr
    return result.stderr


def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        sentence = start_refused(tmp_path, port)
    assert f"端口 {port} 已被占用" in sentence
    assert "./run --port" in sentence


def test_a_database_that_cannot_be_reached_is_one_sentence(tmp_path: Path) -> None:
    address = "postgres://clerk:secret@127.0.0.1:1/portal"
    sentence = start_refused(tmp_path, free_port(), DATABASE_URL=address)
    assert "数据库连不上（127.0.0.1:1/portal）" in sentence
    assert "DATABASE_URL" in sentence
    assert "secret" not in sentence


def test_a_queue_that_cannot_be_reached_is_one_sentence(tmp_path: Path) -> None:
    address = "redis://:secret@127.0.0.1:1/0"
    sentence = start_refused(tmp_path, free_port(), REDIS_URL=address)
    assert "队列连不上" in sentence
    assert "REDIS_URL" in sentence
    assert "secret" not in sentence


# --- the demo


@pytest.mark.parametrize(
    ("environment", "has_accounts", "answer", "is_wanted"),
    [
        ({}, False, None, True),  # one desk, fresh, nobody to ask
        ({}, True, None, False),
        ({}, False, "", True),
        ({}, False, "y", True),
        ({}, False, "n", False),
        ({}, True, "y", False),  # not even asked
        ({"KASHGAR_DEMO": "no"}, False, None, False),
        ({"KASHGAR_DEMO": "no"}, False, "y", False),
        ({"KASHGAR_DEMO": "yes"}, True, None, True),
        # Accounts with a public password do not come into an office by themselves.
        ({"DATABASE_URL": "postgres://127.0.0.1/portal"}, False, None, False),
        ({"DATABASE_URL": "postgres://127.0.0.1/portal"}, False, "y", True),
        ({"DATABASE_URL": "postgres://127.0.0.1/portal", "KASHGAR_DEMO": "yes"}, True, None, True),
    ],
)
def test_the_demo_is_offered_to_a_portal_without_accounts(
    request: pytest.FixtureRequest,
    register: None,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    has_accounts: bool,
    answer: str | None,
    is_wanted: bool,
) -> None:
    for name in ("KASHGAR_DEMO", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    if has_accounts:
        request.getfixturevalue("bureau")
    monkeypatch.setattr("sys.stdin.isatty", lambda: answer is not None, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: answer)
    assert is_demo_wanted() == is_wanted


def test_a_portal_behind_https_gets_no_demo_by_itself(
    register: None, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    settings.HTTPS = True
    assert not is_demo_wanted()


def test_the_accounts_printed_are_those_of_the_demo_that_stand(bureau: User) -> None:
    title, line = accounts_to_print()
    assert "口令" in title
    assert line.split() == ["bureau", "财政局", "·", "地区财政局"]


def test_where_nobody_can_log_in_it_says_how_to_get_an_account(bureau: User) -> None:
    bureau.is_active = False
    bureau.save()
    assert "create_account" in "".join(accounts_to_print())


def test_the_accounts_of_an_office_are_not_printed(bureau: User) -> None:
    bureau.username = "ayi"
    bureau.save()
    assert accounts_to_print() == []


# --- styles, scripts, fonts


@pytest.fixture
def static_root(tmp_path: Path, settings: Settings) -> Path:
    """The storage of the portal itself, collecting into a folder of the test."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.css").write_text('@font-face { src: url("font.woff2?v1") }')
    (source / "font.woff2").write_bytes(b"font")
    settings.STATICFILES_DIRS = [source]
    settings.STATIC_ROOT = tmp_path / "collected"
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "common.storage.PortalStaticStorage"}
    }
    return tmp_path


def test_static_files_are_collected_again_only_when_one_changed(static_root: Path) -> None:
    collected = static_root / "collected"
    collect_static()
    names = {path.name for path in collected.glob("*.css*")}
    hashed = next(name for name in names if name not in ("a.css", "a.css.gz"))
    assert hashed.startswith("a.")
    assert 'url("font.' in (collected / hashed).read_text()
    assert (collected / "font.woff2").exists()

    (collected / "a.css").unlink()
    collect_static()
    assert not (collected / "a.css").exists()  # nothing changed, nothing done
    (static_root / "source" / "a.css").write_text("b { color: red }")
    collect_static()
    assert (collected / "a.css").read_text() == "b { color: red }"
    assert not (collected / hashed).exists()


def test_a_vendored_style_sheet_does_not_point_to_what_was_not_copied(tmp_path: Path) -> None:
    source, target = tmp_path / "x.css", tmp_path / "vendor" / "x.css"
    source.write_text("a{color:red}\n/*# sourceMappingURL=x.css.map */")
    vendor_assets.copy_asset(source, target)
    assert target.read_text().strip() == "a{color:red}"


def test_fonts_lie_where_the_icon_styles_look_for_them(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = tmp_path / "node_modules"
    for source in vendor_assets.ASSETS:
        (packages / source).parent.mkdir(parents=True, exist_ok=True)
        (packages / source).write_text(source)
    settings.VENDOR_DIR = tmp_path / "vendor"
    monkeypatch.setattr(vendor_assets, "PACKAGES", packages)
    call_command("vendor_assets")
    vendored = {str(p.relative_to(settings.VENDOR_DIR)) for p in settings.VENDOR_DIR.rglob("*.*")}
    assert vendored == set(vendor_assets.ASSETS.values())
    fonts = {name for name in vendored if name.startswith("fonts/")}
    assert fonts == {f"fonts/tabler-icons.{kind}" for kind in ("woff2", "woff", "ttf")}


def test_a_package_that_is_not_installed_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vendor_assets, "PACKAGES", tmp_path)
    with pytest.raises(CommandError, match="./run setup"):
        call_command("vendor_assets")


# --- all of it


def answer_of(port: int, path: str) -> int:
    """Return the status the portal answers with; 0 while nobody answers."""
    with suppress(OSError, http.client.HTTPException):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", path)
        return connection.getresponse().status
    return 0


def children_of(pid: int) -> list[int]:
    """Return the processes a process has started."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


def test_the_portal_starts_survives_and_ends(tmp_path: Path) -> None:
    port = free_port()
    clean = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
    log = tmp_path / "log"
    with log.open("wb") as output:
        portal = subprocess.Popen(
            (sys.executable, "manage.py", "serve", "--port", str(port)),
            cwd=settings.BASE_DIR,
            env=clean | {"DATA_DIR": str(tmp_path / "data"), "KASHGAR_DEMO": "no"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        wait_until(lambda: f"http://127.0.0.1:{port}/" in log.read_text(), "no address")
        assert answer_of(port, "/login/") == 200
        children = children_of(portal.pid)
        family = {*children, *(pid for child in children for pid in children_of(child))}
        assert len(children) == 3
        web = children[0]
        os.kill(web, signal.SIGKILL)
        wait_until(lambda: web not in children_of(portal.pid), "the dead one was not missed")
        assert answer_of(port, "/login/") == 200, log.read_text()
        wait_until(lambda: len(children_of(portal.pid)) == 3, "web did not come back")
        family |= {pid for child in children_of(portal.pid) for pid in children_of(child)}
        portal.send_signal(signal.SIGINT)
        assert portal.wait(PATIENCE_SECONDS) == 0, log.read_text()
        assert [pid for pid in family if is_alive(pid)] == []
    finally:
        portal.kill()
        portal.wait()
