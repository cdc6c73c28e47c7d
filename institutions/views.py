"""The pages of the register, of an institution, and what is done to its lists."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
    require_safe,
)

from accounts.choices import Role
from accounts.permissions import BUSINESS, PersonRequest, only
from common.errors import InvalidInput, NotAllowed, NotFound
from institutions.choices import COOPERATIVES, EditionStatus
from institutions.editions import (
    confirm_edition,
    in_force,
    put_in_force,
    recall_edition,
    waiting,
)
from institutions.filtersets import InstitutionFilter
from institutions.forms import ProposalForm, RebaseForm
from institutions.models import Institution, ListEdition
from institutions.page import institution_page, works_for
from institutions.proposals import propose_changes, reject_edition
from institutions.rebasing import accept_rebased
from institutions.services import register_of

PAGE_SIZE = 50


@require_GET
@only(*BUSINESS)
def institutions(request: HttpRequest) -> HttpResponse:
    """List banks and cooperatives in the order of the report, with all their names."""
    everybody = Institution.objects.visible_to(request.user)
    open_ones = ListEdition.objects.visible_to(request.user).to_decide().order_by("pk")
    found = InstitutionFilter(request.GET, queryset=register_of(request.user))
    is_head = Q(parent=None)
    context = {
        "filter": found,
        "page_obj": Paginator(found.qs, PAGE_SIZE).get_page(request.GET.get("page")),
        "to_decide": open_ones.select_related("institution", "created_by")[:PAGE_SIZE],
        "counts": everybody.aggregate(
            heads=Count("pk", filter=is_head),
            cooperatives=Count("pk", filter=is_head & Q(kind__in=COOPERATIVES)),
            banks=Count("pk", filter=is_head & ~Q(kind__in=COOPERATIVES)),
            branches=Count("pk", filter=~is_head),
        ),
    }
    return render(request, "institutions/institutions.html", context)


@require_safe
@only(*BUSINESS)
def institution_detail(request: PersonRequest, code: str) -> HttpResponse:
    """Show an institution: facts, its lists in force, all editions, what suits it."""
    return _page(request, _visible(request, code))


@require_safe
@only(Role.BANK)
def own_institution(request: PersonRequest) -> HttpResponse:
    """Show a bank user the page of its own institution."""
    visible = register_of(request.user).of_user(request.user)
    institution = visible.filter(members__user=request.user.pk).first()
    if institution is None:
        raise NotFound("账号还没有关联机构，请联系安全管理员。")
    return _page(request, institution)


@require_http_methods(["GET", "HEAD", "POST"])
@only(Role.BANK)
def institution_propose(request: PersonRequest, code: str) -> HttpResponse:
    """Let a bank user change clauses of its own lists, as a proposal to the bureau."""
    institution = _visible(request, code)
    if not works_for(request.user, institution):
        raise NotAllowed("只有本机构的人员可以提出清单修改。")
    held = in_force(institution)
    again = _proposal(request, institution)
    form = ProposalForm(request.POST or None, edition=held, again=again)
    if form.is_valid():
        try:
            _propose(request, form)
        except InvalidInput as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, "修改已提交，等财政局决定。")
            return redirect("institution", code=code)
    context = {
        "institution": institution,
        "edition": held,
        "form": form,
        "waiting": waiting(institution.pk),
    }
    status = 422 if form.is_bound else 200
    return render(request, "institutions/propose.html", context, status=status)


@require_POST
@only(Role.BANK)
def edition_confirm(request: PersonRequest, pk: int) -> HttpResponse:
    """Record that the institution stands by an edition of its lists."""
    edition = confirm_edition(edition=_edition(request, pk), by=request.user)
    messages.success(request, f"已确认{edition.name}。")
    return redirect("institution", code=edition.institution.code)


@require_POST
@only(Role.BUREAU)
def edition_accept(request: PersonRequest, pk: int) -> HttpResponse:
    """Let a proposed edition replace the one in force, at once or on its day."""
    edition = put_in_force(edition=_edition(request, pk), by=request.user)
    messages.success(request, _accepted(edition))
    return redirect("institution", code=edition.institution.code)


@require_POST
@only(Role.BUREAU)
def edition_recall(request: PersonRequest, pk: int) -> HttpResponse:
    """Take back that an edition was accepted, before its day."""
    reason = request.POST.get("reason", "")
    edition = recall_edition(edition=_edition(request, pk), reason=reason, by=request.user)
    messages.success(request, f"已撤回{edition.name}，它不会自动生效，等待重新决定。")
    return redirect("institution", code=edition.institution.code)


@require_POST
@only(Role.BUREAU)
def edition_rebase(request: PersonRequest, pk: int) -> HttpResponse:
    """Let a proposal that was overtaken change what it is about in the edition now in force."""
    form = RebaseForm(request.POST)
    onto_id = form.cleaned_data["onto"] if form.is_valid() else None
    edition = accept_rebased(edition=_edition(request, pk), onto_id=onto_id, by=request.user)
    messages.success(request, _accepted(edition))
    return redirect("institution", code=edition.institution.code)


@require_POST
@only(Role.BUREAU)
def edition_reject(request: PersonRequest, pk: int) -> HttpResponse:
    """Turn a proposed edition down with a reason."""
    reason = request.POST.get("reason", "")
    edition = reject_edition(edition=_edition(request, pk), reason=reason, by=request.user)
    messages.success(request, f"未采纳{edition.name}，原因已记录，机构可以看到。")
    return redirect("institution", code=edition.institution.code)


def _accepted(edition: ListEdition) -> str:
    if edition.status == EditionStatus.WAITING:
        return f"{edition.name}已采纳，将于 {edition.effective_from} 生效，之后自动重新匹配。"
    return f"{edition.name}已生效；匹配结论还是按旧清单的，请重新匹配。"


def _propose(request: PersonRequest, form: ProposalForm) -> ListEdition:
    said = form.cleaned_data
    return propose_changes(
        based_on=_edition(request, said["based_on"]),
        changes=form.changes(),
        effective_from=said["effective_from"],
        reason=said["reason"],
        by=request.user,
    )


def _proposal(request: PersonRequest, institution: Institution) -> ListEdition | None:
    """Return the earlier proposal that is to be made again, if any."""
    pk = request.GET.get("again", "")
    if not pk:
        return None
    if not (pk.isascii() and pk.isdigit() and len(pk) < 10):
        raise NotFound("没有这份清单修改。")
    visible = ListEdition.objects.visible_to(request.user).filter(institution=institution)
    return get_object_or_404(visible.select_related("based_on"), pk=int(pk))


def _page(request: PersonRequest, institution: Institution) -> HttpResponse:
    context = institution_page(request.user, institution, request.GET.get("compare", ""))
    return render(request, "institutions/institution.html", context)


def _visible(request: PersonRequest, code: str) -> Institution:
    return get_object_or_404(register_of(request.user), code=code)


def _edition(request: PersonRequest, pk: int) -> ListEdition:
    visible = ListEdition.objects.visible_to(request.user).select_related("institution")
    return get_object_or_404(visible, pk=pk)
