"""Facts with two dates: when they held, and when the portal knew them.

A figure "as of the end of February, as known when the bulletin was frozen" can be computed again
years later, because nothing that was ever known is overwritten: a correction supersedes the old
row and adds new ones. The half-open span [valid_from, valid_until) says when a fact held; a fact
without a first day starts at `date.min`, one without an end runs to `date.max`.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Self, TypeVar

from django.conf import settings
from django.db import connection, models
from django.db.models import F, Q
from django.utils import timezone

LEDGER_LOCK = 20220228


class DatedQuerySet(models.QuerySet[Any]):
    """Rows of a dated fact, asked for by day and by what was known."""

    def known(self, at: datetime | None = None) -> Self:
        """Keep what was known at a moment; without one, what is known now."""
        if at is None:
            return self.filter(superseded_at=None)
        return self.filter(Q(superseded_at=None) | Q(superseded_at__gt=at), recorded_at__lte=at)

    def as_of(self, day: date, *, known_at: datetime | None = None) -> Self:
        """Keep the one row of each owner that held on a day."""
        return self.known(known_at).filter(valid_from__lte=day, valid_until__gt=day)


class DatedRow(models.Model):
    """An abstract fact about one owner: span of validity, span of knowledge, author."""

    valid_from = models.DateField("自", default=date.min)
    valid_until = models.DateField("至（不含）", default=date.max)
    recorded_at = models.DateTimeField("记录时间")
    superseded_at = models.DateTimeField("被更正时间", null=True, blank=True)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name="记录人"
    )

    objects = DatedQuerySet.as_manager()

    class Meta:
        abstract = True

    @classmethod
    def constraints_for(cls, owner: str, prefix: str) -> list[models.BaseConstraint]:
        """Return the named constraints every dated fact keeps: one row a start, one open end."""
        current = Q(superseded_at=None)
        return [
            models.CheckConstraint(
                condition=Q(valid_from__lt=F("valid_until")), name=f"{prefix}_span_not_empty"
            ),
            models.UniqueConstraint(
                fields=[owner, "valid_from"], condition=current, name=f"{prefix}_one_per_start"
            ),
            models.UniqueConstraint(
                fields=[owner, "valid_until"], condition=current, name=f"{prefix}_one_per_end"
            ),
        ]


def recording_moment() -> datetime:
    """Return the time to record facts under; call inside the transaction that writes them.

    Writers share a lock that a freeze takes alone: what a frozen bulletin did not see is
    always recorded later than the bulletin. SQLite lets only one writer in anyway.
    """
    return _locked_moment("pg_advisory_xact_lock_shared")


def freezing_moment() -> datetime:
    """Return the time up to which everything recorded is visible; waits for open writers."""
    return _locked_moment("pg_advisory_xact_lock")


def _locked_moment(lock: str) -> datetime:
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {lock}(%s)", [LEDGER_LOCK])
        cursor.execute("SELECT clock_timestamp()")  # one clock for all machines of the office
        moment: datetime = cursor.fetchone()[0]
        return moment


Row = TypeVar("Row", bound=DatedRow)


def write_versions(
    model: type[Row],
    owner: str,
    values_by_owner: Mapping[int, Mapping[str, Any]],
    *,
    valid_from: date,
    at: datetime,
    by: models.Model,
) -> list[Row]:
    """Let new values hold from a day on, for many owners at once; return the rows added for them.

    A later fact that is already known keeps its span: a late report for February does not undo
    what March said. An owner whose values on that day are the same already is left alone.
    """
    current: dict[int, list[Row]] = {}
    rows = model._default_manager.filter(
        **{f"{owner}_id__in": list(values_by_owner), "superseded_at": None}
    ).order_by("valid_from")
    for row in rows.select_for_update():
        current.setdefault(getattr(row, f"{owner}_id"), []).append(row)
    superseded: list[int] = []
    kept_parts: list[Row] = []
    added: list[Row] = []
    for owner_id, values in values_by_owner.items():
        known = current.get(owner_id, [])
        holding = next((r for r in known if r.valid_from <= valid_from < r.valid_until), None)
        if holding and all(getattr(holding, name) == value for name, value in values.items()):
            continue
        until = next((r.valid_from for r in known if r.valid_from > valid_from), date.max)
        if holding:
            superseded.append(holding.pk)
            until = holding.valid_until
            if holding.valid_from < valid_from:
                kept_parts.append(_copy_until(holding, valid_from, at))
        stamp = {"recorded_at": at, "recorded_by": by, f"{owner}_id": owner_id}
        added.append(model(valid_from=valid_from, valid_until=until, **stamp, **values))
    model._default_manager.filter(pk__in=superseded).update(superseded_at=at)
    model._default_manager.bulk_create([*kept_parts, *added], batch_size=500)
    return added


def _copy_until(row: Row, until: date, at: datetime) -> Row:
    """Return an unsaved copy of a row that ends earlier and is recorded now."""
    values = {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if not field.primary_key
    }
    return type(row)(**values | {"valid_until": until, "recorded_at": at})
