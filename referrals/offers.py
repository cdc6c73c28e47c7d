"""What can be done with a referral as it stands: for buttons, API and the service itself."""

from dataclasses import dataclass

from accounts.choices import Role
from referrals.lifecycle import MOVES, Move, Stage
from referrals.standing import DealStanding, ReferralStanding


@dataclass(frozen=True)
class Offer:
    """A move somebody may make now, and on which deals."""

    action: str
    move: Move
    deals: tuple[DealStanding, ...] = ()
    # A further deal may be begun with it, or, before there is one, the referral itself moves.
    without_deal: bool = False

    @property
    def must_choose(self) -> bool:
        """Whether a person has to say which deal is meant."""
        return len(self.deals) + self.without_deal > 1


def offers(standing: ReferralStanding, role: Role | str) -> list[Offer]:
    """Return the moves a role may make now, in the order of the way."""
    made = (
        Offer(
            action,
            move,
            deals=tuple(deal for deal in standing.live if deal.stage in move.sources),
            without_deal=source_of(standing, move, None) in move.sources,
        )
        for action, move in MOVES.items()
        if role in move.roles
    )
    return [offer for offer in made if offer.deals or offer.without_deal]


def source_of(standing: ReferralStanding, move: Move, deal: DealStanding | None) -> Stage | None:
    """Return the stage a move would start from, on a deal, a new one, or the referral itself.

    None where that makes no sense: once there is a deal, only a deal can be acknowledged,
    declined or cancelled. A closed deal can only begin anew.
    """
    if deal and (deal.is_live or not move.makes_deal):
        return deal.stage
    if move.makes_deal:
        return standing.new_deal_stage
    return None if standing.live else Stage(standing.referral.stage)
