"""Regions and departments by what people call them."""

from collections.abc import Iterator

from accounts.models import Department, Region
from common.names import NameIndex


class RegionIndex(NameIndex[Region]):
    """Regions by code, full name, short name and other writings; one query.

    喀什 alone is in none of them: it may mean the city or the prefecture.
    """

    def __init__(self) -> None:
        super().__init__(_names_of_regions())


class DepartmentIndex(NameIndex[Department]):
    """Departments by full name, short name and other writings; one query."""

    def __init__(self) -> None:
        super().__init__(_names_of_departments())


def find_region(text: object) -> Region | None:
    """The region of that code or name; for many rows make a RegionIndex."""
    return RegionIndex().find(text)


def find_department(text: object) -> Department | None:
    """The department of that name; for many rows make a DepartmentIndex."""
    return DepartmentIndex().find(text)


def _names_of_regions() -> Iterator[tuple[str, Region]]:
    for region in Region.objects.all():
        for name in (region.code, region.name, region.short_name, *region.other_names):
            yield name, region


def _names_of_departments() -> Iterator[tuple[str, Department]]:
    for department in Department.objects.select_related("region"):
        for name in (department.name, department.short_name, *department.other_names):
            yield name, department
