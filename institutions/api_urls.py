"""API addresses of the register."""

from django.urls import path

from institutions.api import InstitutionDetail, InstitutionList

urlpatterns = [
    path("institutions/", InstitutionList.as_view(), name="api_institutions"),
    path("institutions/<slug:code>/", InstitutionDetail.as_view(), name="api_institution"),
]
