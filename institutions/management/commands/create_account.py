"""Make an account; in this room because a bank's clerk works for an institution."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts.choices import Role
from accounts.models import User
from accounts.registers import find_department, find_region
from accounts.services import create_account
from common.errors import DomainError, InvalidInput
from institutions.services import find_institution, join_institution

# Where an account may work: option, what it is called, how it is found.
WORKPLACES = {
    "region": ("县市", find_region),
    "department": ("部门", find_department),
    "institution": ("金融机构", find_institution),
}


class Command(BaseCommand):
    """`manage.py create_account --username … --name … --role … [--region|--department|…]`."""

    help = "Make an account and print its first password, once; it must be changed at first login."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add who, which role and where."""
        roles = [role.value for role in Role if role != Role.SYSTEM]
        parser.add_argument("--username", required=True)
        parser.add_argument("--name", required=True, help="the person's name")
        parser.add_argument("--role", required=True, choices=roles)
        for option in WORKPLACES:
            parser.add_argument(f"--{option}", default="", help="any of its names, or its code")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the account and print its password."""
        try:
            user, password = make_account(options)
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal
        if options["json"]:
            made = {"username": user.username, "role": user.role, "password": password}
            self.stdout.write(json.dumps(made, ensure_ascii=False))
            return
        self.stdout.write(
            f"账号 {user.username}（{user.get_role_display()}）已建立。\n"
            f"初始密码：{password}\n只显示这一次；首次登录须修改。"
        )


@transaction.atomic
def make_account(options: dict[str, Any]) -> tuple[User, str]:
    """Make the account and, for a bank, say which institution it works for."""
    places = {option: _find_place(option, options[option]) for option in WORKPLACES}
    institution = places.pop("institution")
    if options["role"] == Role.BANK and institution is None:
        raise InvalidInput("金融机构账号必须用 --institution 指明机构。")
    by = User.objects.system()
    user, password = create_account(
        username=options["username"],
        full_name=options["name"],
        role=options["role"],
        by=by,
        **places,
    )
    if institution is not None:
        join_institution(user=user, institution=institution, by=by)
    return user, password


def _find_place(option: str, text: str) -> Any:
    if not text:
        return None
    word, find = WORKPLACES[option]
    if (place := find(text)) is None:
        raise InvalidInput(f"没有名为“{text}”的{word}，请核对名称。")
    return place
