"""How a request that failed is answered: a page for people, one JSON shape for programs."""

from typing import NamedTuple

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template import loader

API_PREFIX = "/api/"


class Fault(NamedTuple):
    """Status, code for programs, sentence for people."""

    status: int
    code: str
    sentence: str


BAD_REQUEST = Fault(400, "bad_request", "浏览器发来的请求不完整或地址不对，请返回后重试。")
FORBIDDEN = Fault(403, "not_allowed", "您的账号没有打开这一页的权限。")
CSRF = Fault(403, "csrf", "页面已过期，请返回上一页，刷新后再提交一次；没有保存任何内容。")
NOT_FOUND = Fault(404, "not_found", "没有这一页，或者它不在您的查看范围内。")
SERVER_ERROR = Fault(
    500,
    "server_error",
    "程序出错，已记录，没有保存任何内容。请稍后再试；仍不成功请联系系统管理员。",
)


def error_body(code: str, message: str, request: HttpRequest) -> dict[str, dict[str, str]]:
    """Return the one shape in which the API says no."""
    number = getattr(request, "number", "")
    return {"error": {"code": code, "message": message, "request_number": number}}


def as_page(request: HttpRequest, fault: Fault, template: str) -> HttpResponse:
    """Answer with a page that has the menu of the user, or with JSON under the API."""
    if request.path.startswith(API_PREFIX):
        return _as_json(request, fault)
    return render(request, template, {"sentence": fault.sentence}, status=fault.status)


def as_bare_page(request: HttpRequest, fault: Fault, template: str) -> HttpResponse:
    """Answer without asking the database who the user is: it may be what failed."""
    if request.path.startswith(API_PREFIX):
        return _as_json(request, fault)
    context = {"sentence": fault.sentence, "number": getattr(request, "number", "")}
    return HttpResponse(loader.render_to_string(template, context), status=fault.status)


def _as_json(request: HttpRequest, fault: Fault) -> JsonResponse:
    return JsonResponse(error_body(fault.code, fault.sentence, request), status=fault.status)
