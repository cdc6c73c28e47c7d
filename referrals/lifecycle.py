"""The stages of a referral and the table of moves between them (interfaces.md 1 and 3)."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import models

from accounts.choices import Role


class Stage(models.TextChoices):
    """How far an institution is with a project."""

    PUSHED = "pushed", "已推送"
    ACKNOWLEDGED = "acknowledged", "已签收"
    CONTACTED = "contacted", "已对接"
    INTENDED = "intended", "达成意向"
    APPROVED = "approved", "已授信"
    SIGNED = "signed", "已签约"
    DISBURSED = "disbursed", "已投放"
    DECLINED = "declined", "不予支持"
    CANCELLED = "cancelled", "已取消"

    @property
    def step(self) -> int:
        """Place along the way, 1 (已推送) to 7 (已投放); 0 for the ways out."""
        return WAY.index(self) + 1 if self in WAY else 0


WAY = (
    Stage.PUSHED,
    Stage.ACKNOWLEDGED,
    Stage.CONTACTED,
    Stage.INTENDED,
    Stage.APPROVED,
    Stage.SIGNED,
    Stage.DISBURSED,
)
# Stages with an agreed amount: a deal exists from here on.
AGREED = WAY[3:]
# What is agreed and not yet paid counts as 意向 in these stages.
COUNTED = AGREED
OPEN = WAY
CLOSED = (Stage.DECLINED, Stage.CANCELLED)
# Before anything is agreed: there is no deal yet.
EARLY = WAY[:3]
# What an institution may report in a monthly return (interfaces.md 3).
REPORTABLE = (*WAY[1:], Stage.DECLINED)


class DeclineReason(models.TextChoices):
    """Why an institution does not support a project; the note says the rest."""

    COLLATERAL = "collateral", "担保不足"
    CAPITAL = "capital", "资本金未到位"
    PERMITS = "permits", "手续不全"
    CREDIT_RECORD = "credit_record", "信用记录不良"
    REPAYMENT = "repayment", "还款来源不足"
    POLICY = "policy", "不符合信贷政策或负面清单"
    AREA = "area", "不在服务区域"
    CONTACT = "contact", "联系不上或项目方无意愿"
    FUNDED = "funded", "已由其他机构解决"
    OTHER = "other", "其他"


OFFICE = frozenset({Role.BUREAU, Role.SYSTEM})
LENDER = frozenset({Role.BANK, *OFFICE})
# What may be said about a loan at any of its steps.
LOAN_FACTS = ("voucher_no", "rate_pct", "term_months", "note")


@dataclass(frozen=True)
class Move:
    """One way from stage to stage: who may take it, what it needs, what else it takes."""

    label: str
    sources: tuple[Stage, ...]
    target: Stage
    roles: frozenset[Role] = LENDER
    # Names of the inputs without which the move is refused; `agreed_wan` is either amount.
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ("note",)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The inputs the move reads; anything else that is sent is left unread."""
        return (*self.needs, *(name for name in self.takes if name not in self.needs))

    @property
    def makes_deal(self) -> bool:
        """Whether the move begins a deal where there is none."""
        return self.target in AGREED


MOVES: dict[str, Move] = {
    "acknowledge": Move("签收", (Stage.PUSHED,), Stage.ACKNOWLEDGED),
    "contact": Move("登记对接", WAY[:2], Stage.CONTACTED),
    "intend": Move("达成意向", WAY[:4], Stage.INTENDED, needs=("intended_wan",), takes=LOAN_FACTS),
    "approve": Move("登记授信", WAY[:5], Stage.APPROVED, needs=("approved_wan",), takes=LOAN_FACTS),
    "sign": Move(
        "登记签约",
        WAY[:6],
        Stage.SIGNED,
        needs=("agreed_wan",),
        takes=("approved_wan", *LOAN_FACTS),
    ),
    "disburse": Move("登记投放", WAY, Stage.DISBURSED, needs=("paid_wan",), takes=LOAN_FACTS),
    "decline": Move("不予支持", WAY[:6], Stage.DECLINED, needs=("decline_reason", "note")),
    "cancel": Move("撤回", WAY[:6], Stage.CANCELLED, roles=OFFICE, needs=("note",)),
    "reopen": Move("重新推送", CLOSED, Stage.PUSHED, roles=OFFICE, needs=("note",)),
}
# The step that usually comes next: the one button a list shows.
NEXT_MOVES = {
    Stage.PUSHED: "acknowledge",
    Stage.ACKNOWLEDGED: "contact",
    Stage.CONTACTED: "intend",
    Stage.INTENDED: "approve",
    Stage.APPROVED: "sign",
    Stage.SIGNED: "disburse",
    Stage.DISBURSED: "disburse",
}


def actions_for(stage: Stage | str, role: Role | str) -> list[str]:
    """Return the moves a role may make from a stage, in the order of the way."""
    return [name for name, move in MOVES.items() if stage in move.sources and role in move.roles]


def next_action(stage: Stage | str, role: Role | str) -> str | None:
    """Return the usual next move from a stage, if the role may make it."""
    name = NEXT_MOVES.get(Stage(stage))
    return name if name and role in MOVES[name].roles else None


def furthest(stages: Iterable[Stage | str]) -> Stage | None:
    """Return the stage that is furthest along the way; the ways out do not count."""
    on_the_way = [Stage(stage) for stage in stages if stage in WAY]
    return max(on_the_way, key=lambda stage: stage.step, default=None)
