"""Importing the original of the published lists: what is found, attached, missed, refused."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from common.errors import InvalidInput, NotAllowed
from common.models import AuditRecord
from institutions.choices import EditionStatus
from institutions.importing.original import read_original
from institutions.models import Clause, Institution, ListEdition
from institutions.originals import attach_original

TEXT = """\ufeff示例监管局

某某分局

正面清单

◎关于支持困难行业的通

知示办发〔2022〕7 号

一、总体要求

（一）这是文件里的条目，不是清单的条目。

中国农业发展银行喀什地区分行

正面清单

下列方向优先：

（一）支持粮食收购，

覆盖收购与仓储。

17

（二）支持棉花。

（负面清单）

（一）土地储备。

（二）采石，包括（一）露天开采。

注：以上可以个案研究。

巴楚县农村信用合作联社

正面清单

一、支持农户。

（一）小额信用。

（二）春耕备耕。

二、支持合作社。

\t示例监管局
\t正面清单
\t（一）支持粮食收购
\t（九）不该算进来的一条
"""


def entries(name: str, polarity: str) -> list[tuple[str, str]]:
    section = next(section for section in read_original(TEXT) if section.name == name)
    return [(entry.number, entry.text) for entry in section.numbered(polarity)]


def test_headings_wrapped_lines_page_numbers_and_index_are_understood():
    names = [section.name for section in read_original(TEXT)]
    assert names == ["示例监管局某某分局", "中国农业发展银行喀什地区分行", "巴楚县农村信用合作联社"]
    assert entries("中国农业发展银行喀什地区分行", "positive") == [
        ("（一）", "（一）支持粮食收购，覆盖收购与仓储。"),
        ("（二）", "（二）支持棉花。"),
    ]


def test_a_note_ends_the_last_entry_and_is_none_itself():
    assert entries("中国农业发展银行喀什地区分行", "negative") == [
        ("（一）", "（一）土地储备。"),
        ("（二）", "（二）采石，包括（一）露天开采。"),
    ]


def test_only_the_outermost_numbering_makes_entries():
    assert entries("巴楚县农村信用合作联社", "positive") == [
        ("一、", "一、支持农户。（一）小额信用。（二）春耕备耕。"),
        ("二、", "二、支持合作社。"),
    ]


def test_a_regulator_lists_documents_not_entries():
    regulator = read_original(TEXT)[0]
    assert regulator.kind == "regulator"
    assert [(d.title, d.doc_no) for d in regulator.documents] == [
        ("关于支持困难行业的通知", "示办发〔2022〕7号")
    ]
    assert not regulator.numbered("positive")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "一份普通的报告\n\n一、概况",
        "正面清单\n\n（一）没有机构名",
        "某行\n\n正面清单\n\n没有编号",
    ],
)
def test_a_document_without_that_form_is_refused_with_the_reason(text):
    with pytest.raises(InvalidInput, match="清单"):
        read_original(text)


@pytest.fixture
def edition(register: None) -> ListEdition:
    """An edition of one institution with a clause the original lacks, and lacking one it has."""
    bank = Institution.objects.get(code="adbc")
    ListEdition.objects.filter(institution=bank).delete()
    edition = ListEdition.objects.create(
        institution=bank,
        name="测试版",
        status=EditionStatus.IN_FORCE,
        effective_from="2022-02-20",
        created_by=User.objects.system(),
    )
    for place, (number, polarity) in enumerate(
        [
            ("（一）", "positive"),
            ("（二）", "positive"),
            ("（三）", "positive"),
            ("（一）", "negative"),
        ]
    ):
        Clause.objects.create(
            edition=edition,
            position=place,
            number=number,
            polarity=polarity,
            strength="hard" if polarity == "negative" else "",
            title="试",
            text="试",
        )
    return edition


@pytest.mark.django_db
def test_wording_is_attached_and_what_has_no_counterpart_is_named(edition: ListEdition, bureau):
    plan = attach_original(source=TEXT.encode(), file_name="原文.txt", by=bureau)
    wording = dict(
        edition.clauses.filter(polarity="positive").values_list("number", "official_text")
    )
    assert wording["（一）"] == "（一）支持粮食收购，覆盖收购与仓储。"
    assert wording["（三）"] == ""
    remarks = {(r["institution"], r["list"], r["no"]): r["message"] for r in plan.unmatched}
    bank = "中国农业发展银行喀什地区分行"
    assert remarks[(bank, "正面清单", "（三）")] == "清单里有，原文没有"
    assert remarks[(bank, "负面清单", "（二）")] == "原文有，清单里没有"
    assert AuditRecord.objects.filter(action="institutions.attach_original").count() == 1


@pytest.mark.django_db
def test_a_dry_run_saves_nothing(edition: ListEdition, tmp_path: Path):
    path = tmp_path / "原文.txt"
    path.write_text(TEXT, encoding="utf-8")
    out = StringIO()
    call_command("import_lists", str(path), "--dry-run", "--json", stdout=out)
    found = json.loads(out.getvalue())
    assert [row["kind"] for row in found["institutions"]] == [
        "regulator",
        "institution",
        "institution",
    ]
    assert not edition.clauses.exclude(official_text="").exists()
    call_command("import_lists", str(path), stdout=out)
    assert edition.clauses.exclude(official_text="").count() == 3


@pytest.mark.django_db
def test_only_the_bureau_imports_an_original(edition: ListEdition, bank_clerk):
    with pytest.raises(NotAllowed):
        attach_original(source=TEXT.encode(), file_name="原文.txt", by=bank_clerk)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "code"), [(b"\x00\x01\x02", 1), ("随便".encode(), 1), (None, 2)]
)
def test_command_refuses_what_is_no_list(content: bytes | None, code: int, tmp_path: Path):
    path = tmp_path / "x.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CommandError) as refusal:
        call_command("import_lists", str(path))
    assert refusal.value.returncode == code
