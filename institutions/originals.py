"""Attaches the official wording of the published lists to their clauses."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import transaction

from accounts.choices import Role
from common import audit
from common.errors import InvalidInput, NotAllowed
from institutions.importing.original import Section, read_original
from institutions.models import Clause, Institution, ListEdition
from institutions.services import InstitutionIndex

POLARITIES = ("positive", "negative")
LISTS = {"positive": "正面清单", "negative": "负面清单"}


@dataclass
class OriginalPlan:
    """What a document holds, which clauses it gives a wording to, and what has no counterpart."""

    sections: list[Section]
    wording: dict[int, str] = field(default_factory=dict)
    unmatched: list[dict[str, str]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the shape of interfaces.md 4."""
        return {
            "institutions": [_section_json(section) for section in self.sections],
            "attached": len(self.wording),
            "unmatched": self.unmatched,
        }


def plan_original(source: Path | bytes) -> OriginalPlan:
    """Read a document and match it with the lists in force. Writes nothing.

    Raises InvalidInput for a document that is not text or has not the form of the lists.
    """
    plan = OriginalPlan(read_original(_text_of(source)))
    index = InstitutionIndex()
    editions = {
        edition.institution_id: edition
        for edition in ListEdition.objects.in_force().prefetch_related("clauses")
    }
    for section in plan.sections:
        if section.kind == "institution":
            _match_section(plan, section, index.find(section.name), editions)
    return plan


def attach_original(*, source: Path | bytes, file_name: str, by: Any) -> OriginalPlan:
    """Give each clause in force the official wording a document has for it."""
    if by.role not in (Role.BUREAU, Role.SYSTEM):
        raise NotAllowed("只有财政局可以导入清单原文。")
    plan = plan_original(source)
    with transaction.atomic():
        clauses = list(Clause.objects.filter(pk__in=plan.wording))
        changed = [c for c in clauses if c.official_text != plan.wording[c.pk]]
        for clause in changed:
            clause.official_text = plan.wording[clause.pk]
        Clause.objects.bulk_update(changed, ["official_text"], batch_size=200)
        if changed:
            audit.record(
                "institutions.attach_original",
                by=by,
                after={"file": file_name, "clauses": len(changed)},
            )
    return plan


def _text_of(source: Path | bytes) -> str:
    content = source if isinstance(source, bytes) else source.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise InvalidInput("文件不是文本，请把原文另存为 .txt（UTF-8）再导入。")


def _match_section(
    plan: OriginalPlan,
    section: Section,
    institution: Institution | None,
    editions: dict[int, ListEdition],
) -> None:
    if institution is None:
        plan.unmatched.append(_remark(section.name, "", "", "机构不在登记册里"))
        return
    if (edition := editions.get(institution.pk)) is None:
        plan.unmatched.append(_remark(section.name, "", "", "机构没有生效的清单"))
        return
    ours = {(c.polarity, c.number): c for c in edition.clauses.all() if c.number}
    for polarity in POLARITIES:
        for entry in section.numbered(polarity):
            clause = ours.pop((polarity, entry.number), None)
            if clause is None:
                remark = _remark(section.name, polarity, entry.number, "原文有，清单里没有")
                plan.unmatched.append(remark)
            else:
                plan.wording[clause.pk] = entry.text
    for polarity, number in ours:
        plan.unmatched.append(_remark(section.name, polarity, number, "清单里有，原文没有"))


def _remark(name: str, polarity: str, number: str, message: str) -> dict[str, str]:
    return {
        "institution": name,
        "list": LISTS.get(polarity, ""),
        "no": number,
        "message": message,
    }


def _section_json(section: Section) -> dict[str, Any]:
    return {
        "name": section.name,
        "kind": section.kind,
        **{
            polarity: [{"no": e.number, "text": e.text} for e in section.numbered(polarity)]
            for polarity in POLARITIES
        },
        "documents": [{"title": d.title, "doc_no": d.doc_no} for d in section.documents],
    }
