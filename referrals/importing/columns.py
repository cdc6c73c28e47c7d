"""The columns of the progress return (融资对接进展表, interfaces.md 3)."""

from common.cells import Words
from common.excel import Column
from referrals.lifecycle import DeclineReason, Stage

COLUMNS: dict[str, Column] = {
    "project_code": Column("项目编号", ("项目编码", "项目代码")),
    "project": Column("项目名称", ("项目",), is_name=True),
    "institution": Column("金融机构", ("机构", "银行", "金融机构名称", "机构名称", "合作银行")),
    "stage": Column("进展阶段", ("阶段", "对接阶段", "当前阶段", "对接进展")),
    "intended_wan": Column("意向金额（万元）", ("意向金额", "意向额"), is_amount=True),
    "approved_wan": Column(
        "授信金额（万元）", ("授信金额", "授信额", "批复金额", "授信额度"), is_amount=True
    ),
    "paid_wan": Column(
        "本次投放金额（万元）",
        ("本次投放金额", "本次投放", "本月投放", "本月投放金额"),
        is_amount=True,
    ),
    "total_wan": Column(
        "累计投放金额（万元）", ("累计投放金额", "累计投放", "已投放金额"), is_amount=True
    ),
    "paid_on": Column("投放日期", ("放款日期", "投放时间")),
    "rate_pct": Column("执行利率（%）", ("执行利率", "利率", "年利率")),
    "term_months": Column("期限（月）", ("期限", "贷款期限"), is_term=True),
    "voucher_no": Column("凭证号", ("凭证编号", "借据号", "合同号")),
    "decline_reason": Column("不予支持原因", ("不予支持的原因", "不支持原因")),
    "unchanged": Column("无变化", ("有无变化", "是否无变化")),
    "note": Column("备注", ("说明",)),
}
REQUIRED = ("project", "stage")

STAGE_WORDS = Words.of(
    {
        Stage.ACKNOWLEDGED: ("已签收", "签收"),
        Stage.CONTACTED: ("已对接", "对接", "对接中"),
        Stage.INTENDED: ("达成意向", "已达成意向", "达成融资意向", "意向"),
        Stage.APPROVED: ("已授信", "授信", "已批复"),
        Stage.SIGNED: ("已签约", "签约"),
        Stage.DISBURSED: ("已投放", "投放", "已放款"),
        Stage.DECLINED: ("不予支持", "不支持"),
    }
)
REASON_WORDS = Words.of({reason.value: (reason.label, reason.value) for reason in DeclineReason})
