"""Addresses of this room."""

from django.urls import path

from projects import views

urlpatterns = [
    path("projects/", views.project_list, name="projects"),
    path("projects/<slug:code>/", views.project_detail, name="project"),
]
