"""Somebody changing a roster without end, by a seed: `python -m tests.chaos.roster_changes SEED`.

Every change set is planned and applied as a command does it: one transaction, which may be killed
anywhere. Invariant: it leaves no change set half made, or the product does.
"""

import os
import random
import sys
import time
from collections.abc import Iterator

from sqlalchemy import Engine

from ledger.engine import open_engine
from ledger.roster import store
from ledger.roster.planning import plan
from ledger.roster.records import Activity, Membership, Person, Record, Signup, Team, Unit
from ledger.roster.roster import Roster
from ledger.roster.store import Deed

_TEAMS, _PEOPLE, _ACTIVITIES = 20, 300, 60
_MOST_CHANGES = 150


def main() -> None:
    """Change until killed."""
    chance = random.Random(int(sys.argv[1]))
    engine = open_engine(os.environ["HOURS_LEDGER_URL"])
    while True:
        change(engine, chance)
        time.sleep(chance.uniform(0, 0.05))


def change(engine: Engine, chance: random.Random) -> None:
    """One change set of up to some hundred records."""
    deed = Deed("chaos", "for the sake of it", time.time_ns() // 1_000)
    with store.changing(engine) as connection:
        before = store.load(connection)
        unwanted = list(_unwanted(before, chance))
        wanted = {(one.KIND, one.key): one for one in _wanted(chance)}
        planned = plan(before, wanted.values(), unwanted)
        if planned.changes:
            store.apply(connection, before, planned.changes, deed)


def _wanted(chance: random.Random) -> Iterator[Record]:
    """What the first ones name always comes along; of the rest, any."""
    yield Unit(code="centre", kind="centre", name_zh="实践中心")
    for number in range(_TEAMS):
        yield Team(code=f"team-{number}", kind="other", name_zh="队伍", unit="centre")
    for _ in range(chance.randrange(_MOST_CHANGES)):
        volunteer = f"V{chance.randrange(_PEOPLE)}"
        activity = f"activity-{chance.randrange(_ACTIVITIES)}"
        team = f"team-{chance.randrange(_TEAMS)}"
        generation = chance.randrange(1_000)
        yield Person(volunteer=volunteer, badge_serial="B1", badge_generation=generation)
        yield Membership(volunteer=volunteer, team=team, since="2026-01-01")
        yield Activity(
            code=activity, title="走访", unit="centre", teams=(team,), served=chance.randrange(99)
        )
        yield Signup(activity=activity, volunteer=volunteer)


def _unwanted(roster: Roster, chance: random.Random) -> Iterator[Record]:
    """Now and then an activity, and its sign-ups; so that something goes."""
    if chance.random() < 0.5 and roster.activities:
        gone = roster.activities[chance.choice(sorted(roster.activities))]
        yield gone
        yield from (one for one in roster.all(Signup) if one.activity == gone.code)


if __name__ == "__main__":
    main()
