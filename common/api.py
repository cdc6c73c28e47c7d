"""One error shape for the whole API, and the API of jobs."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions, generics, serializers, status
from rest_framework.response import Response
from rest_framework.views import set_rollback

from common import faults
from common.errors import DomainError, NotFound
from common.models import Job

# Django REST framework's own errors: code and sentence by status.
SENTENCES = {
    400: ("invalid", "请求的内容不正确。"),
    401: ("not_authenticated", "请先登录。"),
    403: ("not_allowed", "您的账号没有权限这样做。"),
    404: ("not_found", faults.NOT_FOUND.sentence),
    405: ("method_not_allowed", "这个地址不接受这种请求方法。"),
    406: ("not_acceptable", "只提供 JSON 格式。"),
    415: ("unsupported_media_type", "不支持这种内容格式，请用 JSON。"),
    429: ("throttled", "请求太频繁，请稍后再试。"),
}


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn every refusal into {"error": {code, message, request_number}}; None for a fault."""
    if isinstance(error, Http404):
        error = NotFound(faults.NOT_FOUND.sentence)
    if isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if isinstance(error, DomainError):
        return _answer(context, error.status, error.code, error.message)
    if isinstance(error, exceptions.APIException):
        return _answer_framework_error(error, context)
    return None


def _answer_framework_error(error: exceptions.APIException, context: dict[str, Any]) -> Response:
    unknown = isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed)
    number = status.HTTP_401_UNAUTHORIZED if unknown else error.status_code
    code, sentence = SENTENCES.get(number, ("refused", "请求没有被接受。"))
    return _answer(context, number, code, _own_sentence(error) or sentence)


def _own_sentence(error: exceptions.APIException) -> str:
    """Return what a validation or a permission said itself; nothing where it has only defaults."""
    if isinstance(error, exceptions.ValidationError):
        return "；".join(_flatten(error.detail))
    if not isinstance(error, exceptions.PermissionDenied):
        return ""
    said = str(error.detail)
    if said.startswith("CSRF Failed"):
        return faults.CSRF.sentence
    return "" if said == str(error.default_detail) else said


def _flatten(detail: Any, field: str = "") -> Iterable[str]:
    """List the sentences of a validation error, each with the name of its field."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from _flatten(inner, "" if name == "non_field_errors" else str(name))
    elif isinstance(detail, list):
        for inner in detail:
            yield from _flatten(inner, field)
    else:
        yield f"{field}：{detail}" if field else str(detail)


def _answer(context: dict[str, Any], number: int, code: str, message: str) -> Response:
    set_rollback()
    request = context["request"]._request
    return Response(faults.error_body(code, message, request), status=number)


class JobSerializer(serializers.ModelSerializer[Job]):
    """How far a job is and how it ended."""

    state_label = serializers.CharField(source="get_state_display")

    class Meta:
        model = Job
        fields = (
            "id",
            "title",
            "state",
            "state_label",
            "is_active",
            "is_cancel_requested",
            "percent",
            "progress_done",
            "progress_total",
            "progress_note",
            "result",
            "error",
            "created_at",
            "started_at",
            "finished_at",
        )
        read_only_fields = fields


class VisibleJobs(generics.GenericAPIView[Job]):
    """The jobs of the user who asks."""

    serializer_class = JobSerializer

    def get_queryset(self) -> Any:
        """Start from what the user may see, the newest first."""
        return Job.objects.visible_to(self.request.user).order_by("-pk")


class JobListView(VisibleJobs, generics.ListAPIView[Job]):
    """Lists the jobs of the user who asks."""


class JobView(VisibleJobs, generics.RetrieveAPIView[Job]):
    """Tells how far one job is, for a program that waits for it."""
