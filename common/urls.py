"""Addresses of this room."""

from django.urls import path

from common import views

urlpatterns = [
    path("healthz", views.healthz, name="health"),
    path("jobs/", views.job_list, name="jobs"),
    path("jobs/<int:pk>/", views.job_detail, name="job"),
    path("jobs/<int:pk>/cancel/", views.job_cancel, name="job_cancel"),
    path("audit/", views.audit_list, name="audit"),
]
