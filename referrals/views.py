"""Pages of referrals: the list, one referral, its moves. Those of returns are in `return_views`."""

import uuid
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.choices import Role
from accounts.models import User
from accounts.permissions import BUSINESS, PersonRequest, only
from common.errors import IllegalMove, InvalidInput
from common.months import local_today
from common.templatetags.show import wan
from institutions.models import Institution
from referrals.doubts import doubts
from referrals.filtersets import ReferralFilter
from referrals.forms import MoveForm
from referrals.history import history
from referrals.lifecycle import MOVES, OPEN, Stage, next_action
from referrals.models import Referral
from referrals.offers import Offer, offers
from referrals.services import move_referral
from referrals.services.moves import FieldInvalid, MoveDetails, explain_refusal
from referrals.standing import ReferralStanding, load_standing

PAGE_SIZE = 50


@require_safe
@only(*BUSINESS)
def referral_list(request: PersonRequest) -> HttpResponse:
    """List the referrals a person may see, with their amounts and the usual next step."""
    visible = Referral.objects.visible_to(request.user)
    rows = visible.with_amounts(local_today()).select_related(
        "project__region", "institution__parent"
    )
    newest_first = rows.order_by("-stage_on", "-pk")
    filters = ReferralFilter(request.GET, queryset=newest_first, request=request)
    page = Paginator(filters.qs, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "filter": filters,
        "page_obj": page,
        "rows": [(row, _next_move(row, request.user)) for row in page],
        "totals": visible.count_by_state(),
        "is_bank": request.user.role == Role.BANK,
        "today": local_today(),
        "shows_institution": _sees_several(request.user),
    }
    return render(request, "referrals/referrals.html", context)


@require_safe
@only(*BUSINESS)
def referral(request: PersonRequest, pk: int) -> HttpResponse:
    """Show one referral: what may be done now, its deals, its history, its project."""
    found = _visible(request.user, pk)
    return _referral_page(request, found, chosen=request.GET.get("do", ""))


@require_POST
@only(Role.BANK, Role.BUREAU)
def referral_move(request: PersonRequest, pk: int) -> HttpResponse:
    """Make one move; what is wrong comes back at its field, with all that was typed."""
    found = _visible(request.user, pk)
    action = request.POST.get("action", "")
    if _was_made(found, request.POST.get("key", "")):  # the second click of a double click
        return redirect("referral", pk)
    standing = load_standing(found)
    offer = next((one for one in offers(standing, request.user.role) if one.action == action), None)
    if offer is None:
        return _refuse_without_offer(request, found, action)
    form = MoveForm(request.POST, offer=offer, standing=standing)
    if form.is_valid():
        try:
            moved = move_referral(
                referral_id=pk, action=action, details=form.details(), by=request.user
            )
        except (FieldInvalid, IllegalMove) as refusal:
            field = getattr(refusal, "field", None)
            form.add_error(field if field in form.fields else None, refusal.message)
            return _referral_page(request, found, form=form, status=refusal.status)
        return _tell_and_return(request, moved, offer, form.details())
    return _referral_page(request, found, form=form, status=422)


def _was_made(found: Referral, key: str) -> bool:
    return bool(key) and found.moves.filter(key=key).exists()


def _refuse_without_offer(request: PersonRequest, found: Referral, action: str) -> HttpResponse:
    """Say why a move that is not offered is not possible, on the page as it stands now."""
    try:
        explain_refusal(referral=found, action=action, by=request.user)
    except (IllegalMove, InvalidInput) as refusal:
        messages.error(request, refusal.message)
        return _referral_page(request, found, status=refusal.status)


def _tell_and_return(
    request: PersonRequest, moved: Referral, offer: Offer, details: MoveDetails
) -> HttpResponse:
    amount = details.paid_wan or details.approved_wan or details.intended_wan
    shown = f" {wan(amount)} 万元" if amount else ""
    label = offer.move.target.label
    messages.success(request, f"已登记：{details.occurred_on} {label}{shown}。")
    for sentence in doubts(load_standing(moved), local_today()):
        messages.warning(request, sentence)
    return redirect("referrals") if "from_list" in request.POST else redirect("referral", moved.pk)


def _visible(user: User, pk: int) -> Referral:
    rows = Referral.objects.visible_to(user).with_amounts(local_today())
    joined = rows.select_related("project__region", "project__sector", "institution__parent")
    return get_object_or_404(joined, pk=pk)


def _referral_page(
    request: PersonRequest,
    found: Referral,
    *,
    form: MoveForm | None = None,
    chosen: str = "",
    status: int = 200,
) -> HttpResponse:
    standing = load_standing(found)
    open_to = offers(standing, request.user.role)
    usual = next_action(found.stage, request.user.role)
    if form is None and open_to:
        wanted = [one for one in open_to if one.action in (chosen, usual)]
        wanted.sort(key=lambda one: one.action != chosen)
        form = MoveForm(offer=(wanted or open_to)[0], standing=standing)
    context = {
        "referral": found,
        "standing": standing,
        "offers": open_to,
        "form": form,
        "history": history(found),
        "totals": _totals(standing),
    }
    return render(request, "referrals/referral.html", context, status=status)


def _totals(standing: ReferralStanding) -> dict[str, Any]:
    live = standing.live
    agreed = [deal.agreed_wan for deal in live if deal.agreed_wan is not None]
    rest = [deal.rest_wan for deal in live if deal.rest_wan is not None]
    return {
        "agreed_wan": sum(agreed) if agreed else None,
        "paid_wan": sum(deal.paid_wan for deal in live),
        "rest_wan": sum(rest) if rest else None,
    }


def _next_move(row: Any, user: User) -> dict[str, Any] | None:
    action = next_action(row.stage, user.role) if user.role == Role.BANK else None
    if action is None or row.stage not in OPEN or _is_paid_out(row):
        return None
    return {
        "action": action,
        "label": MOVES[action].label,
        "key": str(uuid.uuid4()),
        # Nothing has to be typed: one click on the list is enough.
        "is_plain": row.stage == Stage.PUSHED,
    }


def _is_paid_out(row: Any) -> bool:
    """Whether nothing that was agreed is left to pay."""
    return row.stage == Stage.DISBURSED and (row.paid_wan or 0) >= (row.agreed_wan or 0)


def _sees_several(user: User) -> bool:
    if user.role != Role.BANK:
        return True
    return Institution.objects.of_user(user).count() > 1
