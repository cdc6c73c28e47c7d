"""The versioned API; each room brings its own views."""

from django.urls import include, path

from common import api

urlpatterns = [
    path("jobs/", api.JobListView.as_view(), name="api_jobs"),
    path("jobs/<int:pk>/", api.JobView.as_view(), name="api_job"),
    path("", include("institutions.api_urls")),
    path("", include("projects.api_urls")),
    path("", include("referrals.api_urls")),
    path("", include("reports.api_urls")),
]
