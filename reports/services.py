"""Freezing, revising and checking bulletins."""

from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.choices import Role
from common import audit, jobs
from common.errors import InvalidInput, NotAllowed, NotFound
from common.history import freezing_moment
from common.models import Job
from common.months import local_today, month_end, month_key, month_label, month_of, previous_month
from reports import figures
from reports.figures import AsOf
from reports.models import Bulletin, CountingRules
from reports.renderers.document import BulletinDocument
from reports.rules import current_rules, rules_of
from reports.snapshot import build_snapshot, differing_parts, digest_of

MAKERS = frozenset({Role.BUREAU, Role.SYSTEM})
Progress = Callable[[int, int, str], None]
DATED_FACTS = (
    "project_code",
    "agreed_wan",
    "paid_wan",
    "rest_wan",
    "demand_wan",
    "last_paid_on",
    "stage",
)
STEPS = ("核对月份与口径", "计算各项数字", "整理明细", "冻结快照")


def freeze_bulletin(
    *, month: date, by: Any, reason: str = "", progress: Progress = lambda *_: None
) -> Bulletin:
    """Store a month's figures once; a frozen bulletin is returned untouched.

    With a `reason` a further revision is frozen beside the earlier ones. Raises NotAllowed for
    anybody but the bureau and InvalidInput for a month that has not ended.
    """
    progress(0, len(STEPS), STEPS[0])
    _check_may_make(by)
    _check_month_ended(month)
    latest = Bulletin.objects.of_month(month).first()
    if latest and not reason:
        return latest
    with transaction.atomic():
        known_at = freezing_moment()
    # The figures depend on nothing recorded later than that moment, so no lock is held here.
    bulletin = _build(month, known_at, current_rules(), progress)
    bulletin.revision = latest.revision + 1 if latest else 1
    bulletin.reason = reason if latest else ""
    bulletin.frozen_by = by
    frozen = _save_once(bulletin, replaces=latest)
    progress(len(STEPS), len(STEPS), "完成")
    return frozen


def _save_once(bulletin: Bulletin, *, replaces: Bulletin | None) -> Bulletin:
    """Save a revision; where someone froze the same one meanwhile, return theirs."""
    try:
        with transaction.atomic():
            bulletin.save(force_insert=True)
            audit.record(
                "reports.freeze_bulletin",
                by=bulletin.frozen_by,
                on=bulletin,
                before={"digest": replaces.digest} if replaces else {},
                after={"digest": bulletin.digest, "revision": bulletin.revision},
                reason=bulletin.reason,
            )
    except IntegrityError:
        return Bulletin.objects.get(month=bulletin.month, revision=bulletin.revision)
    return bulletin


def request_bulletin(*, month: date, by: Any, reason: str = "") -> Job:
    """Ask for a bulletin to be made in the background; the same month is not asked for twice."""
    _check_may_make(by)
    _check_month_ended(month)
    word = "修订" if reason else "生成"
    return jobs.enqueue(
        "reports.make_bulletin",
        by=by,
        title=f"{word}{month_label(month)}通报",
        arguments={"month": month_key(month), "reason": reason},
        key=f"bulletin-{month_key(month)}",
    )


def request_due_bulletin(*, today: date, by: Any) -> Job | None:
    """Ask for last month's bulletin from its day on, unless it is frozen or was asked for."""
    month = previous_month(month_of(today))
    due_day = rules_of(current_rules()).bulletin_day
    if today.day < due_day or Bulletin.objects.of_month(month).exists():
        return None
    return request_bulletin(month=month, by=by)


def recompute(bulletin: Bulletin) -> list[str]:
    """Compute a frozen bulletin again from the dated records; return what comes out differently.

    An empty list: the frozen figures are those of the records, to the last digit.
    """
    again = _build(bulletin.month, bulletin.known_at, bulletin.rules)
    parts = differing_parts(bulletin.snapshot, again.snapshot)
    same_deals = _dated(bulletin.detail) == _dated(again.detail)
    return parts if same_deals else [*parts, "detail"]


def _dated(detail: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    """What the dated records say of each deal; names and voucher numbers may be mended later."""
    return sorted(tuple(str(entry[name]) for name in DATED_FACTS) for entry in detail)


def find_document(*, month: date, by: Any, revision: int | None = None) -> BulletinDocument:
    """Return a frozen bulletin the user may see, the latest unless told. Raises NotFound."""
    found = Bulletin.objects.visible_to(by).of_month(month).select_related("rules")
    if revision is not None:
        found = found.filter(revision=revision)
    if (bulletin := found.first()) is None:
        raise NotFound(f"还没有{month_label(month)}的通报。")
    return document_of(bulletin, is_frozen=True)


def draft_document(*, month: date) -> BulletinDocument:
    """Return a month's figures as they stand now, without freezing anything."""
    return document_of(_build(month, timezone.now(), current_rules()), is_frozen=False)


def document_of(bulletin: Bulletin, *, is_frozen: bool) -> BulletinDocument:
    """Return what is shown of a bulletin."""
    return BulletinDocument(
        month=bulletin.month,
        revision=bulletin.revision,
        digest=bulletin.digest,
        is_frozen=is_frozen,
        snapshot=bulletin.snapshot,
        detail=bulletin.detail,
        rules={"version": bulletin.rules.version, **bulletin.rules.values},
    )


def _build(
    month: date, known_at: datetime, rules: CountingRules, progress: Progress = lambda *_: None
) -> Bulletin:
    as_of = AsOf(month_end(month), known_at)
    step = partial(_step, progress)
    step(1)
    snapshot = build_snapshot(as_of, rules_of(rules))
    step(2)
    detail = figures.landed_deals(as_of)
    step(3)
    return Bulletin(
        month=month,
        snapshot=snapshot,
        detail=detail,
        digest=digest_of({"snapshot": snapshot, "detail": detail}),
        known_at=known_at,
        rules=rules,
    )


def _step(progress: Progress, place: int) -> None:
    progress(place, len(STEPS), STEPS[place])


def _check_may_make(by: Any) -> None:
    if by.role not in MAKERS:
        raise NotAllowed("只有财政局可以生成通报。")


def _check_month_ended(month: date) -> None:
    if month_end(month) >= local_today():
        raise InvalidInput(f"{month_label(month)}尚未结束，月末之后才能生成通报。")
