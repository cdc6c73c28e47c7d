"""The job ledger: claim, lease, attempts, progress, cancel, sweep.

A broker may lose or repeat a message. So a message only says "look at job 7"; whether job 7 is to
be done, by whom it is being done and whether it was done is decided by compare-and-set on its row.
A worker that lost its lease finds out at its next step and its result is not taken.
"""

import logging
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from celery import current_app, shared_task
from celery.exceptions import NotRegistered
from django.db import (
    IntegrityError,
    OperationalError,
    close_old_connections,
    connection,
    transaction,
)
from django.db.models import F, Q
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from common import audit
from common.choices import JobState
from common.errors import DomainError, IllegalMove
from common.models import Job

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
HEARTBEAT_SECONDS = 8.0
RESEND_AFTER = timedelta(seconds=30)
MAX_ATTEMPTS = 3
FAULT_SENTENCE = "程序出错，已记录。请再试一次；仍不成功请把任务编号告诉系统管理员。"
LOST_SENTENCE = f"执行了 {MAX_ATTEMPTS} 次都没有完成（工作进程中断）。请联系系统管理员。"


class JobStopped(Exception):
    """The job was cancelled, or its lease passed to another worker: stop without a trace."""


def enqueue(task: str, *, by: Any, title: str, arguments: dict[str, Any], key: str = "") -> Job:
    """Put work into the ledger and wake a worker after commit.

    With a `key`, a job with the same key that still waits or runs is returned instead.
    """
    try:
        with transaction.atomic():
            job = Job.objects.create(
                task=task, title=title, arguments=arguments, key=key, requested_by=by
            )
            audit.record("jobs.enqueue", by=by, on=job, after={"task": task, **arguments})
    except IntegrityError:
        if key and (active := Job.objects.active().filter(key=key).first()):
            return active
        raise  # not the key; or the job that held it ended this instant, then asking again helps
    # Not a partial: Django logs a failed callback by its name, and a partial has none.
    transaction.on_commit(lambda: send(job), robust=True)
    return job


def send(job: Job) -> None:
    """Wake a worker for a queued job. A broker that is down costs a delay, not the job."""
    Job.objects.filter(pk=job.pk).update(sent_at=timezone.now())
    if job.task not in current_app.tasks:  # a web process has not looked for tasks yet
        current_app.loader.import_default_modules()
    try:
        current_app.tasks[job.task].delay(job.pk)
    except (BrokerError, OSError, NotRegistered):
        logger.warning("job %s was not sent and waits for the sweeper", job.pk, exc_info=True)


@dataclass(frozen=True)
class Claim:
    """A worker's hold on a running job."""

    job: Job
    token: uuid.UUID

    def progress(self, done: int, total: int, note: str = "") -> None:
        """Say how far the work is and renew the lease. Raises JobStopped when it was taken."""
        self._update(progress_done=done, progress_total=total, progress_note=note)
        if Job.objects.filter(pk=self.job.pk, is_cancel_requested=True).exists():
            raise JobStopped

    def renew(self) -> None:
        """Renew the lease. Raises JobStopped when another worker holds it."""
        self._update()

    def end(self, state: JobState, **values: Any) -> None:
        """Write how the job ended. Raises JobStopped when it is no longer ours to end."""
        self._update(state=state, finished_at=timezone.now(), claim_token=None, **values)

    def _update(self, **values: Any) -> None:
        values.setdefault("lease_until", timezone.now() + LEASE)
        held = Job.objects.filter(pk=self.job.pk, claim_token=self.token, state=JobState.RUNNING)
        if not held.update(**values):
            raise JobStopped


def claim(job_id: int, *, now: datetime | None = None) -> Claim | None:
    """Take a job that waits, or whose worker died; None when there is nothing to take."""
    now = now or timezone.now()
    token = uuid.uuid4()
    free = Q(state=JobState.QUEUED) | Q(state=JobState.RUNNING, lease_until__lt=now)
    open_jobs = Job.objects.filter(free, attempts__lt=MAX_ATTEMPTS, is_cancel_requested=False)
    taken = open_jobs.filter(pk=job_id).update(
        state=JobState.RUNNING,
        claim_token=token,
        lease_until=now + LEASE,
        attempts=F("attempts") + 1,
        started_at=now,
        progress_done=0,
        progress_note="",
    )
    return Claim(Job.objects.get(pk=job_id), token) if taken else None


Work = Callable[[Claim], dict[str, Any]]


def perform(job_id: int, work: Work) -> None:
    """Claim a job, do it, write how it ended. Does nothing when another worker has it.

    A worker may die between the work and its end, so the work must be able to run twice; it opens
    its own transactions, for progress written inside one would be seen only at its end.
    """
    if (held := claim(job_id)) is None:
        return
    try:
        held.end(JobState.SUCCEEDED, result=work(held))
    except JobStopped:
        _end_if_cancelled(held)
    except DomainError as refusal:
        _end_failed(held, refusal.message)
    except Exception:  # a fault in the program: the person gets a sentence, the log the trace
        logger.exception("job %s failed", job_id)
        _end_failed(held, FAULT_SENTENCE)


def _end_failed(held: Claim, sentence: str) -> None:
    try:
        held.end(JobState.FAILED, error=sentence)
    except JobStopped:
        logger.warning("job %s ended elsewhere", held.job.pk)


def _end_if_cancelled(held: Claim) -> None:
    if Job.objects.filter(pk=held.job.pk, is_cancel_requested=True).exists():
        try:
            held.end(JobState.CANCELLED)
        except JobStopped:
            logger.warning("job %s ended elsewhere", held.job.pk)


def job_task(name: str) -> Callable[[Work], Any]:
    """Make a Celery task out of a function of a claim that returns the job's result."""

    def decorate(work: Work) -> Any:
        @shared_task(name=name, bind=True)
        @wraps(work)
        def task(self: Any, job_id: int) -> None:
            if self.request.is_eager:
                perform(job_id, work)
                return
            perform(job_id, _with_heartbeat(work))

        return task

    return decorate


def _with_heartbeat(work: Work) -> Work:
    def beating(held: Claim) -> dict[str, Any]:
        with _heartbeat(held):
            return work(held)

    return beating


@contextmanager
def _heartbeat(held: Claim) -> Iterator[None]:
    """Renew the lease from a second connection while one long step runs.

    SQLite has one writer: there the lease has to outlast the longest single transaction.
    """
    done = threading.Event()
    thread = threading.Thread(target=_beat_until, args=(done, held), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _beat_until(done: threading.Event, held: Claim) -> None:
    try:
        while not done.wait(HEARTBEAT_SECONDS):
            try:
                held.renew()
            except OperationalError:  # locked or away just now; the lease outlasts several beats
                logger.warning("lease of job %s not renewed", held.job.pk, exc_info=True)
                connection.close()
    except JobStopped:
        logger.warning("job %s lost its lease", held.job.pk)
    finally:
        connection.close()


def cancel(*, job_id: int, by: Any) -> Job:
    """Cancel a waiting job at once; ask a running one to stop at its next step."""
    job = Job.objects.visible_to(by).get(pk=job_id)
    waiting = Job.objects.filter(pk=job.pk, state=JobState.QUEUED)
    running = Job.objects.filter(pk=job.pk, state=JobState.RUNNING)
    with transaction.atomic():
        if not (
            waiting.update(state=JobState.CANCELLED, finished_at=timezone.now())
            or running.update(is_cancel_requested=True)
        ):
            raise IllegalMove("任务已经结束，不能再取消。")
        before = {"state": job.state}
        job.refresh_from_db()
        after = {"state": job.state, "is_cancel_requested": job.is_cancel_requested}
        audit.record("jobs.cancel", by=by, on=job, before=before, after=after)
    return job


def sweep(*, now: datetime | None = None) -> dict[str, int]:
    """Send again what waits too long or lost its worker; give up what was tried enough."""
    now = now or timezone.now()
    orphaned = Job.objects.filter(state=JobState.RUNNING, lease_until__lt=now)
    stopped = orphaned.filter(is_cancel_requested=True).update(
        state=JobState.CANCELLED, finished_at=now
    )
    lost = orphaned.filter(attempts__gte=MAX_ATTEMPTS).update(
        state=JobState.FAILED, finished_at=now, error=LOST_SENTENCE
    )
    orphaned.update(state=JobState.QUEUED, sent_at=None, claim_token=None)
    stale = Q(sent_at=None) | Q(sent_at__lt=now - RESEND_AFTER)
    waiting = list(Job.objects.filter(stale, state=JobState.QUEUED).order_by("pk")[:200])
    for job in waiting:
        send(job)
    return {"sent": len(waiting), "lost": lost, "cancelled": stopped}


@shared_task(name="common.sweep_jobs")
def sweep_jobs() -> None:
    """Run the sweeper; on the schedule of `kashgar_finance.celery`."""
    close_old_connections()
    sweep()
