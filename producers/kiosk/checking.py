"""Is a tap what it says it is? From a tap to an event in the kiosk's own name, or a refusal.

Pure. It doesn't judge lateness, which is settling's to do. Invariant: an event's source is the
kiosk's, whatever the tap says; no tap makes this raise.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from producers.badges import Badge, BadgeRefusal, read_badge
from producers.events import (
    CheckedIn,
    CheckedInData,
    CheckedOut,
    CheckedOutData,
    Event,
    TapVoided,
    TapVoidedData,
)
from producers.kiosk.kiosk import Kiosk
from producers.kiosk.messages import Tap
from producers.kiosk.roster_slice import SKEW_SECONDS, Member, RosterIndex

_UNDONE = "本人在签到机上撤销 undone at the kiosk"
_SECOND = 1_000_000


class Refusal(NamedTuple):
    """Why not, as a stable word, and what to tell the person, Chinese first."""

    reason: str
    what: str


class Known(NamedTuple):
    """What a gateway knows: the roster, and since when each volunteer's record says what it says.

    `since` is by key, as `volunteer/V7K2M9QXTA1`, and then by field, in microseconds.
    """

    roster: RosterIndex
    since: Mapping[str, Mapping[str, int]]
    ledger_name: str
    badge_keys: Sequence[Ed25519PublicKey]

    @property
    def is_empty(self) -> bool:
        """Whether the roster was never read."""
        return not self.roster.teams and not self.roster.members


def check(
    tap: Tap, kiosk: Kiosk, known: Known, now: int, is_measured: bool = True
) -> Event | Refusal:
    """The event that a tap is, in the kiosk's name; `now` is the gateway's best time.

    Where nobody `is_measured` that against, as on a computer whose clock began anew without a
    network, no tap is from the future: settling judges it, by the broker's time.
    """
    refusal = (
        (_of_time(tap, now) if is_measured else None) or _of_badge(tap, known)
        or _of_person(tap, known) or _of_list(tap, kiosk, known, now) or _of_team(tap, kiosk, known)
    )  # fmt: skip
    return refusal or _event(tap, kiosk)


def badge_of(text: str, known: Known, at: int) -> Badge | Refusal:
    """The badge that a text is, if it was good at that time."""
    read = read_badge(text, known.ledger_name, known.badge_keys)
    if isinstance(read, BadgeRefusal):
        return Refusal(read.reason.value, read.what)
    member = known.roster.members.get(read.volunteer)
    if member is None:
        return read
    if read.generation < member.generation and at >= _since(known, read.volunteer, "badge"):
        return REPLACED
    is_over = member.status != "active" and at >= _since(known, read.volunteer, "status")
    return INACTIVE if is_over else read


def member_of(volunteer: str, known: Known) -> Member | None:
    """Who has this number; None: the roster knows nobody."""
    return known.roster.members.get(volunteer)


def _of_time(tap: Tap, now: int) -> Refusal | None:
    return FUTURE if tap.time > now + SKEW_SECONDS * _SECOND else None


def _of_badge(tap: Tap, known: Known) -> Refusal | None:
    if tap.badge is None or tap.kind == "void":
        return None
    badge = badge_of(tap.badge, known, tap.time)
    if isinstance(badge, Refusal):
        return badge
    return None if badge.volunteer == tap.volunteer else ANOTHERS


def _of_person(tap: Tap, known: Known) -> Refusal | None:
    member = known.roster.members.get(tap.volunteer)
    if tap.kind == "void" or member is None or member.status == "active":
        return None
    return None if tap.time < _since(known, tap.volunteer, "status") else INACTIVE


def _of_list(tap: Tap, kiosk: Kiosk, known: Known, now: int) -> Refusal | None:
    if tap.how != "list" or known.is_empty:
        return None
    if known.roster.may_have_listed(kiosk, tap.volunteer, tap.time):
        return None
    # Somebody who has left since was a member when the tap was made.
    late = tap.time < _since(known, tap.volunteer, "teams", now)
    return None if late else NOT_LISTED


def _of_team(tap: Tap, kiosk: Kiosk, known: Known) -> Refusal | None:
    named = tap.team is None or known.roster.knows_team(tap.team) or tap.team in kiosk.teams
    return None if named or known.is_empty else UNKNOWN_TEAM


def _since(known: Known, volunteer: str, field: str, unknown: int = 0) -> int:
    """Before then nobody could know what the roster says now."""
    return known.since.get(f"volunteer/{volunteer}", {}).get(field, unknown)


def _event(tap: Tap, kiosk: Kiosk) -> Event:
    said: dict[str, Any] = {
        "id": tap.id,
        "source": kiosk.source,
        "subject": tap.volunteer,
        "time": tap.time,
        "kioskclock": tap.clock,
        "identifiedby": tap.how,
    }
    if tap.team is not None:
        data = CheckedInData(team=tap.team, place=kiosk.place, activity=tap.activity)
        return CheckedIn(**said, data=data)
    if tap.of is not None:
        void = TapVoidedData(
            tap_source=kiosk.source, tap_id=tap.of, by=kiosk.source, reason=_UNDONE
        )
        return TapVoided(**said, data=void)
    return CheckedOut(**said, data=CheckedOutData(place=kiosk.place))


REPLACED = Refusal(
    "replaced-badge",
    "这张志愿者证已经换过新证，旧证不能用：请用新证，或输入编号。 "
    "This badge was replaced by a newer one: use that, or type the number.",
)
INACTIVE = Refusal(
    "inactive",
    "名册里这位志愿者已暂停或退出：请找队长。 "
    "The roster says that this volunteer is paused or has left: ask the team leader.",
)
ANOTHERS = Refusal(
    "anothers-badge",
    "志愿者证不是这位志愿者的：请重新扫一次。 The badge is another volunteer's: scan it once more.",
)
NOT_LISTED = Refusal(
    "not-listed",
    "这位志愿者不在本签到机的名单里：请刷证或输入编号。 "
    "This volunteer isn't on this kiosk's list: use the badge, or type the number.",
)
UNKNOWN_TEAM = Refusal(
    "unknown-team",
    "名册里没有这支队伍：请重新选择队伍。 The roster has no such team: choose again.",
)
FUTURE = Refusal(
    "from-the-future",
    "签到时间比现在还晚：请检查签到机的时钟。 "
    "The tap's time is later than now: check the kiosk's clock.",
)
UNKNOWN_VOLUNTEER = Refusal(
    "unknown-volunteer",
    "名册里没有这个编号：请再看一遍，或找队长。 "
    "The roster has no such number: look again, or ask the team leader.",
)
