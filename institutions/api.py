"""The register over the API, read-only."""

from rest_framework import generics, serializers

from accounts.models import Region
from accounts.permissions import BUSINESS, RolePermission
from institutions.filtersets import InstitutionFilter
from institutions.models import Institution, InstitutionName
from institutions.querysets import InstitutionQuerySet
from institutions.services import register_of


class NameSerializer(serializers.ModelSerializer[InstitutionName]):
    """One way to write an institution's name, and where it is used."""

    class Meta:
        model = InstitutionName
        fields = ("name", "kind")


class AreaSerializer(serializers.ModelSerializer[Region]):
    """A region by code and name."""

    class Meta:
        model = Region
        fields = ("code", "name")


class InstitutionSerializer(serializers.ModelSerializer[Institution]):
    """An institution with all its names; `code` is what other calls take."""

    kind_label = serializers.CharField(source="get_kind_display")
    # A serializer has a `parent` of its own; fields are collected before it is set.
    parent = serializers.CharField(  # type: ignore[assignment]
        source="parent.code", default=None
    )
    service_areas = AreaSerializer(many=True)
    names = NameSerializer(many=True)

    class Meta:
        model = Institution
        fields = (
            "code",
            "short_name",
            "full_name",
            "list_name",
            "kind",
            "kind_label",
            "is_cooperative",
            "parent",
            "display_order",
            "service_areas",
            "is_area_bound",
            "active_from",
            "active_until",
            "names",
        )


class _InstitutionView(generics.GenericAPIView[Institution]):
    """What list and detail share: who may ask, and which rows there are."""

    allowed_roles = BUSINESS
    permission_classes = [RolePermission]
    serializer_class = InstitutionSerializer
    lookup_field = "code"

    def get_queryset(self) -> InstitutionQuerySet:
        """Return the institutions the user may see, in the order of the report."""
        return register_of(self.request.user)


class InstitutionList(_InstitutionView, generics.ListAPIView[Institution]):
    """The register, 50 a page; `?q=` and `?kind=` as on the page."""

    filterset_class = InstitutionFilter


class InstitutionDetail(_InstitutionView, generics.RetrieveAPIView[Institution]):
    """One institution by its code."""
