"""Addresses of matching."""

from django.urls import path

from matching import clause_views, shared_views, views

urlpatterns = [
    path("matches/", views.match_matrix, name="matches"),
    path("matches/start/", views.match_start, name="match_start"),
    path("matches/xlsx/", views.matches_xlsx, name="matches_xlsx"),
    path(
        "projects/<slug:code>/matches/<slug:institution>/answers/",
        views.match_answer,
        name="match_answer",
    ),
    path("matches/clauses/", clause_views.clauses, name="clauses"),
    path("matches/clauses/subjects/", clause_views.clause_subjects, name="clause_subjects"),
    path(
        "matches/clauses/<int:edition>/<str:polarity>/<str:place>/",
        clause_views.clause_edit,
        name="clause_edit",
    ),
    path("matches/shared/", shared_views.shared_conditions, name="shared_conditions"),
    path("matches/shared/<slug:name>/", shared_views.shared_condition, name="shared_condition"),
]
