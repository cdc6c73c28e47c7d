"""Addresses of matching."""

from django.urls import path

from matching import views

urlpatterns = [
    path("matches/", views.match_matrix, name="matches"),
    path("matches/start/", views.match_start, name="match_start"),
    path("matches/xlsx/", views.matches_xlsx, name="matches_xlsx"),
    path(
        "projects/<slug:code>/matches/<slug:institution>/answers/",
        views.match_answer,
        name="match_answer",
    ),
]
