"""The versioned API; each room brings its own views."""

from django.urls import path

urlpatterns: list[object] = []
_ = path
