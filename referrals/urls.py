"""Addresses of this room."""

from django.urls import path

from referrals import return_views, views

urlpatterns = [
    path("referrals/", views.referral_list, name="referrals"),
    path("referrals/<int:pk>/", views.referral, name="referral"),
    path("referrals/<int:pk>/move/", views.referral_move, name="referral_move"),
    path("returns/", return_views.returns, name="returns"),
    path("returns/submit/", return_views.return_submit, name="return_submit"),
    path("returns/template/", return_views.return_template, name="return_template"),
    path("returns/upload/", return_views.return_upload, name="return_upload"),
    path("returns/preview/", return_views.return_preview, name="return_preview"),
    path("returns/confirm/", return_views.return_confirm, name="return_confirm"),
    path("returns/discard/", return_views.return_discard, name="return_discard"),
]
