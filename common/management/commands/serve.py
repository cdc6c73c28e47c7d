"""`serve`: bring everything up to date, then run web, worker and scheduler until stopped."""

import errno
import fcntl
import hashlib
import http.client
import json
import os
import socket
import sys
import threading
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import StringIO
from typing import Any

from celery import current_app
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import OperationalError, connection
from kombu.exceptions import OperationalError as BrokerError

from common.errors import DomainError
from common.supervisor import supervise

HOST = "127.0.0.1"
CELERY = (sys.executable, "-m", "celery", "-q", "-A", "kashgar_finance", "--skip-checks")
WEB = (sys.executable, "-m", "gunicorn", "kashgar_finance.wsgi", "--threads", "4")
WEB_OPTIONS = ("--log-level", "warning", "--graceful-timeout", "5", "--no-control-socket")
WORKER_OPTIONS = ("-c", "2", "--without-gossip", "--without-mingle", "--without-heartbeat")
# The API speaks JSON only; the pictures and scripts of its browsable pages are not served.
NOT_COLLECTED = ["rest_framework"]


class NotReady(DomainError):
    """Something is in the way of a start; the sentence says what to do."""


class Command(BaseCommand):
    """Run the portal on this machine."""

    help = "Prepare the database and the static files, then run web, worker and scheduler."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the port; without it the environment's PORT counts."""
        parser.add_argument("--port", default=os.environ.get("PORT") or "8000", help="1-65535")

    def handle(self, *args: Any, port: str, **options: Any) -> None:
        """Return after an orderly end; exit 1 with one sentence where it cannot start."""
        try:
            with listening_on(port) as listener, only_one():
                self.prepare()
                self.run(listener)
        except DomainError as refusal:
            self.stderr.write(refusal.message)
            sys.exit(1)
        except KeyboardInterrupt:  # before the processes were started
            sys.exit(130)

    def prepare(self) -> None:
        """Bring database, reference data and static files up to date; offer the demo."""
        reach_database()
        reach_broker()
        self.stdout.write("正在检查数据库和基础资料…")
        call_command("migrate", verbosity=0, interactive=False)
        call_command("load_reference", stdout=StringIO())
        collect_static()
        if is_demo_wanted():
            self.stdout.write("正在装入演示数据…")
            call_command("seed_demo", "--freeze", stdout=StringIO())
        connection.close()

    def run(self, listener: socket.socket) -> None:
        """Keep the three processes running until a signal ends them."""
        os.chdir(settings.BASE_DIR)
        os.environ.setdefault("WEB_CONCURRENCY", "2")
        commands = {
            "web": (*WEB, *WEB_OPTIONS, "--bind", f"fd://{listener.fileno()}"),
            "worker": (*CELERY, "worker", "-l", "WARNING", *WORKER_OPTIONS),
            "beat": (*CELERY, "beat", "-l", "WARNING"),
        }
        port = listener.getsockname()[1]
        accounts = accounts_to_print()
        connection.close()
        threading.Thread(target=self.announce, args=(port, accounts), daemon=True).start()
        supervise(commands, keep_open=[listener.fileno()])
        self.stdout.write("门户已停止。")

    def announce(self, port: int, accounts: list[str]) -> None:
        """Print the address and the accounts as soon as the web process answers."""
        with suppress(OSError, http.client.HTTPException):
            probe = http.client.HTTPConnection(HOST, port, timeout=60)
            probe.request("GET", "/healthz")
            probe.getresponse()
        lines = [f"\n门户已启动：http://{HOST}:{port}/  （按 Ctrl-C 停止）", *accounts]
        self.stdout.write("\n".join(lines))
        self.stdout.flush()


@contextmanager
def listening_on(port: str) -> Iterator[socket.socket]:
    """Hold the address for as long as the portal runs, whichever web process answers on it."""
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise NotReady(f"端口“{port}”不对，请写 1 到 65535 之间的数字，例如 ./run --port 8001。")
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, int(port)))
        except OSError as error:
            raise NotReady(_port_sentence(int(port), error)) from error
        listener.listen(128)
        yield listener


def _port_sentence(port: int, error: OSError) -> str:
    if error.errno == errno.EACCES:
        return f"没有权限使用端口 {port}，请换一个 1024 以上的端口，例如 ./run --port 8000。"
    other = port + 1 if port < 65535 else 8000
    return f"端口 {port} 已被占用，请先停掉占用它的程序，或换一个端口：./run --port {other}"


@contextmanager
def only_one() -> Iterator[None]:
    """Refuse a second portal on the same data: two schedulers would do everything twice."""
    with (settings.DATA_DIR / "serve.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise NotReady(
                f"门户已在运行（数据目录 {settings.DATA_DIR}），请先停掉它，"
                "或用环境变量 DATA_DIR 指定另一个数据目录。"
            ) from error
        yield


def reach_database() -> None:
    """Refuse to start without the database."""
    try:
        connection.ensure_connection()
    except OperationalError as error:
        raise NotReady(
            f"数据库连不上（{_database_address()}），请确认它已启动、库已建好，"
            f"并检查环境变量 DATABASE_URL；原因：{_first_line(error)}"
        ) from error


def _database_address() -> str:
    given = connection.settings_dict
    if not given["HOST"]:
        return str(given["NAME"])
    return f"{given['HOST']}:{given['PORT'] or '默认端口'}/{given['NAME']}"


def reach_broker() -> None:
    """Refuse to start without the queue."""
    with current_app.connection_for_write(connect_timeout=3) as broker:
        try:
            broker.ensure_connection(max_retries=1, interval_start=0, timeout=5)
        except (BrokerError, OSError, ValueError) as error:
            raise NotReady(
                f"队列连不上（{broker.as_uri()}），请确认 Redis 已启动，并检查环境变量 "
                f"REDIS_URL（不设置它就用内置队列）；原因：{_first_line(error)}"
            ) from error


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


def collect_static() -> None:
    """Collect styles, scripts and fonts again when any of them changed."""
    stamp, digest = settings.STATIC_ROOT / "collected.digest", static_digest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    call_command(
        "collectstatic",
        verbosity=0,
        interactive=False,
        clear=True,
        ignore_patterns=NOT_COLLECTED,
    )
    stamp.write_text(digest)


def static_digest() -> str:
    """Return a digest over the names and contents of everything that would be collected."""
    seal = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list(NOT_COLLECTED):
            seal.update(path.encode())
            with storage.open(path) as file:
                seal.update(file.read())
    return seal.hexdigest()


def is_demo_wanted() -> bool:
    """Decide on the demo data: by KASHGAR_DEMO, by asking, or for a fresh portal of one desk.

    A portal in which somebody can log in already is never asked about. Nor does one with its own
    database get accounts with a public password unless somebody says so.
    """
    if answer := os.environ.get("KASHGAR_DEMO", ""):
        return answer.lower() in ("1", "y", "yes", "true", "on")
    if get_user_model()._default_manager.filter(is_active=True).exists():
        return False
    if sys.stdin is not None and sys.stdin.isatty():
        return input("是否载入演示数据？[Y/n] ").strip().lower() in ("", "y", "yes", "是")
    return not os.environ.get("DATABASE_URL") and not settings.HTTPS


def accounts_to_print() -> list[str]:
    """Return the demo's accounts that can log in; where nobody can, how to get an account."""
    if lines := demo_accounts():
        return lines
    if get_user_model()._default_manager.filter(is_active=True).exists():
        return []
    return [
        "还没有账号。建立账号：.venv/bin/python manage.py create_account --help",
        "或载入演示数据和演示账号：KASHGAR_DEMO=yes ./run",
    ]


def demo_accounts() -> list[str]:
    """Return a line for each account of the demo that can log in, ready to print."""
    demo = json.loads((settings.FIXTURES / "demo" / "accounts.json").read_text(encoding="utf-8"))
    entries = {entry["username"]: entry for entry in demo["accounts"]}
    users = get_user_model()._default_manager.filter(username__in=entries, is_active=True)
    roles = {user.get_username(): user.get_role_display() for user in users}
    lines = [
        f"  {name:<12}{role}{_place(entries[name])}"
        for name in entries
        if (role := roles.get(name)) is not None
    ]
    return [f"演示账号（合成数据，口令都是 {demo['password']}）：", *lines] if lines else []


def _place(entry: dict[str, str]) -> str:
    place = entry.get("institution") or entry.get("department") or entry.get("region")
    return f" · {place}" if place else ""
