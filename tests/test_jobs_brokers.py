"""Real workers on both brokers: one is killed in the middle of a job, the job is done once.

The worker is a process of its own on the test database. The filesystem broker is always tried;
Redis where REDIS_URL names one, and then a Redis that does not answer is a failure.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from celery import Celery
from django.conf import settings
from django.db import connection

from accounts.choices import Role
from accounts.models import User
from common.choices import JobState
from common.jobs import enqueue, send, sweep
from common.models import Job
from tests.job_tasks import COUNT_TO, WRITE_DOWN
from tests.test_jobs import after_lease, as_current

WORKER = (sys.executable, "-m", "celery", "-q", "-A", "kashgar_finance", "--skip-checks")
OPTIONS = ("-l", "WARNING", "-c", "1", "-I", "tests.job_tasks", "--without-gossip")
PATIENCE_SECONDS = 30
QUEUE = f"tests-{os.getpid()}"


@dataclass
class Desk:
    """A broker with its workers."""

    folder: Path
    environment: dict[str, str]
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start_worker(self) -> subprocess.Popen[bytes]:
        """Start a worker process that takes from the queue of these tests."""
        with (self.folder / "worker.log").open("ab") as log:
            worker = subprocess.Popen(
                (*WORKER, "worker", *OPTIONS, "-Q", QUEUE),
                env=os.environ | self.environment,
                cwd=settings.BASE_DIR,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.workers.append(worker)
        return worker

    def log(self) -> str:
        """Return what the workers had to say, for the message of a test that fails."""
        return (self.folder / "worker.log").read_text(encoding="utf-8")


def kill_group(worker: subprocess.Popen[bytes]) -> None:
    """Pull the plug: the worker and all it started are gone at once."""
    if worker.poll() is None:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()


def database_url() -> str:
    """Return the address of the test database, for another process."""
    given = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{given['NAME']}"
    login = f"{quote(given['USER'])}:{quote(given['PASSWORD'])}"
    return f"postgres://{login}@{given['HOST']}:{given['PORT'] or 5432}/{given['NAME']}"


def filesystem_queue(folder: Path) -> Celery:
    """Return the sender's side of the queue that a worker with this DATA_DIR reads."""
    messages, control = folder / "queue" / "messages", folder / "queue" / "control"
    for path in (messages, control):
        path.mkdir(parents=True)
    queue = Celery("desk", broker="filesystem://", set_as_current=False)
    queue.conf.broker_transport_options = {
        "data_folder_in": str(messages),
        "data_folder_out": str(messages),
        "control_folder": str(control),
    }
    return queue


def redis_queue() -> Celery:
    """Return the sender's side of the queue in Redis."""
    queue = Celery("desk", broker=settings.REDIS_URL, set_as_current=False)
    queue.conf.broker_transport_options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    return queue


@pytest.fixture(params=["filesystem", pytest.param("redis", marks=pytest.mark.services)])
def desk(request: pytest.FixtureRequest, tmp_path: Path, transactional_db: None) -> Iterator[Desk]:
    """A broker of each kind; its workers do not outlive the test."""
    if request.param == "redis" and not settings.REDIS_URL:
        pytest.skip("REDIS_URL is not set")
    is_redis = request.param == "redis"
    queue = redis_queue() if is_redis else filesystem_queue(tmp_path)
    queue.conf.task_default_queue = QUEUE
    address = settings.REDIS_URL if is_redis else ""
    environment = {
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": database_url(),
        "REDIS_URL": address,
    }
    desk = Desk(tmp_path, environment)
    for _ in as_current(queue):
        yield desk
        for worker in desk.workers:
            kill_group(worker)
        with queue.connection_for_write() as broker:
            channel: Any = broker.default_channel
            channel.queue_delete(QUEUE)


@pytest.fixture
def officer(transactional_db: None) -> User:
    """Who asks for the work."""
    person = User(username="officer", full_name="干部", role=Role.BUREAU, password="!")
    person.save()
    return person


def wait_until(is_so: Callable[[], bool], desk: Desk) -> None:
    """Wait for a worker to get there."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, desk.log()
        assert desk.workers[-1].poll() is None, desk.log()
        time.sleep(0.05)


def state_of(job: Job) -> str:
    """Return where the job stands now."""
    job.refresh_from_db()
    return job.state


def lines_of(diary: Path) -> list[str]:
    """Return what stands in the diary of a job."""
    return diary.read_text().splitlines() if diary.exists() else []


@pytest.fixture
def begun(desk: Desk, officer: User) -> Job:
    """A job that a worker process is in the middle of."""
    paths = {"diary": str(desk.folder / "diary"), "go_on": str(desk.folder / "go-on")}
    desk.start_worker()
    job = enqueue(WRITE_DOWN, by=officer, title="写日记", arguments=paths)
    wait_until(lambda: state_of(job) == JobState.RUNNING and job.percent == 50, desk)
    assert job.progress_note == "写了一半"
    return job


@pytest.mark.parametrize("is_power_cut", [True, False], ids=["power cut", "pool process"])
def test_a_job_whose_worker_is_killed_is_done_exactly_once(
    begun: Job, desk: Desk, officer: User, is_power_cut: bool
) -> None:
    diary = desk.folder / "diary"
    first = int(lines_of(diary)[0].removeprefix("begin "))
    if is_power_cut:
        kill_group(desk.workers[0])
        desk.start_worker()
    else:
        os.kill(first, signal.SIGKILL)
    assert state_of(begun) == JobState.RUNNING
    assert sweep()["sent"] == 0  # the lease still runs: it might be alive
    assert sweep(now=after_lease(begun))["sent"] == 1
    (desk.folder / "go-on").touch()
    wait_until(lambda: state_of(begun) == JobState.SUCCEEDED, desk)

    send(begun)  # a message too many; the job behind it shows that it was read
    marker = enqueue(COUNT_TO, by=officer, title="数数", arguments={"number": 1})
    wait_until(lambda: state_of(marker) == JobState.SUCCEEDED, desk)
    begun.refresh_from_db()
    second = begun.result["by"]
    assert second != first
    assert lines_of(diary) == [f"begin {first}", f"begin {second}", f"end {second}"]
    assert (begun.attempts, marker.attempts) == (2, 1)
