"""Every write between projects and institutions."""

from referrals.services.imports import import_progress
from referrals.services.moves import move_referral
from referrals.services.progress import Payment, Step, record_progress
from referrals.services.pushing import push_project
from referrals.services.returns import submit_return
from referrals.services.uploads import confirm_upload, discard_upload, stage_upload

__all__ = [
    "Payment",
    "Step",
    "confirm_upload",
    "discard_upload",
    "import_progress",
    "move_referral",
    "push_project",
    "record_progress",
    "stage_upload",
    "submit_return",
]
