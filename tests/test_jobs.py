"""The job ledger: one worker has a job, nothing is lost, nothing ends twice.

Workers are played by calls to `claim` and `perform`; real ones are killed in
`test_jobs_brokers.py`. Time is played by the `now` that claim and sweep take.
"""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery import Celery
from django.db import connection, connections
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.choices import Role
from accounts.models import User
from common.choices import JobState
from common.errors import IllegalMove, InvalidInput
from common.jobs import (
    FAULT_SENTENCE,
    LEASE,
    LOST_SENTENCE,
    MAX_ATTEMPTS,
    RESEND_AFTER,
    Claim,
    JobStopped,
    cancel,
    claim,
    enqueue,
    perform,
    sweep,
)
from common.models import AuditRecord, Job
from kashgar_finance.celery import app
from tests.job_tasks import COUNT_TO, LONG_STEP, take_a_long_step

NOTICE = timedelta(seconds=1)


@pytest.fixture
def officer(db: None) -> User:
    """Who asks for the work."""
    person = User(username="officer", full_name="干部", role=Role.BUREAU, password="!")
    person.save()
    return person


@pytest.fixture
def job(officer: User) -> Job:
    """A job that waits; in a test nothing is sent before the test says so."""
    return enqueue(COUNT_TO, by=officer, title="数数", arguments={"number": 3})


@pytest.fixture
def office_queue() -> Iterator[Celery]:
    """A queue that keeps what it is sent, in place of running it at once."""
    queue = Celery("office", broker="memory://", set_as_current=False)
    messages_in(queue)  # of tests before
    yield from as_current(queue)


@pytest.fixture
def dead_broker() -> Iterator[Celery]:
    """A queue behind which nobody answers."""
    queue = Celery("dead", broker="redis://127.0.0.1:1/0", set_as_current=False)
    queue.conf.task_publish_retry_policy = app.conf.task_publish_retry_policy
    yield from as_current(queue)


def as_current(queue: Celery) -> Iterator[Celery]:
    """Let tasks be sent to this queue while a test runs."""
    queue.set_current()
    try:
        yield queue
    finally:
        app.set_current()


def messages_in(queue: Celery) -> list[int]:
    """Take every message off the queue; return the numbers of the jobs they name."""
    numbers = []
    with queue.connection_for_read() as broker:
        waiting = broker.SimpleQueue(queue.conf.task_default_queue)
        while waiting.qsize():
            message = waiting.get(block=False)
            numbers.append(message.payload[0][0])
            message.ack()
    return numbers


def after_lease(job: Job) -> Any:
    """Return a moment at which the lease of a job has run out."""
    job.refresh_from_db()
    assert job.lease_until is not None
    return job.lease_until + NOTICE


def count(held: Claim) -> dict[str, Any]:
    """Do the work of a job that only counts."""
    for done in range(3):
        held.progress(done + 1, 3, f"第 {done + 1} 步")
    return {"counted": 3}


def refuse(held: Claim) -> dict[str, Any]:
    """Do work that the business refuses."""
    raise InvalidInput("第 7 行没有金额。")


def break_down(held: Claim) -> dict[str, Any]:
    """Do work with a fault in the program."""
    raise ZeroDivisionError


# --- asking for work


def test_a_job_is_sent_after_commit_and_audited(
    officer: User,
    office_queue: Celery,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        job = enqueue(COUNT_TO, by=officer, title="数数", arguments={"number": 3})
        assert messages_in(office_queue) == []
    assert messages_in(office_queue) == [job.pk]
    job.refresh_from_db()
    assert (job.state, job.attempts) == (JobState.QUEUED, 0)
    assert job.sent_at is not None
    line = AuditRecord.objects.get(action="jobs.enqueue")
    assert (line.actor_name, line.object_id) == ("干部", str(job.pk))


def test_the_task_does_the_job_it_is_sent(
    officer: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        job = enqueue(COUNT_TO, by=officer, title="数数", arguments={"number": 3})
    job.refresh_from_db()
    assert (job.state, job.result, job.percent) == (JobState.SUCCEEDED, {"counted": 3}, 100)


def test_the_same_key_is_one_job_while_it_is_active(officer: User) -> None:
    first = enqueue(COUNT_TO, by=officer, title="二月通报", arguments={}, key="bulletin-2022-02")
    again = enqueue(COUNT_TO, by=officer, title="二月通报", arguments={}, key="bulletin-2022-02")
    other = enqueue(COUNT_TO, by=officer, title="三月通报", arguments={}, key="bulletin-2022-03")
    assert again == first
    assert other != first
    assert AuditRecord.objects.filter(action="jobs.enqueue").count() == 2
    perform(first.pk, count)
    later = enqueue(COUNT_TO, by=officer, title="二月通报", arguments={}, key="bulletin-2022-02")
    assert later != first


def test_jobs_without_a_key_are_never_taken_for_each_other(officer: User) -> None:
    jobs = {enqueue(COUNT_TO, by=officer, title="数数", arguments={}).pk for _ in range(2)}
    assert len(jobs) == 2


def test_a_broker_that_is_down_at_commit_neither_raises_nor_loses(
    officer: User,
    dead_broker: Celery,
    office_queue: Celery,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    dead_broker.set_current()
    with django_capture_on_commit_callbacks(execute=True):
        job = enqueue(COUNT_TO, by=officer, title="数数", arguments={})
    job.refresh_from_db()
    assert job.state == JobState.QUEUED
    office_queue.set_current()  # the broker is back
    assert sweep()["sent"] == 0  # just sent, as far as anyone knows
    assert sweep(now=timezone.now() + RESEND_AFTER + NOTICE)["sent"] == 1
    assert messages_in(office_queue) == [job.pk]


# --- doing it


def test_a_job_is_claimed_once(job: Job) -> None:
    held = claim(job.pk)
    assert held is not None
    assert (held.job.state, held.job.attempts) == (JobState.RUNNING, 1)
    assert claim(job.pk) is None


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_that_want_a_job_at_once_one_gets_it(officer: User) -> None:
    job = enqueue("no.such.task", by=officer, title="数数", arguments={})
    ready, won = threading.Barrier(6), []

    def want() -> None:
        try:
            ready.wait(timeout=10)
            won.append(claim(job.pk))
        finally:
            connection.close()

    workers = [threading.Thread(target=want) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(won) == 6
    assert len([held for held in won if held]) == 1
    job.refresh_from_db()
    assert job.attempts == 1


@pytest.mark.django_db(transaction=True)
def test_progress_is_seen_outside_while_the_work_goes_on(officer: User) -> None:
    job = enqueue("no.such.task", by=officer, title="数数", arguments={})
    held = claim(job.pk)
    assert held is not None
    held.progress(2, 8, "读第 2 张表")
    seen: list[tuple[int | None, str]] = []

    def look() -> None:
        other = Job.objects.get(pk=job.pk)
        seen.append((other.percent, other.progress_note))
        connections.close_all()

    page = threading.Thread(target=look)
    page.start()
    page.join()
    assert seen == [(25, "读第 2 张表")]


def test_progress_renews_the_lease(job: Job) -> None:
    held = claim(job.pk, now=timezone.now() - LEASE)
    assert held is not None
    assert held.job.lease_until is not None
    held.progress(1, 3)
    job.refresh_from_db()
    assert job.lease_until is not None
    assert job.lease_until > held.job.lease_until + LEASE / 2


@pytest.mark.django_db(transaction=True)
def test_the_lease_is_renewed_while_a_long_step_says_nothing(
    officer: User, office_queue: Celery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("common.jobs.HEARTBEAT_SECONDS", 0.05)
    job = enqueue(LONG_STEP, by=officer, title="慢慢来", arguments={})
    take_a_long_step(job.pk)
    job.refresh_from_db()
    assert (job.state, job.result) == (JobState.SUCCEEDED, {"renewed": True})


def test_work_ends_with_its_result(job: Job) -> None:
    perform(job.pk, count)
    job.refresh_from_db()
    assert (job.state, job.result, job.error) == (JobState.SUCCEEDED, {"counted": 3}, "")
    assert job.finished_at is not None
    assert job.claim_token is None


@pytest.mark.parametrize(
    ("work", "sentence"), [(refuse, "第 7 行没有金额。"), (break_down, FAULT_SENTENCE)]
)
def test_work_that_fails_says_so_in_a_sentence(
    job: Job, work: Callable[[Claim], dict[str, Any]], sentence: str
) -> None:
    perform(job.pk, work)
    job.refresh_from_db()
    assert (job.state, job.error) == (JobState.FAILED, sentence)
    assert sweep(now=timezone.now() + LEASE * 2)["sent"] == 0  # tried, answered, not tried again


def test_a_message_that_comes_twice_does_the_work_once(job: Job) -> None:
    done = []

    def work(held: Claim) -> dict[str, Any]:
        done.append(held.job.pk)
        return {}

    for _ in range(2):
        perform(job.pk, work)
    job.refresh_from_db()
    assert (done, job.attempts) == ([job.pk], 1)


@pytest.mark.django_db
def test_a_message_about_no_job_does_nothing() -> None:
    perform(987_654, break_down)
    assert not Job.objects.exists()


# --- workers that die


def test_a_job_can_be_taken_over_only_when_its_lease_has_run_out(job: Job) -> None:
    assert claim(job.pk)
    assert claim(job.pk, now=after_lease(job) - 2 * NOTICE) is None
    taken_over = claim(job.pk, now=after_lease(job))
    assert taken_over is not None
    assert taken_over.job.attempts == 2


def test_the_sweeper_wakes_a_worker_for_an_orphan(job: Job, office_queue: Celery) -> None:
    assert claim(job.pk)
    assert sweep(now=after_lease(job) - 2 * NOTICE) == {"sent": 0, "lost": 0, "cancelled": 0}
    assert sweep(now=after_lease(job)) == {"sent": 1, "lost": 0, "cancelled": 0}
    job.refresh_from_db()
    assert (job.state, job.attempts) == (JobState.QUEUED, 1)
    assert messages_in(office_queue) == [job.pk]


def test_a_worker_that_lost_its_lease_cannot_write_any_more(job: Job) -> None:
    stale = claim(job.pk)
    fresh = claim(job.pk, now=after_lease(job))
    assert stale is not None
    assert fresh is not None
    with pytest.raises(JobStopped):
        stale.progress(9, 9)
    with pytest.raises(JobStopped):
        stale.renew()
    with pytest.raises(JobStopped):
        stale.end(JobState.SUCCEEDED, result={"by": "stale"})
    fresh.end(JobState.SUCCEEDED, result={"by": "fresh"})
    with pytest.raises(JobStopped):
        stale.end(JobState.FAILED, error="too late")
    job.refresh_from_db()
    assert (job.state, job.result, job.progress_done) == (JobState.SUCCEEDED, {"by": "fresh"}, 0)


@pytest.mark.parametrize(
    ("is_cancelled", "ended"), [(True, JobState.CANCELLED), (False, JobState.FAILED)]
)
def test_a_worker_that_was_given_up_cannot_write_any_more(
    job: Job, officer: User, is_cancelled: bool, ended: JobState
) -> None:
    Job.objects.update(attempts=MAX_ATTEMPTS - 1)
    stale = claim(job.pk)
    assert stale is not None
    if is_cancelled:
        cancel(job_id=job.pk, by=officer)
    sweep(now=after_lease(job))
    with pytest.raises(JobStopped):
        stale.end(JobState.SUCCEEDED, result={"by": "stale"})
    job.refresh_from_db()
    assert (job.state, job.result) == (ended, {})


def test_who_takes_over_begins_from_the_beginning(job: Job) -> None:
    first = claim(job.pk)
    assert first is not None
    first.progress(2, 8, "读第 2 张表")
    second = claim(job.pk, now=after_lease(job))
    assert second is not None
    assert (second.job.progress_done, second.job.progress_note) == (0, "")


def test_work_that_is_overtaken_leaves_the_end_to_the_other(job: Job) -> None:
    def slow(held: Claim) -> dict[str, Any]:
        assert claim(job.pk, now=after_lease(job))
        return {"by": "slow"}

    perform(job.pk, slow)
    job.refresh_from_db()
    assert (job.state, job.attempts, job.result) == (JobState.RUNNING, 2, {})


def test_a_job_that_kills_its_workers_is_given_up(job: Job, office_queue: Celery) -> None:
    for attempt in range(MAX_ATTEMPTS):
        assert claim(job.pk), f"attempt {attempt}"
        swept = sweep(now=after_lease(job))
    assert swept == {"sent": 0, "lost": 1, "cancelled": 0}
    job.refresh_from_db()
    assert (job.state, job.error, job.attempts) == (JobState.FAILED, LOST_SENTENCE, MAX_ATTEMPTS)
    assert claim(job.pk) is None


def test_a_job_tried_enough_is_not_claimed_even_before_the_sweep(job: Job) -> None:
    for _ in range(MAX_ATTEMPTS):
        now = after_lease(job) if job.lease_until else timezone.now()
        assert claim(job.pk, now=now)
        job.refresh_from_db()
    assert claim(job.pk, now=after_lease(job)) is None


def test_the_sweeper_does_not_send_what_was_sent_a_moment_ago(
    job: Job, office_queue: Celery
) -> None:
    assert sweep()["sent"] == 1  # its message was never sent
    assert sweep()["sent"] == 0
    assert sweep(now=timezone.now() + RESEND_AFTER + NOTICE)["sent"] == 1
    assert messages_in(office_queue) == [job.pk, job.pk]


# --- people who change their mind


def test_a_waiting_job_is_cancelled_at_once(job: Job, officer: User) -> None:
    assert cancel(job_id=job.pk, by=officer).state == JobState.CANCELLED
    perform(job.pk, count)
    job.refresh_from_db()
    assert (job.state, job.attempts) == (JobState.CANCELLED, 0)
    line = AuditRecord.objects.get(action="jobs.cancel")
    assert (line.before["state"], line.after["state"]) == ("queued", "cancelled")


def test_a_running_job_stops_at_its_next_step(job: Job, officer: User) -> None:
    steps = []

    def work(held: Claim) -> dict[str, Any]:
        for step in range(5):
            steps.append(step)
            if step == 1:
                cancel(job_id=job.pk, by=officer)
            held.progress(step + 1, 5)
        return {}

    perform(job.pk, work)
    job.refresh_from_db()
    assert steps == [0, 1]
    assert job.state == JobState.CANCELLED
    assert job.finished_at is not None


@pytest.mark.parametrize("attempts", [1, MAX_ATTEMPTS])
def test_a_cancelled_job_whose_worker_died_is_not_begun_again(
    job: Job, officer: User, attempts: int
) -> None:
    for _ in range(attempts):
        now = after_lease(job) if job.attempts else timezone.now()
        assert claim(job.pk, now=now)
        job.refresh_from_db()
    cancel(job_id=job.pk, by=officer)
    assert claim(job.pk, now=after_lease(job)) is None
    assert sweep(now=after_lease(job)) == {"sent": 0, "lost": 0, "cancelled": 1}
    job.refresh_from_db()
    assert job.state == JobState.CANCELLED


def test_what_has_ended_cannot_be_cancelled(job: Job, officer: User) -> None:
    perform(job.pk, count)
    with pytest.raises(IllegalMove, match="已经结束"):
        cancel(job_id=job.pk, by=officer)
    job.refresh_from_db()
    assert job.state == JobState.SUCCEEDED
    assert not AuditRecord.objects.filter(action="jobs.cancel").exists()


def test_a_stranger_does_not_find_the_job(job: Job) -> None:
    stranger = User.objects.create(username="s", full_name="外人", role=Role.LEADER, password="!")
    with pytest.raises(Job.DoesNotExist):
        cancel(job_id=job.pk, by=stranger)
