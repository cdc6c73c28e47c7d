"""API addresses of the bulletins."""

from django.urls import path

from reports.api import BulletinDetail, BulletinList
from reports.converters import MONTH

urlpatterns = [
    path("bulletins/", BulletinList.as_view(), name="api_bulletins"),
    path(f"bulletins/<{MONTH}:month>/", BulletinDetail.as_view(), name="api_bulletin"),
]
