"""Where the present work comes from: the number of the request and the client's address."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Origin:
    """One request; empty for commands and the schedule."""

    request_number: str = ""
    address: str | None = None


NOWHERE = Origin()
_current: ContextVar[Origin] = ContextVar("origin", default=NOWHERE)


def current_origin() -> Origin:
    """Return the origin of what is being done now."""
    return _current.get()


@contextmanager
def coming_from(origin: Origin) -> Iterator[None]:
    """Attribute everything logged and recorded inside the block to a request."""
    token = _current.set(origin)
    try:
        yield
    finally:
        _current.reset(token)


class RequestNumberFilter(logging.Filter):
    """Puts the request's number on every line of the log; "-" outside a request."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, with the number."""
        record.request_number = current_origin().request_number or "-"
        return True
