"""Who has served how long, of those who agreed to be named in public.

A plain SELECT within `queries.reading`. Invariant: nobody is in it without a consent that holds on
the day, or who isn't active; and nobody by more than what kiosks call them.
"""

from typing import NamedTuple

from sqlalchemy import Connection, func, select

from ledger.roster.tables import people, private
from ledger.tables import entries


class GoodPerson(NamedTuple):
    """What they are called, a first character and stars, and the seconds they served."""

    called: str
    seconds: int


def good_people(connection: Connection, day: str, least_seconds: int) -> list[GoodPerson]:
    """Those with at least so many seconds, the most first; `day` is an ISO date."""
    seconds = func.sum(entries.c.seconds)
    served = (
        select(entries.c.volunteer, seconds.label("seconds"))
        .where(entries.c.volunteer.is_not(None))
        .group_by(entries.c.volunteer)
        .having(seconds >= least_seconds)
        .subquery()
    )
    found = (
        select(private.c.called, served.c.seconds)
        .join(people, people.c.volunteer == served.c.volunteer)
        .join(
            private,
            (private.c.volunteer == people.c.volunteer)
            & (private.c.version == people.c.private_version),
        )
        .where(
            people.c.status == "active",
            people.c.consent.is_not(None),
            people.c.consent <= day,
            private.c.called.is_not(None),
        )
        .order_by(served.c.seconds.desc(), people.c.volunteer)
    )
    return [GoodPerson(called, int(total)) for called, total in connection.execute(found)]
