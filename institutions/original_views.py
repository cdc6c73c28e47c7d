"""Pages of the original of the published lists: upload, what was found, confirm."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts.choices import Role
from accounts.permissions import PersonRequest, only
from common.errors import InvalidInput
from institutions.original_uploads import (
    OriginalPreview,
    confirm_original,
    discard_original,
    preview_original,
    stage_original,
)

# The published lists are about 300 KB of text.
LARGEST_UPLOAD = 5 * 1024 * 1024
# The kept document a page speaks of stands in its address under this name.
PARAMETER = "original"


class OriginalForm(forms.Form):
    """The text of the published lists."""

    file = forms.FileField(
        label="清单原文",
        widget=forms.FileInput(attrs={"accept": ".txt,text/plain"}),
        help_text="文本文件（.txt）：机构名称、正面清单、负面清单、编号条目。先看结果，确认后才保存。",
        error_messages={"required": "请选择清单原文。", "empty": "文件是空的，请重新选择。"},
    )

    def clean_file(self) -> Any:
        """Refuse what is no text or too large before it is read."""
        file = self.cleaned_data["file"]
        if not file.name.lower().endswith(".txt"):
            raise forms.ValidationError("只收 .txt 文本文件，请把原文另存为文本（UTF-8）再上传。")
        if file.size > LARGEST_UPLOAD:
            raise forms.ValidationError("文件超过 5 MB，不像是各机构清单的原文，请核对。")
        return file


@require_http_methods(["GET", "HEAD", "POST"])
@only(Role.BUREAU)
def lists_import(request: PersonRequest) -> HttpResponse:
    """Take the original of the lists and show what is found in it; nothing is saved yet."""
    if request.method == "POST":
        return _take(request)
    if token := request.GET.get(PARAMETER):
        return _preview_page(request, preview_original(token=token, by=request.user))
    return _upload_page(request, OriginalForm())


@require_POST
@only(Role.BUREAU)
def lists_import_confirm(request: PersonRequest) -> HttpResponse:
    """Attach the official wording to the clauses it belongs to."""
    plan = confirm_original(token=_token(request), by=request.user)
    messages.success(
        request,
        f"原文已附到 {len(plan.wording)} 条条款；没有对应的 {len(plan.unmatched)} 处未作改动。",
    )
    return redirect("institutions")


@require_POST
@only(Role.BUREAU)
def lists_import_discard(request: PersonRequest) -> HttpResponse:
    """Throw an uploaded document away."""
    discard_original(token=_token(request), by=request.user)
    messages.info(request, "没有保存，上传的文件已丢弃。")
    return redirect("lists_import")


def _take(request: PersonRequest) -> HttpResponse:
    form = OriginalForm(request.POST, request.FILES)
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            token = stage_original(content=file.read(), file_name=file.name, by=request.user)
        except InvalidInput as refusal:
            form.add_error("file", refusal.message)
        else:
            return redirect(f"{reverse('lists_import')}?{urlencode({PARAMETER: token})}")
    return _upload_page(request, form, status=422)


def _token(request: PersonRequest) -> str:
    if token := request.POST.get(PARAMETER):
        return token
    raise InvalidInput("没有要确认的文件，请先上传清单原文。")


def _upload_page(request: PersonRequest, form: OriginalForm, status: int = 200) -> HttpResponse:
    return render(request, "institutions/lists_import.html", {"form": form}, status=status)


def _preview_page(request: PersonRequest, preview: OriginalPreview) -> HttpResponse:
    plan = preview.plan
    rows = [
        {
            "name": section.name,
            "positive": len(section.numbered("positive")),
            "negative": len(section.numbered("negative")),
            "documents": len(section.documents),
        }
        for section in plan.sections
    ]
    context = {
        "file": preview.file,
        "rows": rows,
        "totals": {
            name: sum(int(str(row[name])) for row in rows)
            for name in ("positive", "negative", "documents")
        },
        "attached": len(plan.wording),
        "unmatched": plan.unmatched,
    }
    return render(request, "institutions/lists_import_preview.html", context)
