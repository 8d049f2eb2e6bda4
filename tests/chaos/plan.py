"""The plan: which faults come, when, how long and at whom. Pure: a function of the seed.

Not how a fault is done: that is `faults`. Invariant: a plan long enough holds every kind that
its world allows.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

Database = Literal["postgresql", "sqlite"]
Lane = Literal["worker", "database", "broker", "delivery"]
"""What a fault strikes: faults of different lanes may strike at once."""

_TOGETHER = 0.45  # how often a fault strikes while the one before it still lasts
_PAUSE_SECONDS = (0.2, 1.2)


@dataclass(frozen=True)
class Kind:
    """One way to break things: how often against the others, how long in seconds."""

    name: str
    lane: Lane
    weight: int
    shortest: float
    longest: float
    database: Database | None = None
    """The only database it is for."""
    several: bool = False
    """Whether it takes more than one worker."""


KINDS = (
    Kind("worker killed", "worker", 14, 0, 1.5),
    Kind("worker leaves", "worker", 10, 0, 1.5),
    Kind("worker stalled", "worker", 12, 0.2, 5),
    Kind("worker joins", "worker", 6, 2, 6, several=True),
    Kind("worker's clock jumps", "worker", 5, 0, 0),
    Kind("database restarted", "database", 6, 0, 1.5, "postgresql"),
    Kind("database killed", "database", 6, 0, 1.5, "postgresql"),
    Kind("database cut off", "database", 8, 0, 0, "postgresql"),
    Kind("database's answers lost", "database", 6, 0.1, 0.6, "postgresql"),
    Kind("database silent", "database", 4, 1, 5, "postgresql"),
    Kind("database slow", "database", 5, 1, 4, "postgresql"),
    Kind("database locked", "database", 8, 0.5, 5, "sqlite"),
    Kind("disk full", "database", 5, 1, 3),
    Kind("broker restarted", "broker", 6, 0, 1),
    Kind("broker killed", "broker", 6, 0, 1),
    Kind("broker stalled", "broker", 4, 0.5, 4),
    Kind("broker cut off", "broker", 7, 0, 0),
    Kind("broker's answers lost", "broker", 5, 0.1, 0.6),
    Kind("broker slow", "broker", 4, 1, 3),
    Kind("duplicate delivery", "delivery", 5, 0, 0),
    Kind("shuffled delivery", "delivery", 5, 0, 0),
    Kind("malformed delivery", "delivery", 5, 0, 0),
    Kind("kiosk's clock ahead", "delivery", 4, 0, 0),
    Kind("kiosk's clock behind", "delivery", 4, 0, 0),
)


@dataclass(frozen=True)
class Fault:
    """One strike. `aim`, from 0 to below 1, chooses among the workers that are there."""

    number: int
    kind: Kind
    hold_seconds: float
    aim: float


@dataclass(frozen=True)
class Round:
    """Faults that strike together, after a pause in which nothing does."""

    pause_seconds: float
    faults: tuple[Fault, ...]


def kinds_for(workers: int, database: Database) -> list[Kind]:
    """The kinds that can strike such a world."""
    return [
        kind
        for kind in KINDS
        if kind.database in (None, database) and not (kind.several and workers == 1)
    ]


def plan(seed: int, faults: int, workers: int, database: Database) -> list[Round]:
    """So many faults: each kind once where there is room, the rest by weight, in any order."""
    chance = random.Random(f"plan {seed}")
    kinds = kinds_for(workers, database)
    drawn = chance.sample(kinds, min(faults, len(kinds)))
    drawn += chance.choices(kinds, [kind.weight for kind in kinds], k=faults - len(drawn))
    chance.shuffle(drawn)
    struck = [
        Fault(number, kind, chance.uniform(kind.shortest, kind.longest), chance.random())
        for number, kind in enumerate(drawn, 1)
    ]
    return [Round(chance.uniform(*_PAUSE_SECONDS), faults) for faults in _together(struck, chance)]


def _together(faults: Sequence[Fault], chance: random.Random) -> list[tuple[Fault, ...]]:
    """Cut the faults into rounds; no two of one round strike the same lane."""
    cuts = [0]
    for place in range(1, len(faults)):
        lanes = {fault.kind.lane for fault in faults[cuts[-1] : place]}
        if faults[place].kind.lane in lanes or chance.random() >= _TOGETHER:
            cuts.append(place)
    return [tuple(faults[start:stop]) for start, stop in pairwise([*cuts, len(faults)])]
