"""Bulletins over the API: the frozen snapshot in the shape of interfaces.md 6."""

from datetime import date

from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import BUSINESS, RolePermission
from common.months import month_key
from reports.models import Bulletin
from reports.services import find_document
from reports.snapshot import as_interface


class BulletinList(APIView):
    """The bulletins there are, the latest first."""

    allowed_roles = BUSINESS
    permission_classes = [RolePermission]

    def get(self, request: Request) -> Response:
        """Return month, revision, digest and address of each bulletin."""
        found = Bulletin.objects.visible_to(request.user).newest_first()
        return Response(
            [
                {
                    "month": month_key(row["month"]),
                    "revision": row["revision"],
                    "digest": row["digest"],
                    "url": reverse("api_bulletin", args=[row["month"]])
                    + f"?revision={row['revision']}",
                }
                for row in found.values("month", "revision", "digest")
            ]
        )


class BulletinDetail(APIView):
    """One frozen bulletin."""

    allowed_roles = BUSINESS
    permission_classes = [RolePermission]

    def get(self, request: Request, month: date) -> Response:
        """Return the snapshot; `?revision=` asks for an earlier one."""
        text = request.query_params.get("revision", "")
        revision = int(text) if text.isdecimal() and len(text) < 5 else None
        document = find_document(month=month, by=request.user, revision=revision)
        state = {"is_frozen": True, "revision": document.revision, "digest": document.digest}
        return Response(as_interface(document.snapshot) | state)
