"""What the board refuses, as a page for people and as JSON for programs.

Invariant: a refusal says what happened and what to do, in both languages, and nothing of how the
program is made.
"""

from dashboards.board.words import Words


class Refused(Exception):
    """A request that can't be done: an HTTP status, a stable word, and what to tell people."""

    def __init__(self, status: int, reason: str, what: Words) -> None:
        super().__init__(reason)
        self.status, self.reason, self.what = status, reason, what


def sign_in_first() -> Refused:
    """Nobody has signed in, or it is over."""
    return Refused(401, "sign-in", Words("请先登录。", "Sign in first."))


def refused_role() -> Refused:
    """Somebody has, whose role may not."""
    return Refused(
        403,
        "not-your-role",
        Words(
            "您的角色不能做这件事：请找有权限的同事。", "Your role may not: ask somebody who may."
        ),
    )


def too_many_tries() -> Refused:
    """Somebody may be guessing."""
    said = Words("试得太多了：请一分钟后再试。", "Too many tries: wait a minute.")
    return Refused(429, "too-many-tries", said)


def badge_tried_too_often() -> Refused:
    """Somebody may be guessing the phone of whose badge it is."""
    said = Words(
        "这张证今天试错得太多了：请明天再试，或向队长要一次性码。",
        "This badge was tried too often today: try tomorrow, or ask a leader for a code.",
    )
    return Refused(429, "too-many-tries", said)


def not_yours() -> Refused:
    """It is outside of what the account sees."""
    return Refused(
        403,
        "not-yours",
        Words("这不在您负责的队伍或单位里。", "It isn't within your teams or units."),
    )


def no_vault() -> Refused:
    """Names are sealed, and the key isn't here."""
    said = Words("看板没有名册密钥，看不到姓名。", "The board has no key to names.")
    return Refused(409, "no-vault", said)


def no_such_thing(what: Words) -> Refused:
    """It isn't there."""
    return Refused(404, "no-such-thing", Words(f"没有{what.zh}。", f"There is no {what.en}."))


def not_the_next() -> Refused:
    """What a list was asked to go on after was given by no page of it."""
    return bad_request(Words("after 要用上一页给的 next。", "`after` is the `next` of a page."))


def bad_request(what: Words) -> Refused:
    """It was asked in a way that can't be understood."""
    return Refused(422, "bad-request", what)
