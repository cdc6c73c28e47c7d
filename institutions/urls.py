"""Addresses of the register."""

from django.urls import path

from institutions import views

urlpatterns = [
    path("institutions/", views.institutions, name="institutions"),
]
