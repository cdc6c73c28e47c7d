"""Tasks that only tests send; `celery worker -I tests.job_tasks` makes a worker know them."""

import os
import time
from pathlib import Path
from typing import Any

from common.jobs import Claim, job_task

COUNT_TO = "tests.count_to"
LONG_STEP = "tests.long_step"
WRITE_DOWN = "tests.write_down"


@job_task(COUNT_TO)
def count_to(held: Claim) -> dict[str, Any]:
    """Count to a number, telling how far it is."""
    number: int = held.job.arguments["number"]
    for done in range(number):
        held.progress(done + 1, number)
    return {"counted": number}


@job_task(LONG_STEP)
def take_a_long_step(held: Claim) -> dict[str, Any]:
    """Do nothing that renews the lease, until somebody else has renewed it."""
    before = held.job.lease_until
    for _ in range(200):
        held.job.refresh_from_db()
        if held.job.lease_until != before:
            return {"renewed": True}
        time.sleep(0.02)
    return {"renewed": False}


@job_task(WRITE_DOWN)
def write_down(held: Claim) -> dict[str, Any]:
    """Write down begin and end in a file; between them, wait until told to go on."""
    diary = Path(held.job.arguments["diary"])
    with diary.open("a") as file:
        file.write(f"begin {os.getpid()}\n")
    held.progress(1, 2, "写了一半")
    while not Path(held.job.arguments["go_on"]).exists():
        time.sleep(0.05)
    with diary.open("a") as file:
        file.write(f"end {os.getpid()}\n")
    return {"by": os.getpid()}
