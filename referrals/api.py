"""Referrals over the API: list, detail with deals, moves by the same service as the pages."""

from typing import Any

from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.choices import Role
from accounts.permissions import BUSINESS, RolePermission
from common.errors import NotFound
from common.months import local_today
from referrals.filtersets import ReferralFilter
from referrals.models import Referral
from referrals.offers import offers
from referrals.querysets import ReferralQuerySet
from referrals.services import move_referral
from referrals.services.moves import NEW, MoveDetails
from referrals.standing import ReferralStanding, load_standing


class AmountField(serializers.DecimalField):
    """An amount in 万元, as text; null where there is none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=16, decimal_places=4, **kwargs)


class ReferralSerializer(serializers.ModelSerializer[Referral]):
    """A referral as the list shows it."""

    project_code = serializers.CharField(source="project.code")
    project = serializers.CharField(source="project.name")
    borrower = serializers.CharField(source="project.borrower")
    region = serializers.CharField(source="project.region.short_name")
    institution = serializers.CharField(source="institution.short_name")
    institution_code = serializers.CharField(source="institution.code")
    stage_label = serializers.CharField(source="get_stage_display")
    demand_wan = AmountField()
    agreed_wan = AmountField()
    paid_wan = AmountField()

    class Meta:
        model = Referral
        fields = (
            "id",
            "project_code",
            "project",
            "borrower",
            "region",
            "institution",
            "institution_code",
            "pushed_on",
            "was_pushed",
            "stage",
            "stage_label",
            "stage_on",
            "demand_wan",
            "agreed_wan",
            "paid_wan",
        )


class DealSerializer(serializers.Serializer[Any]):
    """A deal as it stands now."""

    id = serializers.IntegerField(source="deal.pk")
    voucher_no = serializers.CharField(source="deal.voucher_no")
    stage = serializers.CharField()
    stage_label = serializers.CharField(source="stage.label")
    intended_wan = AmountField(source="latest.intended_wan")
    approved_wan = AmountField(source="latest.approved_wan")
    agreed_wan = AmountField()
    paid_wan = AmountField()
    rest_wan = AmountField()
    rate_pct = serializers.DecimalField(source="deal.rate_pct", max_digits=6, decimal_places=4)
    term_months = serializers.IntegerField(source="deal.term_months")


class MoveSerializer(serializers.Serializer[Any]):
    """What is said about a move; a move reads what its row of the table names, no more."""

    action = serializers.CharField(max_length=20)
    occurred_on = serializers.DateField()
    # The id of a deal, or "new"; left out where there is only one it can be.
    deal = serializers.CharField(max_length=20, required=False)
    intended_wan = AmountField(required=False, allow_null=True)
    approved_wan = AmountField(required=False, allow_null=True)
    paid_wan = AmountField(required=False, allow_null=True)
    rate_pct = serializers.DecimalField(
        max_digits=6, decimal_places=4, min_value=0, required=False, allow_null=True
    )
    term_months = serializers.IntegerField(
        min_value=1, max_value=600, required=False, allow_null=True
    )
    voucher_no = serializers.CharField(max_length=60, required=False, allow_blank=True)
    decline_reason = serializers.CharField(max_length=20, required=False, allow_blank=True)
    note = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    # Sent again with the same key, a move is made once.
    key = serializers.CharField(max_length=36, required=False, allow_blank=True)

    def validate_deal(self, value: str) -> int | str:
        """Return the id as a number."""
        if value == NEW or value.isdecimal():
            return int(value) if value.isdecimal() else value
        raise serializers.ValidationError('请填笔的编号，或 "new"。')


class _ReferralView(generics.GenericAPIView[Referral]):
    """What list and detail share: who may ask, and which rows there are."""

    allowed_roles = BUSINESS
    permission_classes = [RolePermission]
    serializer_class = ReferralSerializer

    def get_queryset(self) -> ReferralQuerySet:
        """Start from what the user may see."""
        visible = Referral.objects.visible_to(self.request.user).with_amounts(local_today())
        return visible.select_related("project__region", "institution__parent")


class ReferralList(_ReferralView, generics.ListAPIView[Referral]):
    """GET /api/v1/referrals/, 50 a page; filters and `sort` as on the page."""

    filterset_class = ReferralFilter


class ReferralDetail(_ReferralView):
    """GET /api/v1/referrals/<id>/: one referral, its deals, and the moves one may make."""

    def get(self, request: Request, pk: int) -> Response:
        """Answer with the referral."""
        return Response(detail_of(self.get_object(), request.user))


class ReferralMoveView(APIView):
    """POST /api/v1/referrals/<id>/move/: one move; 409 where it is not possible now."""

    allowed_roles = frozenset({Role.BANK, Role.BUREAU})
    permission_classes = [RolePermission]

    def post(self, request: Request, pk: int) -> Response:
        """Make the move and answer with the referral as it stands then."""
        if not Referral.objects.visible_to(request.user).filter(pk=pk).exists():
            raise NotFound("没有这条推送，或不在您的范围内。")
        said = MoveSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        inputs = {name: value for name, value in said.validated_data.items() if value is not None}
        action = inputs.pop("action")
        move_referral(referral_id=pk, action=action, details=MoveDetails(**inputs), by=request.user)
        rows = Referral.objects.visible_to(request.user).with_amounts(local_today())
        moved = rows.select_related("project__region", "institution__parent").get(pk=pk)
        return Response(detail_of(moved, request.user))


def detail_of(referral: Referral, user: Any) -> dict[str, Any]:
    """A referral with its deals and the names of the moves a person may make."""
    standing: ReferralStanding = load_standing(referral)
    return {
        **ReferralSerializer(referral).data,
        "deals": DealSerializer(standing.deals, many=True).data,
        "actions": [offer.action for offer in offers(standing, user.role)],
    }
