"""A kiosk as its gateway knows it by its key: in whose name it speaks, and for whom.

It holds no key. Invariant: what a tap says of where it came from is taken from here alone.
"""

from typing import Literal, NamedTuple

Role = Literal["kiosk", "operator"]


class Kiosk(NamedTuple):
    """`place` is a unit's code, empty for an operator; `teams` is empty where it is the place's."""

    code: str
    role: Role
    place: str
    teams: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """The source of its events."""
        return f"/kiosks/{self.code}"
