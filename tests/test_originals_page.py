"""The page that takes the original of the published lists: shown first, saved when confirmed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import User
from common.models import AuditRecord
from institutions.models import Clause, ListEdition
from institutions.original_uploads import ORIGINALS

ClientOf = Callable[[User], Client]
BANK = "中国农业发展银行喀什地区分行"
TEXT = f"""示例监管局
正面清单
◎关于支持困难行业的通知示办发〔2022〕7号
{BANK}
正面清单
（一）支持粮食收购，
覆盖收购与仓储。
（九十九）跳号的不算新条目。
负面清单
（一）土地储备。
不在册的示例银行
正面清单
（一）支持示例。
"""


@pytest.fixture
def office(bureau: User, client_of: ClientOf, settings: Any, tmp_path: Path) -> Client:
    """The bureau's browser, before anything was uploaded."""
    settings.MEDIA_ROOT = tmp_path
    return client_of(bureau)


def upload(client: Client, content: bytes, name: str = "清单原文.txt") -> Any:
    file = SimpleUploadedFile(name, content, content_type="text/plain")
    return client.post(reverse("lists_import"), {"file": file})


def first_clause() -> Clause:
    edition = ListEdition.objects.in_force().get(institution__code="adbc")
    return edition.clauses.get(polarity="positive", number="（一）")


def kept_files(person: User) -> list[Path]:
    return list(ORIGINALS._folder(person).glob("*/content"))


def test_what_was_found_is_shown_and_nothing_is_saved(office: Client):
    response = upload(office, TEXT.encode())
    assert response.status_code == 302
    page = office.get(response.url)
    text = page.content.decode()
    assert "还没有保存" in text
    counts = {row["name"]: row for row in page.context["rows"]}
    assert counts[BANK] == {"name": BANK, "positive": 1, "negative": 1, "documents": 0}
    assert counts["示例监管局"]["documents"] == 1
    assert page.context["totals"] == {"positive": 2, "negative": 1, "documents": 1}
    # Missing on either side: a bank the register has not, clauses the original has not.
    assert "机构不在登记册里" in text
    assert "清单里有，原文没有" in text
    assert not Clause.objects.exclude(official_text="").exists()
    assert not AuditRecord.objects.filter(action="institutions.attach_original").exists()


def test_confirming_attaches_the_wording_once(office: Client, bureau: User):
    token = upload(office, TEXT.encode()).url.partition("original=")[2]
    response = office.post(reverse("lists_import_confirm"), {"original": token}, follow=True)
    assert "原文已附到 2 条条款" in response.content.decode()
    wording = "（一）支持粮食收购，覆盖收购与仓储。（九十九）跳号的不算新条目。"
    assert first_clause().official_text == wording
    record = AuditRecord.objects.get(action="institutions.attach_original")
    assert record.actor == bureau
    assert record.after == {"file": "清单原文.txt", "clauses": 2}
    assert office.post(reverse("lists_import_confirm"), {"original": token}).status_code == 404


def test_a_discarded_document_is_gone(office: Client, bureau: User):
    token = upload(office, TEXT.encode()).url.partition("original=")[2]
    assert len(kept_files(bureau)) == 1
    assert office.post(reverse("lists_import_discard"), {"original": token}).status_code == 302
    assert kept_files(bureau) == []
    assert office.get(reverse("lists_import"), {"original": token}).status_code == 404
    assert first_clause().official_text == ""


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        ("一份普通的报告\n一、概况".encode(), "报告.txt", "没有找到“正面清单”标题"),
        ("正面清单\n（一）没有机构名".encode(), "原文.txt", "之前没有机构名称"),
        ("某行\n正面清单\n没有编号".encode(), "原文.txt", "没有编号条目"),
        (b"\x00\x01\x02\xff", "原文.txt", "文件不是文本"),
        (TEXT.encode(), "原文.docx", "只收 .txt"),
        (b"", "原文.txt", "文件是空的"),
        (b"a" * (5 * 1024 * 1024 + 1), "原文.txt", "超过 5 MB"),
    ],
)
def test_a_document_without_that_form_is_refused_at_the_field(
    content: bytes, name: str, reason: str, office: Client, bureau: User
):
    before = kept_files(bureau)
    response = upload(office, content, name)
    assert response.status_code == 422
    assert reason in response.context["form"].errors["file"][0]
    assert reason in response.content.decode()
    assert kept_files(bureau) == before


def test_a_missing_file_is_asked_for_at_the_field(office: Client):
    response = office.post(reverse("lists_import"), {})
    assert response.status_code == 422
    assert response.context["form"].errors["file"] == ["请选择清单原文。"]
    assert office.post(reverse("lists_import_confirm"), {}).status_code == 422


def test_only_who_uploaded_it_can_see_or_confirm_it(office: Client, client_of: ClientOf):
    token = upload(office, TEXT.encode()).url.partition("original=")[2]
    other = User.objects.create(username="bureau2", role="bureau", full_name="财政局 乙")
    stranger = client_of(other)
    assert stranger.get(reverse("lists_import"), {"original": token}).status_code == 404
    assert stranger.post(reverse("lists_import_confirm"), {"original": token}).status_code == 404
    outside = {"original": f"../{other.pk}/{token}"}
    assert office.get(reverse("lists_import"), outside).status_code == 404


def test_only_the_bureau(bank_clerk: User, leader: User, client_of: ClientOf):
    for person in (bank_clerk, leader):
        assert upload(client_of(person), TEXT.encode()).status_code == 403
