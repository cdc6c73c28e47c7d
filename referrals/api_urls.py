"""API addresses of referrals."""

from django.urls import path

from referrals.api import ReferralDetail, ReferralList, ReferralMoveView

urlpatterns = [
    path("referrals/", ReferralList.as_view(), name="api_referrals"),
    path("referrals/<int:pk>/", ReferralDetail.as_view(), name="api_referral"),
    path("referrals/<int:pk>/move/", ReferralMoveView.as_view(), name="api_referral_move"),
]
