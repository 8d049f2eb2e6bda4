"""Seeded chance for the simulated district: the same draws on every machine and Python.

It is not random enough for secrets. Invariant: only the generator's raw 32 and 80 bit words
are used, never a float, `hash()` or a library's sampling method, which may change between
versions.
"""

from hashlib import sha256
from random import Random

from ulid import ULID


class Chance:
    """One stream of draws; streams for different purposes don't disturb each other."""

    def __init__(self, seed: int, *purpose: str | int) -> None:
        name = "/".join(map(str, (seed, *purpose))).encode()
        self._bits = Random(int.from_bytes(sha256(name).digest(), "big")).getrandbits  # noqa: S311

    def below(self, count: int) -> int:
        """An integer from 0 to `count` - 1, `count` at most 2**32."""
        return (self._bits(32) * count) >> 32

    def between(self, least: int, most: int) -> int:
        """An integer from `least` to `most`, both possible; in steps, should they lie far apart."""
        return least + ((self._bits(32) * (most - least + 1)) >> 32)

    def happens(self, permille: int) -> bool:
        """True `permille` times in a thousand."""
        return self.below(1000) < permille

    def ulid(self, moment: int) -> str:
        """A ULID of a moment (microseconds since the epoch) and 80 drawn bits."""
        return str(ULID((moment // 1000 << 80 | self._bits(80)).to_bytes(16, "big")))


def weighted(weights: tuple[tuple[int, int], ...]) -> tuple[int, ...]:
    """A table of `below(len(table))` -> value, from (value, weight) pairs."""
    return tuple(value for value, weight in weights for _ in range(weight))
