"""Addresses of the register and of the original of the lists."""

from django.urls import path

from institutions import original_views, views

urlpatterns = [
    path("institutions/", views.institutions, name="institutions"),
    path("institutions/originals/", original_views.lists_import, name="lists_import"),
    path(
        "institutions/originals/confirm/",
        original_views.lists_import_confirm,
        name="lists_import_confirm",
    ),
    path(
        "institutions/originals/discard/",
        original_views.lists_import_discard,
        name="lists_import_discard",
    ),
    path("institutions/own/", views.own_institution, name="own_institution"),
    path("institutions/<slug:code>/", views.institution_detail, name="institution"),
    path("institutions/<slug:code>/propose/", views.institution_propose, name="edition_propose"),
    path("editions/<int:pk>/confirm/", views.edition_confirm, name="edition_confirm"),
    path("editions/<int:pk>/accept/", views.edition_accept, name="edition_accept"),
    path("editions/<int:pk>/recall/", views.edition_recall, name="edition_recall"),
    path("editions/<int:pk>/rebase/", views.edition_rebase, name="edition_rebase"),
    path("editions/<int:pk>/reject/", views.edition_reject, name="edition_reject"),
]
