"""The policy a ledger settles by: fixed in each shard's genesis entry, never changed after.

Not reporting policy: rounding, daily caps and splitting at midnight never touch the ledger.
Invariant: two workers with the same policy and the same log write the same bytes.
"""

from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

SECOND = 1_000_000
"""Microseconds in a second: every time in the ledger is an integer of microseconds."""

_EPOCH = datetime(1970, 1, 1)
_MINUTE = 60 * SECOND
_WHOLE_MINUTES_SINCE = 64_000_000  # in 1972: since then every zone has kept to whole minutes


@dataclass(frozen=True)
class Policy:
    """What decides acceptance and pairing; durations in seconds, `timezone` an IANA name."""

    shard_count: int = 4
    timezone: str = "Asia/Shanghai"
    horizon_seconds: int = 14 * 86_400
    skew_seconds: int = 5 * 60
    cap_seconds: int = 16 * 3_600
    debounce_seconds: int = 60

    margin_seconds = 3_600
    """How far record time may step back, as it can when partition leadership moves."""

    def as_dict(self) -> dict[str, str | int]:
        """The policy as it stands in a genesis entry."""
        return asdict(self)

    @cached_property
    def horizon(self) -> int:
        return self.horizon_seconds * SECOND

    @cached_property
    def skew(self) -> int:
        return self.skew_seconds * SECOND

    @cached_property
    def cap(self) -> int:
        return self.cap_seconds * SECOND

    @cached_property
    def debounce(self) -> int:
        return self.debounce_seconds * SECOND

    @cached_property
    def margin(self) -> int:
        return self.margin_seconds * SECOND

    @cached_property
    def reach(self) -> int:
        """How far apart two taps can be and one still matter to what the other comes to.

        Past the cap they can't pair. The skew is for a check-in left open: a tap that follows it
        farther off than this can't have been accepted before the cap had passed by the clock, and
        then time alone has made a `no-check-out` of it.
        """
        return self.cap + self.skew

    @cached_property
    def window(self) -> int:
        """How long a tap stays known, counted back from the latest record time."""
        return self.horizon + self.cap + self.skew + self.margin

    def civil_day(self, instant: int) -> str:
        """The ISO date of `instant` in the ledger's timezone; years end at 1 and 9999."""
        second = instant // SECOND
        if second < _WHOLE_MINUTES_SINCE:
            return _civil_day(self.timezone, second)
        return _civil_day(self.timezone, second - second % 60)


def iso_utc(instant: int) -> str:
    """`instant` as RFC 3339 in UTC with six fractional digits: the form that gets hashed."""
    minute, rest = divmod(instant, _MINUTE)
    digits = str(100_000_000 + rest)  # a 1 in front keeps the noughts
    return f"{_iso_minute(minute)}:{digits[1:3]}.{digits[3:]}Z"


def microseconds_of(text: str) -> int:
    """The instant that `iso_utc` wrote."""
    at = datetime.fromisoformat(text)
    return int(at.timestamp()) * SECOND + at.microsecond


def known_zone(name: str) -> str:
    """The name of a timezone from outside. ValueError where no clock knows it."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("no such IANA timezone, as Asia/Shanghai is one") from error
    return name


@lru_cache(maxsize=32_768)
def _iso_minute(minute: int) -> str:
    return (_EPOCH + timedelta(minutes=minute)).isoformat(timespec="minutes")


@lru_cache(maxsize=32_768)
def _civil_day(timezone: str, second: int) -> str:
    try:
        return datetime.fromtimestamp(second, ZoneInfo(timezone)).date().isoformat()
    except (ValueError, OverflowError):  # the zone's clock shows a year no calendar has
        return date.max.isoformat() if second > 0 else date.min.isoformat()
