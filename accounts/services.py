"""Every write to accounts: logging in and out, passwords, new accounts, switching them off."""

import secrets
import string
import unicodedata
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import authenticate, password_validation
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from accounts.choices import Role
from accounts.models import Department, LoginTries, Region, User
from common import audit
from common.errors import DomainError, InvalidInput, NotAllowed, NotFound

MAX_TRIES = 5
LOCK_SPAN = timedelta(minutes=15)
# Tries under names that nobody used for so long are forgotten.
FORGET_AFTER = timedelta(days=1)

WRONG_LOGIN = "用户名或密码不对，请重新输入。"
LOCKED = f"输错次数太多，请 {LOCK_SPAN.seconds // 60} 分钟后再试；忘记密码请联系安全管理员。"
WRONG_OLD_PASSWORD = "现在的密码不对，请重新输入。"
PASSWORD_SENTENCES = {
    "password_too_short": "新密码太短，至少要 {min_length} 个字符。",
    "password_too_similar": "新密码与用户名太相近，请换一个。",
    "password_too_common": "新密码太常见，容易被猜到，请换一个。",
    "password_entirely_numeric": "新密码不能全是数字，请加上字母或符号。",
}

ACCOUNT_KEEPERS = frozenset({Role.SECADMIN, Role.SYSTEM})
PASSWORD_LENGTH = 16
# Without the characters that are mistaken for one another on paper.
PASSWORD_CHARACTERS = "".join(sorted(set(string.ascii_letters + string.digits) - set("0O1lI")))


class LoginLocked(DomainError):
    """Too many wrong passwords under one name; it is closed for a while, right password or not."""

    status = 429
    code = "locked"


def log_in(*, username: str, password: str, now: datetime | None = None) -> User:
    """Return the account whose name and password these are, and record that it came.

    The try is counted before the password is looked at, so of any number of tries sent at once
    only the first few reach the hasher. The answer does not tell whether the name exists.
    """
    _count_try(username, now or timezone.now())
    user = authenticate(username=username, password=password)
    if user is None:
        audit.record("accounts.log_in_failed", by=None, on=_find_account(username))
        raise InvalidInput(WRONG_LOGIN)
    _forget_tries(username)
    audit.record("accounts.log_in", by=user, on=user)
    return user


def record_log_out(*, by: User) -> None:
    """Record that somebody left."""
    audit.record("accounts.log_out", by=by, on=by)


def _count_try(username: str, now: datetime) -> None:
    """Count one try under a name. Raises LoginLocked while the name is locked."""
    with transaction.atomic():
        tries, is_new = LoginTries.objects.select_for_update().get_or_create(name=_key(username))
        if is_new:
            LoginTries.objects.filter(last_at__lt=now - FORGET_AFTER).delete()
        is_locked = tries.is_locked(now, limit=MAX_TRIES, span=LOCK_SPAN)
        if not is_locked:
            tries.latest = [*tries.latest, now.isoformat()][-MAX_TRIES:]
            tries.last_at = now
            tries.save(update_fields=["latest", "last_at"])
    if is_locked:
        audit.record("accounts.log_in_locked", by=None, on=_find_account(username))
        raise LoginLocked(LOCKED)


def _forget_tries(username: str) -> None:
    LoginTries.objects.filter(name=_key(username)).delete()


def _key(username: str) -> str:
    """Reduce a typed name to what the lock goes by: case and width make no new name."""
    return unicodedata.normalize("NFKC", username).strip().casefold()[:60]


def _find_account(username: str) -> User | None:
    """Return the account of a name; text that is no name may be a password and is not kept."""
    account: User | None = User.objects.filter(username__iexact=username).first()
    return account


@transaction.atomic
def create_account(
    *,
    username: str,
    full_name: str,
    role: Role | str,
    by: User,
    region: Region | None = None,
    department: Department | None = None,
    password: str = "",
) -> tuple[User, str]:
    """Make an account; return it with its password, a random one that must be changed if none."""
    _require_keeper(by)
    workplace = {"region": region, "department": department}
    _check_workplace(role, workplace)
    first_password = password or _random_password()
    user = User(
        username=unicodedata.normalize("NFKC", username).strip(),
        full_name=full_name.strip(),
        role=role,
        must_change_password=not password,
        **{name: place for name, place in workplace.items() if place},
    )
    _check_new(user)
    user.set_password(first_password)
    user.save()
    shown = {"username": user.username, "role": user.get_role_display(), **workplace}
    audit.record("accounts.create_account", by=by, on=user, after=shown)
    return user, first_password


def _check_workplace(role: Role | str, workplace: dict[str, Any]) -> None:
    if role == Role.COUNTY and workplace["region"] is None:
        raise InvalidInput("县市填报账号必须指明县市，请加上县市名称。")
    if role == Role.DEPARTMENT and workplace["department"] is None:
        raise InvalidInput("部门填报账号必须指明部门，请加上部门名称。")
    if role == Role.SYSTEM:
        raise InvalidInput("“系统”账号由程序自建，不能新建，请换一个角色。")


def _check_new(user: User) -> None:
    try:
        user.clean_fields(exclude=["password"])
    except ValidationError as refusal:
        raise InvalidInput("；".join(refusal.messages)) from refusal
    if User.objects.filter(username__iexact=user.username).exists():
        raise InvalidInput(f"用户名“{user.username}”已经有人用了（不分大小写），请换一个。")


def _random_password() -> str:
    return "".join(secrets.choice(PASSWORD_CHARACTERS) for _ in range(PASSWORD_LENGTH))


def change_password(*, by: User, old_password: str, new_password: str) -> User:
    """Let a person set a new password; the old one is asked for, under the lock of the login."""
    _count_try(by.username, timezone.now())
    if not by.check_password(old_password):
        raise InvalidInput(WRONG_OLD_PASSWORD)
    _forget_tries(by.username)
    if old_password == new_password:
        raise InvalidInput("新密码与现在的密码相同，请换一个。")
    if faults := password_faults(new_password, by):
        raise InvalidInput("".join(faults))
    return _store_password(by, new_password)


def password_faults(password: str, user: User) -> list[str]:
    """Hold a password against the rules of the settings; one sentence for each it breaks."""
    try:
        password_validation.validate_password(password, user)
    except ValidationError as refusal:
        return [_sentence_of(fault) for fault in refusal.error_list]
    return []


def _sentence_of(fault: ValidationError) -> str:
    """Say it in our words: not all of Django's sentences are translated."""
    sentence = PASSWORD_SENTENCES.get(fault.code or "")
    return sentence.format(**(fault.params or {})) if sentence else "".join(fault.messages)


@transaction.atomic
def _store_password(user: User, new_password: str) -> User:
    user.set_password(new_password)
    user.must_change_password = False
    user.save(update_fields=["password", "must_change_password"])
    audit.record("accounts.change_password", by=user, on=user)
    return user


@transaction.atomic
def set_account_active(*, account_id: int, is_active: bool, by: User, reason: str) -> User:
    """Switch an account off or on again; its sessions end with its next request."""
    _require_keeper(by)
    accounts = User.objects.visible_to(by).select_for_update()
    account: User | None = accounts.filter(pk=account_id).first()
    if account is None:
        raise NotFound("没有这个账号。")
    if account.pk == by.pk:
        raise NotAllowed("不能启用或停用自己的账号，请由另一位安全管理员办理。")
    if not reason.strip():
        raise InvalidInput("请写明启用或停用的原因。")
    before = account.is_active
    account.is_active = is_active
    account.save(update_fields=["is_active"])
    audit.record(
        "accounts.set_account_active",
        by=by,
        on=account,
        before={"is_active": before},
        after={"is_active": is_active},
        reason=reason.strip(),
    )
    return account


def _require_keeper(by: User) -> None:
    if by.role not in ACCOUNT_KEEPERS:
        raise NotAllowed("新建、启用、停用账号只由安全管理员办理。")
