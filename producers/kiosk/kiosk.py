"""A kiosk, as its gateway knows it: one browser that may speak in one name, for one place.

Invariant: what it says of itself stands nowhere in here; all of it was said by an operator.
"""

from typing import Literal, NamedTuple

Role = Literal["kiosk", "operator"]


class Kiosk(NamedTuple):
    """`teams` are whose members it lists; none: the place's own. An operator has no place."""

    code: str
    role: Role
    place: str
    teams: tuple[str, ...]
    created_at: int
    created_by: str
    enrolled_at: int | None = None
    revoked_at: int | None = None
    revoked_by: str | None = None
    revoked_why: str | None = None

    @property
    def source(self) -> str:
        """In whose name its events are published."""
        return f"/kiosks/{self.code}"
