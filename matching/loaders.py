"""From rows to the engine's own types: the only place of this room that reads the ORM for it."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from accounts.models import Region
from common.models import Sector
from institutions.choices import Kind
from institutions.models import Institution, ListEdition
from matching.engine import ClauseData, InstitutionData, Rulebook
from matching.models import VocabularyVersion
from matching.scoring import ScoreContext
from matching.types import Polarity, ProjectFacts, Strength
from matching.vocabulary import Vocabulary
from projects.choices import Guarantee
from projects.models import Project

# The size of loan each kind of institution usually makes, 万元.
COMFORTABLE_WAN = {
    Kind.POLICY_BANK: (Decimal(5000), Decimal(500_000)),
    Kind.STATE_BANK: (Decimal(500), Decimal(200_000)),
    Kind.JOINT_STOCK: (Decimal(1000), Decimal(100_000)),
    Kind.CITY_BANK: (Decimal(300), Decimal(50_000)),
    Kind.RURAL_COMMERCIAL: (Decimal(50), Decimal(20_000)),
    Kind.RURAL_COOPERATIVE: (Decimal(10), Decimal(5000)),
}


Lending = dict[int, tuple[tuple[str, float], ...]]
_LENDING: list[Callable[[], Lending]] = []


def hand_in_lending(provider: Callable[[], Lending]) -> None:
    """Let a higher room say what institutions have lent to so far, by section."""
    if provider not in _LENDING:
        _LENDING.append(provider)


def load_rulebook(vocabulary: VocabularyVersion | None = None) -> Rulebook:
    """Compile all lists in force, by a vocabulary (default: the latest)."""
    chosen = vocabulary or VocabularyVersion.objects.order_by("version").latest("version")
    words = Vocabulary(str(chosen.version), chosen.data["words"])
    shared = chosen.data["shared"]
    return Rulebook(load_institutions(), words, shared, load_sectors(), load_counties())


def load_institutions() -> list[InstitutionData]:
    """Return the institutions that have lists in force, in the order of the report."""
    editions = (
        ListEdition.objects.in_force()
        .select_related("institution")
        .prefetch_related("clauses", "institution__service_areas")
        .order_by("institution__display_order")
    )
    lending: Lending = {}
    for provider in _LENDING:
        lending |= provider()
    return [institution_data(edition, lending) for edition in editions]


def institution_data(edition: ListEdition, lending: Lending) -> InstitutionData:
    """Return one institution with an edition of its lists and what it has lent to."""
    institution = edition.institution
    areas = frozenset(area.short_name for area in institution.service_areas.all())
    clauses = sorted(edition.clauses.all(), key=lambda clause: clause.position)
    return InstitutionData(
        name=institution.list_name,
        clauses=tuple(clause_data(clause) for clause in clauses if clause.number),
        areas=_bound_areas(institution),
        score_context=ScoreContext(
            comfortable_wan=COMFORTABLE_WAN[Kind(institution.kind)],
            home_counties=areas,
            lent_sectors=lending.get(institution.pk, ()),
        ),
    )


def _bound_areas(institution: Institution) -> frozenset[str]:
    """The counties an area-bound institution may lend in; the prefecture stands for all its own."""
    if not institution.is_area_bound:
        return frozenset()
    names: set[str] = set()
    for area in institution.service_areas.all():
        names.update(child.short_name for child in area.children.all())
        names.add(area.short_name)
    return frozenset(names)


def clause_data(clause: Any) -> ClauseData:
    """Return a clause as the engine takes it."""
    return ClauseData(
        number=clause.number,
        polarity=Polarity(clause.polarity),
        strength=Strength(clause.strength) if clause.strength else None,
        text=clause.text,
        condition=clause.condition,
    )


def load_counties() -> dict[str, str]:
    """Return every writing of a place → its short name."""
    return {
        name: region.short_name
        for region in Region.objects.all()
        for name in (region.name, region.code, *region.other_names)
    }


def load_sectors() -> dict[str, str]:
    """Return names and bare digits of the classification → code with its letter."""
    found: dict[str, str] = {}
    for code, name in Sector.objects.order_by("-code").values_list("code", "name"):
        found[code] = found[code[1:] or code] = code
        found[name] = code
    return found


def project_facts(project: Project) -> ProjectFacts:
    """Return a stored project as the engine sees it."""
    demand = getattr(project, "demand_wan", None)
    return ProjectFacts(
        id=project.code,
        name=project.name,
        borrower=project.borrower,
        ownership=project.get_ownership_display() if project.ownership else "",
        county=project.region.short_name,
        sector=project.sector_id,
        categories=tuple(each.get_category_display() for each in project.categories.all()),
        content=project.content,
        nature=project.get_nature_display() if project.nature else "",
        purpose=project.purpose,
        demand_wan=demand,
        term_months=project.term_months,
        guarantees=tuple(Guarantee(value).label for value in project.guarantees),
    )


def facts_of(projects: Iterable[Project]) -> list[ProjectFacts]:
    """Return many stored projects as the engine sees them."""
    return [project_facts(project) for project in projects]
