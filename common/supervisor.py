"""Keeps processes running: starts them, starts again what dies, ends them all together."""

import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.2
FIRST_DELAY, LONGEST_DELAY = 0.5, 30.0
STEADY_SECONDS = 20.0  # who ran this long starts again without waiting
GRACE_SECONDS = 8.0
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class Stopped(Exception):
    """Somebody asked for the end."""


@dataclass
class Child:
    """One process under care, in a process group of its own."""

    name: str
    command: Sequence[str]
    delay: float = FIRST_DELAY
    due_at: float = 0.0
    started_at: float = 0.0
    process: subprocess.Popen[bytes] | None = None

    def start(self, now: float, keep_open: Sequence[int]) -> None:
        """Start it, bound to the life of this process."""
        self.started_at = now
        self.process = subprocess.Popen(
            self.command,
            pass_fds=keep_open,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C reaches the supervisor alone
            preexec_fn=_die_with_parent,
        )

    def bury(self, now: float) -> None:
        """Clear away what a dead process left, and say when it is to start again."""
        assert self.process is not None
        self.kill()
        if now - self.started_at > STEADY_SECONDS:
            self.delay = FIRST_DELAY
        status = self.process.returncode
        logger.warning("%s ended (%s), again in %.1f s", self.name, status, self.delay)
        self.due_at, self.process = now + self.delay, None
        self.delay = min(self.delay * 2, LONGEST_DELAY)

    def kill(self) -> None:
        """Kill the process and everything it started."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)


def _die_with_parent() -> None:
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stopped


def supervise(commands: Mapping[str, Sequence[str]], *, keep_open: Sequence[int] = ()) -> None:
    """Run the commands until a signal asks for the end; then end every process and return."""
    children = [Child(name, command) for name, command in commands.items()]
    try:
        for number in ENDING:
            signal.signal(number, _stop)
        while True:
            tend(children, keep_open=keep_open)
            time.sleep(POLL_SECONDS)
    except Stopped:
        pass
    finally:
        end(children)


def tend(children: Sequence[Child], *, keep_open: Sequence[int] = ()) -> None:
    """Bury who died, start who is due."""
    now = time.monotonic()
    for child in children:
        if child.process is not None and child.process.poll() is not None:
            child.bury(now)
        if child.process is None and child.due_at <= now:
            child.start(now, keep_open)


def end(children: Sequence[Child]) -> None:
    """Ask every process to end, wait a little, kill what is left; nothing outlives this."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)
    for child in children:
        if child.process is not None:
            child.process.terminate()
    deadline = time.monotonic() + GRACE_SECONDS
    for child in children:
        if child.process is not None:
            with suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.0, deadline - time.monotonic()))
            child.kill()
            child.process.wait()
