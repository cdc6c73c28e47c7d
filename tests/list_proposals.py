"""A bank, its list in force, and proposals to change it, as the tests of both need them."""

from collections.abc import Callable
from datetime import date
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from common.months import local_today
from institutions.choices import Polarity
from institutions.editions import (
    EditionRequest,
    draft_edition,
)
from institutions.models import Clause, ListEdition

ClientOf = Callable[[User], Client]
CODE = "kashgar-rcb"
PAGE = f"/institutions/{CODE}/"
PROPOSE = f"/institutions/{CODE}/propose/"
# Everything of a clause but which row it is.
COMPARED = [f.attname for f in Clause._meta.concrete_fields if f.name not in ("id", "edition")]


def held(code: str = CODE) -> ListEdition:
    return ListEdition.objects.in_force().get(institution__code=code)


def clause_of(edition: ListEdition, polarity: str) -> Clause:
    return edition.clauses.filter(polarity=polarity).exclude(number="").order_by("position")[0]


def propose(client: Client, **changed: str) -> Any:
    """Send the form as a browser does: every clause, with line ends of the web."""
    form = client.get(PROPOSE).context["form"]
    data = {name: form[name].initial for name in form.fields}
    data |= {"reason": "总行调整了准入标准", "effective_from": local_today().isoformat()} | changed
    sent = {name: str(value).replace("\n", "\r\n") for name, value in data.items()}
    return client.post(PROPOSE, sent)


def proposed(client: Client, text: str = "改后的文字") -> ListEdition:
    clause = clause_of(held(), Polarity.POSITIVE)
    assert propose(client, **{f"text_{clause.pk}": text}).status_code == 302
    return ListEdition.objects.order_by("-pk")[0]


def draft(
    by: User, *, on: date | None = None, name: str = "草稿甲", text: str = "新"
) -> ListEdition:
    clause = clause_of(held(), Polarity.POSITIVE)
    request = EditionRequest(
        name, on or local_today(), "试", {(clause.polarity, clause.number): {"text": text}}
    )
    return draft_edition(institution=held().institution, request=request, by=by)


def post(client: Client, name: str, edition: ListEdition, **data: str) -> Any:
    return client.post(reverse(name, args=[edition.pk]), data)


def count_queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(url).status_code == 200
    return len(queries)
