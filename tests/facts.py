"""What settling takes, for tests: hypothesis strategies of taps, and whole logs from a seed.

Times lie on a coarse grid with a little jitter, so that equal, doubled and just-too-far ones are
common; the policy is small, so that windows slide within a short log.
"""

import random
from typing import Any

from hypothesis import strategies as st

from ledger.policy import SECOND, Policy
from ledger.taps import Adjustment, Fact, Record, Refusal, Tap, Void


class SmallPolicy(Policy):
    """Days shrunk to minutes."""

    margin_seconds = 300


SMALL = SmallPolicy(
    shard_count=1, horizon_seconds=3_000, skew_seconds=30, cap_seconds=600, debounce_seconds=60
)
START = 1_790_000_000 * SECOND
MINUTE = 60 * SECOND
SOURCES = ("/kiosks/1", "/kiosks/2")
TEAMS = ("合唱队", "义诊队")
PLACES = ("站一", "站二")
JITTER = (-SECOND, -1, 0, 0, 0, 1, SECOND // 2, SECOND)

instants = st.builds(
    lambda minute, jitter: START + minute * MINUTE + jitter,
    st.integers(0, 40),
    st.sampled_from(JITTER),
)
_identity = {
    "occurred_at": instants,
    "source": st.sampled_from(SOURCES),
    "id": st.integers(0, 10_000).map("t{}".format),
}
taps: st.SearchStrategy[Tap] = st.builds(
    Tap.of,
    volunteer=st.just("V1"),
    kind=st.just("in"),
    team=st.sampled_from(TEAMS),
    place=st.sampled_from(PLACES),
    **_identity,
) | st.builds(
    Tap.of,
    volunteer=st.just("V1"),
    kind=st.just("out"),
    place=st.none() | st.sampled_from(PLACES),
    **_identity,
)
tap_sets = st.lists(taps, max_size=14, unique_by=lambda tap: (tap.source, tap.id))
"""Taps of one volunteer, each identity once."""

seeds = st.integers(0, (1 << 32) - 1)
lengths = st.integers(0, 80)


def random_log(seed: int, length: int, reused: bool = False) -> list[Record]:
    """A log in offset order, its record times mostly rising, with everything that can go wrong.

    A shorter log of the same seed is the beginning of a longer one. `reused`: now and then an
    identity comes back with another time, as from a kiosk whose counter began again.
    """
    return _RandomLog(seed, reused).records(length)


class _RandomLog:
    def __init__(self, seed: int, reused: bool) -> None:
        self._chance = random.Random(seed)
        self._facts: list[Fact] = []
        self._kinds = {
            "tap": 10, "again": 2, "changed": 1, "void": 2, "adjusted": 1, "bad": 1,
            "reused": 3 * reused,
        }  # fmt: skip

    def records(self, length: int) -> list[Record]:
        chance = self._chance
        records: list[Record] = []
        clock, offset = START, chance.choice((0, 0, 7)) - 1
        for _ in range(length):
            clock += SECOND * chance.choices((0, 1, 30, 240, 900, 5_000), (4, 4, 6, 6, 2, 1))[0]
            recorded_at = clock - SECOND * chance.choices((0, 20, 299, 301), (9, 2, 1, 1))[0]
            offset += chance.choices((1, 3), (9, 1))[0]
            content = self._content(recorded_at, offset)
            if not isinstance(content, Refusal):
                self._facts.append(content)
            records.append(Record(offset, recorded_at, content))
        return records

    def _content(self, recorded_at: int, offset: int) -> Fact | Refusal:
        chance = self._chance
        kind = chance.choices(list(self._kinds), list(self._kinds.values()))[0]
        late = chance.choices(
            (-31, -30, 0, 1, 60, 300, 600, 1_200, 2_400, 2_999, 3_000, 3_001, 3_300, 9_000),
            (1, 1, 8, 4, 4, 4, 4, 4, 4, 1, 1, 1, 1, 1),
        )[0]
        at = recorded_at - late * SECOND + chance.choice(JITTER)
        if kind == "bad":
            return Refusal("not-json", "broken")
        if kind == "tap" or not self._facts:
            return self._tap(at, offset)
        if kind == "adjusted":
            return self._adjustment(at, offset)
        near = self._facts[-6:] if chance.random() < 0.7 else self._facts
        return self._about(kind, chance.choice(near), at, offset)

    def _about(self, kind: str, fact: Fact, at: int, offset: int) -> Fact:
        """Another event about an earlier one: the same again, or its identity, or its void."""
        if kind == "again":
            return fact
        if kind == "reused":
            return fact._replace(occurred_at=at)
        if kind == "changed":
            return self._changed(fact, offset)
        volunteer = self._chance.choice((fact.volunteer, fact.volunteer, self._volunteer()))
        return Void(volunteer, at, "/desks/x", f"v{offset}", fact.source, fact.id, "leader", "错了")

    def _adjustment(self, at: int, offset: int) -> Adjustment:
        return Adjustment(
            self._volunteer(), at, "/desks/x", f"a{offset}", self._chance.choice(TEAMS), None,
            "2026-11-01", self._chance.choice((-900, 900)), "leader", "office", "补录",
        )  # fmt: skip

    def _changed(self, fact: Fact, offset: int) -> Fact:
        """The same identity with other content: its time, its type, or a field."""
        event: Any = fact
        other: Any = self._tap(fact.occurred_at, offset)
        return self._chance.choice(
            (
                event._replace(occurred_at=fact.occurred_at + SECOND),
                other._replace(volunteer=fact.volunteer, source=fact.source, id=fact.id),
            )
        )  # type: ignore[no-any-return]

    def _tap(self, at: int, offset: int) -> Tap:
        chance = self._chance
        who = (self._volunteer(), at, chance.choice(SOURCES), f"t{offset}")
        if chance.random() < 0.5:
            return Tap.of(who[0], "out", *who[1:], None, chance.choice((None, *PLACES)))
        return Tap.of(who[0], "in", *who[1:], chance.choice(TEAMS), chance.choice(PLACES))

    def _volunteer(self) -> str:
        return self._chance.choice(("V1", "V1", "V2"))
