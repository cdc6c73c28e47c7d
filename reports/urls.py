"""Addresses of the bulletins and of the start page."""

from django.urls import path

from reports import start, views
from reports.converters import MONTH

urlpatterns = [
    path("", start.start, name="start"),
    path("bulletins/", views.bulletins, name="bulletins"),
    path("bulletins/make/", views.bulletin_make, name="bulletin_make"),
    path(f"bulletins/<{MONTH}:month>/", views.bulletin, name="bulletin"),
    path(f"bulletins/<{MONTH}:month>/revise/", views.bulletin_revise, name="bulletin_revise"),
    path(f"bulletins/<{MONTH}:month>/excel/", views.bulletin_xlsx, name="bulletin_xlsx"),
]
