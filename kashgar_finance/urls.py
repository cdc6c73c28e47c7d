"""Every address of the portal; each room brings its own."""

from django.urls import include, path

urlpatterns = [
    path("", include("common.urls")),
    path("", include("accounts.urls")),
    path("", include("institutions.urls")),
    path("", include("projects.urls")),
    path("", include("matching.urls")),
    path("", include("referrals.urls")),
    path("", include("reports.urls")),
    path("api/v1/", include("kashgar_finance.api_urls")),
]

handler400 = "common.views.bad_request"
handler403 = "common.views.forbidden"
handler404 = "common.views.not_found"
handler500 = "common.views.server_error"
