"""Users of Kafka as `hours init` is told of them: NAME:FILE for passwords, ROLE:NAME for rights."""

import re
from collections.abc import Iterable
from pathlib import Path

from hours.settings import WrongUse, secret_lines
from streams.principals import Role

_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")


def passwords(given: Iterable[str]) -> dict[str, str]:
    """Each user's password, the first line of its file. WrongUse."""
    read = dict[str, str]()
    for one in given:
        user, _, file = one.partition(":")
        _refuse_name("--user", one, user, "NAME:FILE")
        read[user] = secret_lines(f"--user {user}", Path(file))[0]
    return read


def roles(given: Iterable[str]) -> dict[str, Role]:
    """Each user's role. WrongUse, also where one is to have two: each role is all it may do."""
    named = dict[str, Role]()
    for one in given:
        role, _, user = one.partition(":")
        _refuse_name("--grant", one, user, "ROLE:NAME")
        if role not in list(Role):
            raise WrongUse(
                f"--grant {one}：没有角色 {role}，可用 {'、'.join(Role)}。 "
                f"--grant {one}: there is no role {role}; there are {', '.join(Role)}."
            )
        if user in named:
            raise WrongUse(
                f"--grant：用户 {user} 只能有一个角色。 --grant: {user} can have one role only."
            )
        named[user] = Role(role)
    return named


def _refuse_name(option: str, given: str, user: str, form: str) -> None:
    if not _NAME.fullmatch(user) or not all(given.partition(":")):
        raise WrongUse(
            f"{option} {given} 不能用：写成 {form}，名字用字母、数字和 . _ -。 "
            f"{option} {given} can't be used: it is {form}, the name of letters, digits and . _ -."
        )
