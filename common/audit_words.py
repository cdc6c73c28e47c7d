"""Chinese words for what stands in the audit record; a word that is missing shows the code."""

from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist

from common.models import AuditRecord
from common.money import plain

ACTION_WORDS = {
    "accounts.log_in": "登录",
    "accounts.log_in_failed": "登录失败",
    "accounts.log_in_locked": "登录被锁定",
    "accounts.log_out": "退出登录",
    "accounts.change_password": "修改密码",
    "accounts.create_account": "新建账号",
    "accounts.set_account_active": "启用或停用账号",
    "audit.read": "查阅审计记录",
    "institutions.join": "指定所属机构",
    "institutions.attach_original": "导入清单原文",
    "institutions.confirm_edition": "确认清单",
    "institutions.draft_edition": "起草清单版本",
    "institutions.accept_edition": "采纳清单版本，待生效",
    "institutions.recall_edition": "撤回采纳的清单版本",
    "institutions.put_in_force": "清单版本生效",
    "institutions.rebase_edition": "清单修改改接现行版本",
    "institutions.reject_edition": "不采纳清单修改",
    "jobs.cancel": "取消任务",
    "jobs.enqueue": "提交任务",
    "projects.import_ledger": "导入台账",
    "referrals.push_project": "推送项目",
    "referrals.acknowledge": "签收",
    "referrals.contact": "登记对接",
    "referrals.intend": "登记意向",
    "referrals.approve": "登记授信",
    "referrals.sign": "登记签约",
    "referrals.disburse": "登记投放",
    "referrals.decline": "不予支持",
    "referrals.cancel": "撤回推送",
    "referrals.reopen": "重新推送",
    "referrals.submit_return": "提交月度报送",
    "referrals.import_progress": "导入进展表",
    "referrals.download_template": "下载报送表",
    "reports.download_bulletin": "下载通报",
    "reports.freeze_bulletin": "冻结通报",
    "matching.answer_question": "回答待核实的问题",
    "matching.download_matches": "下载匹配表",
    "matching.add_words": "补充词表",
    "matching.change_shared": "修改公用条件",
    "matching.start_run": "重新匹配",
    "reports.load_reference": "装入基础数据",
    "reports.seed_demo": "装入演示数据",
}
# Names in `before` and `after` that are no fields of any model.
OTHER_WORDS = {
    "accounts": "账号",
    "action": "动作",
    "actor": "操作人",
    "based_on": "依据的版本",
    "changed": "更新",
    "confirmed_by": "确认人",
    "counting_rules": "统计口径",
    "deal": "笔",
    "departments": "部门",
    "duplicates": "重复",
    "errors": "错误",
    "first_code": "首个编号",
    "format": "格式",
    "institution_names": "机构名称",
    "institutions": "金融机构",
    "last_code": "末个编号",
    "new": "新增",
    "object": "对象",
    "occurred_on": "发生日期",
    "page": "页码",
    "paid_wan": "累计投放",
    "projects": "项目",
    "regions": "地区",
    "returns": "报送",
    "row_count": "行数",
    "rows": "行数",
    "sectors": "行业",
    "shared": "公用条件",
    "service_areas": "服务区域",
    "since": "自",
    "unchanged": "未变",
    "until": "至",
    "values": "内容",
    "warnings": "提醒",
    "words": "补充的词",
}
# A name with this in front means the same of the deal of a referral.
DEAL_PREFIX = "deal_"


class Change(NamedTuple):
    """One value before and after, as shown."""

    word: str
    before: Any
    after: Any


def changes_of(record: AuditRecord) -> Iterator[Change]:
    """List what changed, one line a field, in the order in which it was recorded."""
    for name in dict.fromkeys([*record.before, *record.after]):
        field = _field_of(record.object_type, name) or _field_anywhere(name)
        before, after = (
            _shown(values.get(name), name, field) for values in (record.before, record.after)
        )
        yield Change(_word(name, field), before, after)


def _field_of(object_type: str, name: str) -> Any:
    """Return the field of the object itself; None where there is no such field."""
    try:
        return apps.get_model(object_type)._meta.get_field(name)
    except (LookupError, ValueError, FieldDoesNotExist):
        return None


@cache
def _field_anywhere(name: str) -> Any:
    """Return the first field of that name in any room: services also record what belongs to it."""
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if field.name == name:
                return field
    bare = name.removeprefix(DEAL_PREFIX)
    return _field_anywhere(bare) if bare != name else None


def _word(name: str, field: Any) -> str:
    if name in OTHER_WORDS:
        return OTHER_WORDS[name]
    return str(getattr(field, "verbose_name", name))


def _shown(value: Any, name: str, field: Any) -> Any:
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list):
        return "、".join(str(_shown(item, name, field)) for item in value) or None
    if isinstance(value, dict):
        return _pairs(value) or None
    if name.endswith("_wan") and value is not None:
        return f"{plain(Decimal(value))} 万元"
    return dict(getattr(field, "flatchoices", ())).get(value, value)


def _pairs(values: dict[str, Any]) -> str:
    shown = ((_word(name, None), _shown(value, name, None)) for name, value in values.items())
    return "，".join(f"{word} {value}" for word, value in shown if value is not None)
