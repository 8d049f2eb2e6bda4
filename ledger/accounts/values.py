"""Accounts as values: who may sign in, as what, and for which teams or units.

Pure. Invariant: a leader has teams and an officer units; others have neither.
"""

from typing import Annotated, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from ledger.refusals import LedgerRefusal
from ledger.roster.records import Codes

Role = Literal["leader", "officer", "centre", "auditor", "operator"]
ROLES: tuple[Role, ...] = ("leader", "officer", "centre", "auditor", "operator")
NAME = r"^[a-z0-9][a-z0-9._-]{1,31}$"
EMAIL = r"^[^@\s]{1,64}@[^@\s]{1,190}$"


class AccountRefusal(LedgerRefusal):
    """What was asked of an account can't be; the message says why and what to do."""


class Account(NamedTuple):
    """Somebody who may sign in; instants in microseconds."""

    name: str
    role: Role
    teams: tuple[str, ...]
    units: tuple[str, ...]
    email: str | None
    subject: str | None
    made_at: int
    made_by: str
    disabled_at: int | None
    has_password: bool


class Signed(NamedTuple):
    """An account that has signed in, and what its session is listed by."""

    account: Account
    session_hash: str


class NewAccount(BaseModel):
    """An account as somebody asks for it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=NAME)]
    role: Role
    teams: Codes = ()
    units: Codes = ()
    email: Annotated[str, Field(pattern=EMAIL)] | None = None
    subject: Annotated[str, Field(min_length=1, max_length=255)] | None = None

    @model_validator(mode="after")
    def _sees_what_its_role_sees(self) -> Self:
        if bool(self.teams) != (self.role == "leader"):
            raise PydanticCustomError("teams", "a leader has teams, and nobody else")
        if bool(self.units) != (self.role == "officer"):
            raise PydanticCustomError("units", "an officer has units, and nobody else")
        return self
