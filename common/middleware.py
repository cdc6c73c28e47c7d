"""What every request passes: its number, and the way from a refusal to a page."""

import secrets
from collections.abc import Callable

from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from common.errors import DomainError
from common.origin import Origin, coming_from

Handler = Callable[[HttpRequest], HttpResponse]


def request_number(get_response: Handler) -> Handler:
    """Give each request a short number; it stands on error pages, in the log and in the audit."""

    def middleware(request: HttpRequest) -> HttpResponse:
        number = secrets.token_hex(6)
        request.number = number  # type: ignore[attr-defined]
        with coming_from(Origin(number, request.META.get("REMOTE_ADDR") or None)):
            response = get_response(request)
        response["X-Request-Number"] = number
        if request.path.startswith("/static/"):
            return response
        response.setdefault("Cache-Control", "no-store")
        return response

    return middleware


class domain_errors:  # noqa: N801 - a middleware is named like a function in settings
    """Turn a refusal of a service into a page with its sentence and its status."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on; the work is in `process_exception`."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Render a domain error; a row outside the user's scope is simply not there."""
        if isinstance(error, ObjectDoesNotExist):
            raise Http404 from error
        if not isinstance(error, DomainError):
            return None
        context = {"sentence": error.message, "status": error.status}
        return render(request, "refused.html", context, status=error.status)
