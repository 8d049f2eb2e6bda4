"""Who may open what: one table for every route of the board, and nothing beside it.

Pure. A route is known by its name; one that isn't in the table can't be opened by anybody. What an
account sees within a page is `scope`'s. Invariant: who only reads (`auditor`) is in no right that
changes anything.
"""

from collections.abc import Mapping
from typing import NamedTuple

PUBLIC = "public"
VOLUNTEER = "volunteer"
ROLES = ("leader", "officer", "centre", "auditor", "operator")
"""Of accounts; beside them, volunteers and the public come without one."""


class Right(NamedTuple):
    """Who may; `changes`: it changes something, so it is no GET."""

    who: frozenset[str]
    changes: bool = False


def _see(*who: str) -> Right:
    return Right(frozenset(who))


def _do(*who: str) -> Right:
    return Right(frozenset(who), changes=True)


_ALL = (PUBLIC, VOLUNTEER, *ROLES)
_ACCOUNTS = ROLES
_LOOKING = ("leader", "officer", "centre", "auditor")
_KEEPING = ("leader", "officer", "centre")
_OFFICES = ("officer", "centre")

RIGHTS: Mapping[str, Right] = {
    # Everybody's.
    "public": _see(*_ALL),
    "static": _see(*_ALL),
    "embed": _see(*_ALL),
    "json_feed": _see(*_ALL),
    "atom_feed": _see(*_ALL),
    "language": _do(*_ALL),
    # What was signed; entries say which pseudonym was where and when.
    "log_checkpoint": _see(*_ALL),
    "log_moments": _see(*_ALL),
    "log_tile": _see(*_ALL),
    "log_entries": _see("centre", "auditor"),
    "verifier": _see(*_ALL),
    # A volunteer's own.
    "mine_sign_in_page": _see(*_ALL),
    "mine_sign_in": _do(*_ALL),
    "mine": _see(VOLUNTEER),
    "sign_up": _do(VOLUNTEER),
    "take_back": _do(VOLUNTEER),
    "ask": _do(VOLUNTEER),
    "sign_in_page": _see(*_ALL),
    "sign_in": _do(*_ALL),
    "provider": _see(*_ALL),
    "provider_back": _see(*_ALL),
    "sign_out": _do(VOLUNTEER, *_ACCOUNTS),
    # What moves.
    "front": _see(*_ACCOUNTS),
    "live_stream": _see(*_ACCOUNTS),
    # Drilling down.
    **{
        name: _see(*_LOOKING)
        for name in ("explore", "explore_rows", "entries", "entries_file", "entry")
    },
    # Assessment: what was published is for all who look, drafts for offices, the centre alone
    # publishes and says what counts.
    "assessments": _see(*_LOOKING),
    "assessment": _see(*_LOOKING),
    "assessment_file": _see(*_LOOKING),
    "draft": _see(*_OFFICES, "auditor"),
    "draft_file": _see(*_OFFICES, "auditor"),
    "scheme": _see(*_OFFICES, "auditor"),
    "save_scheme": _do("centre"),
    "publish": _do("centre"),
    # The roster at hand. A leader keeps their own teams, an officer their units, by scope.
    **{
        name: _see(*_LOOKING)
        for name in ("roster", "people", "person", "posts", "activities", "activity")
    },
    **{
        name: _do(*_KEEPING)
        for name in (
            *("reveal", "take_in", "join", "leave", "consent", "replace_badge", "volunteer_code"),
            *("add_activity", "change_activity", "answer_request", "enrol"),
        )
    },
    "new_activity": _see(*_KEEPING),
    "enrol_page": _see(*_KEEPING),
    "look_at_post": _do(*_OFFICES),
    "print_badges": _do(*_OFFICES),
    "import_page": _see("centre"),
    "import_file": _do("centre"),
    "import_apply": _do("centre"),
    "undo_change": _do("centre"),
    # One's own account, and everybody's.
    "me": _see(*_ACCOUNTS),
    **{
        name: _do(*_ACCOUNTS)
        for name in ("change_password", "sign_out_everywhere", "add_token", "revoke_token")
    },
    "accounts": _see("operator"),
    **{
        name: _do("operator")
        for name in (
            *("add_account", "change_account", "reset_password"),
            *("disable_account", "enable_account"),
        )
    },
    "kiosks": _see("officer", "centre", "auditor", "operator"),
    # The API, for programs with a token.
    "openapi": _see(*_ALL),
    "api_me": _see(*_ACCOUNTS),
    **{
        f"api_{name}": _see(*_LOOKING)
        for name in (
            *("live", "present", "exceptions", "entries", "report", "units", "teams"),
            *("activities", "corrections", "assessments", "assessment"),
        )
    },
    "api_propose": _do(*_KEEPING),
    "api_decide": _do(*_KEEPING),
    # What went wrong, and putting it right.
    "exceptions": _see(*_LOOKING),
    "exception": _see(*_LOOKING),
    "corrections": _see(*_LOOKING),
    "correction": _see(*_LOOKING),
    # Nothing is changed by looking at what would be, but it is for those who may.
    "preview": _do(*_KEEPING),
    "bulk": _see(*_KEEPING),
    "bulk_preview": _do(*_KEEPING),
    "propose": _do(*_KEEPING),
    "decide": _do(*_KEEPING),
    "withdraw": _do(*_KEEPING),
    "undo": _do(*_KEEPING),
}
