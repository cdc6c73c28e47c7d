"""Who was given a password chooses one of their own before anything else."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect

from common.faults import API_PREFIX, error_body

OPEN_TO_ALL = frozenset({"password", "logout", "login", "health"})


def own_password_first(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Lead every request of an account with a given password to the page that changes it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def process_view(
        request: HttpRequest, view: object, args: object, kwargs: object
    ) -> HttpResponse | None:
        match = request.resolver_match
        if match is None or match.url_name in OPEN_TO_ALL:
            return None
        if not getattr(request.user, "must_change_password", False):
            return None
        if request.path.startswith(API_PREFIX):
            sentence = "首次登录请先在网页上修改密码。"
            return JsonResponse(error_body("must_change_password", sentence, request), status=403)
        return redirect("password")

    middleware.process_view = process_view  # type: ignore[attr-defined]
    return middleware
