"""Industries are found as people write them, and nothing is guessed."""

import pytest
from pytest_django import DjangoAssertNumQueries

from common.models import Sector
from common.sectors import SectorIndex, descendants, find_sector

pytestmark = pytest.mark.usefixtures("register")


def code_of(text: object) -> str | None:
    """The code of what is found, to compare with."""
    found = find_sector(text)
    return found.code if found else None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("C", "C"),
        ("c", "C"),
        ("C17", "C17"),
        ("17", "C17"),
        (17, "C17"),
        ("171", "C171"),
        ("1711", "C1711"),
        ("C1711", "C1711"),
        ("c1711", "C1711"),
        ("Ｃ１７１１", "C1711"),
        (" C 1711\u3000", "C1711"),
        ("0111", "A0111"),
        ("T", "T"),
    ],
)
def test_a_code_counts_with_or_without_its_letter(text: object, code: str) -> None:
    assert code_of(text) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("制造业", "C"),
        ("纺织业", "C17"),
        ("棉纺织及印染精加工", "C171"),
        ("棉纺纱加工", "C1711"),
        (" 纺 织 业\n", "C17"),
        ("瓶（罐）装饮用水制造", "C1522"),
        ("瓶(罐)装饮用水制造", "C1522"),
        ("果品、蔬菜批发", "F5123"),
    ],
)
def test_a_name_counts_at_any_level(text: str, code: str) -> None:
    assert code_of(text) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        # An only child of the same name says nothing new, so the narrowest is taken …
        ("其他农业", "A0190"),
        ("中国共产党机关", "S9100"),
        # … but a division whose other child bears another name keeps its breadth.
        ("燃气生产和供应业", "D45"),
    ],
)
def test_a_name_at_several_levels_is_never_narrowed_by_guessing(text: str, code: str) -> None:
    assert code_of(text) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("C17 纺织业", "C17"),
        ("C17纺织业", "C17"),
        ("17 纺织业", "C17"),
        ("C17-纺织业", "C17"),
        ("C17：纺织业", "C17"),
        ("（C17）纺织业", "C17"),
        ("C17（纺织业）", "C17"),
        ("纺织业(C17)", "C17"),
        ("纺织业（17）", "C17"),
        ("纺织业 C17", "C17"),
        ("C 制造业", "C"),
        ("制造业（C）", "C"),
        ("妇幼保健院（所、站）（Q8433）", "Q8433"),
        ("Q8433 妇幼保健院（所、站）", "Q8433"),
        ("C17 棉纺纱加工", "C1711"),
        ("C1711 纺织业", "C1711"),
    ],
)
def test_code_and_name_together_count_when_they_fit(text: str, code: str) -> None:
    assert code_of(text) == code


@pytest.mark.parametrize(
    "text",
    [
        "",
        None,
        "　",
        "Z",
        "U01",
        "C99",
        "D17",
        "C17110",
        "9999",
        "1",
        "纺织",
        "C17 房地产业",
        "房地产业（C17）",
        "C17 没有这个行业",
        "C17、C18",
        "纺织业、C18",
        "2022年新建",
        "%",
        "C1_",
    ],
)
def test_what_the_standard_does_not_hold_is_not_found(text: str | None) -> None:
    assert find_sector(text) is None


def test_every_entry_is_found_by_each_of_its_codes() -> None:
    index = SectorIndex()
    for sector in Sector.objects.all():
        writings = {sector.code, sector.code.lower(), f"{sector.name}（{sector.code}）"}
        if sector.level != "section":
            writings.add(sector.code[1:])
        for writing in writings:
            found = index.find(writing)
            assert found is not None, writing
            assert found.code.startswith(sector.code), writing


def test_every_name_leads_to_an_entry_of_that_name() -> None:
    index = SectorIndex()
    for sector in Sector.objects.all():
        found = index.find(sector.name)
        assert found is not None, sector.name
        assert found.name_key == sector.name_key


def test_a_name_on_two_branches_leads_to_neither() -> None:
    Sector.objects.filter(code="C1712").update(name_key="棉纺纱加工")
    assert find_sector("棉纺纱加工") is None
    assert code_of("C1712") == "C1712"


def test_an_index_asks_the_database_once_for_a_whole_file(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(1):
        index = SectorIndex()
        found = [index.find(text) for text in ("C17", "纺织业", "没有", "1711") * 500]
    assert len([sector for sector in found if sector]) == 1500


def test_descendants_hold_the_sector_and_all_below_it() -> None:
    below = set(descendants("C17").values_list("code", flat=True))
    assert {"C17", "C171", "C1711"} <= below
    assert all(code.startswith("C17") for code in below)
    assert descendants("17").count() == len(below)
    assert descendants("纺织业").count() == len(below)
    assert set(descendants("A").values_list("level", flat=True)) == {
        "section",
        "division",
        "group",
        "class",
    }
    assert descendants("C1711").count() == 1
    assert not descendants("C99").exists()
