"""Addresses of matching."""

from django.urls import path

from matching import views

urlpatterns = [path("matches/start/", views.match_start, name="match_start")]
