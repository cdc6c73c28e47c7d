"""API addresses of this room."""

from django.urls import path

from projects.api import ProjectDetail, ProjectList

urlpatterns = [
    path("projects/", ProjectList.as_view(), name="api_projects"),
    path("projects/<slug:code>/", ProjectDetail.as_view(), name="api_project"),
]
