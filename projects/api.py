"""The projects over the API, read-only."""

from typing import Any

from rest_framework import generics, serializers

from accounts.models import Region
from accounts.permissions import BUSINESS, RolePermission
from common.models import Sector
from common.months import local_today
from projects.filtersets import ProjectFilter
from projects.models import Project
from projects.querysets import ProjectQuerySet


class RegionSerializer(serializers.ModelSerializer[Region]):
    """A county by code and short name."""

    class Meta:
        model = Region
        fields = ("code", "short_name")


class SectorSerializer(serializers.ModelSerializer[Sector]):
    """An industry by code and name."""

    class Meta:
        model = Sector
        fields = ("code", "name")


class ProjectSerializer(serializers.ModelSerializer[Project]):
    """A project with what it needs today; `code` is what other calls take."""

    region = RegionSerializer()
    department = serializers.CharField(source="department.code", default=None)
    sector = SectorSerializer()
    categories: Any = serializers.SlugRelatedField("category", many=True, read_only=True)
    demand_wan = serializers.DecimalField(max_digits=16, decimal_places=4)

    class Meta:
        model = Project
        fields = (
            "code",
            "name",
            "borrower",
            "credit_code",
            "ownership",
            "region",
            "recommender",
            "department",
            "sector",
            "categories",
            "content",
            "nature",
            "total_investment_wan",
            "secured_wan",
            "demand_wan",
            "purpose",
            "term_months",
            "guarantees",
            "planned_use_on",
            "wished_institutions",
            "contact_person",
            "contact_phone",
            "permits",
            "note",
            "is_synthetic",
        )


class _ProjectView(generics.GenericAPIView[Project]):
    """What list and detail share: who may ask, and which rows there are."""

    allowed_roles = BUSINESS
    permission_classes = [RolePermission]
    serializer_class = ProjectSerializer
    lookup_field = "code"

    def get_queryset(self) -> ProjectQuerySet:
        """Return the projects the user may see, with today's demand."""
        return Project.objects.visible_to(self.request.user).in_full(local_today())


class ProjectList(_ProjectView, generics.ListAPIView[Project]):
    """The projects, 50 a page; the same parameters as on the page."""

    filterset_class = ProjectFilter


class ProjectDetail(_ProjectView, generics.RetrieveAPIView[Project]):
    """One project by its code."""
