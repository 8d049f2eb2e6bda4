"""Whether the topic of the roster agrees with the database, and kept the order of every key.

By the history and the whole topic, not by what the outbox believed.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine

from ledger import queries
from ledger.roster import outbox, store
from ledger.roster.calling import all_called
from ledger.roster.distribution import everything
from producers.roster_view import COMMITTED, QUIET, RosterView
from streams.log import open_log
from streams.settings import StreamSettings

_TOLD_AS = {"have": "post", "have_item": "have-item", "membership": "volunteer"}
_TOLD_AS |= {"person": "volunteer", "signup": "signups"}


@dataclass
class RosterVerdict:
    """How much there was, and all that is wrong."""

    change_sets: int = 0
    keys: int = 0
    records: int = 0
    repeated: int = 0
    """Records that said what had been said before."""
    differences: list[str] = field(default_factory=list)


def judge(engine: Engine, settings: StreamSettings) -> RosterVerdict:
    """Hold the topic against the database, when nothing waits any more."""
    verdict, view = RosterVerdict(), RosterView()
    newest: dict[str, int] = {}
    seen: set[tuple[str, int]] = set()
    for key, value in read_all(settings):
        view.take(key, value)
        verdict.records += 1
        if value is None:
            continue
        name, revision = key.decode(), int(json.loads(value)["revision"])
        verdict.repeated += (name, revision) in seen
        if (name, revision) not in seen and revision < newest.get(name, 0):
            verdict.differences.append(f"{name}: {revision} came first after {newest[name]}")
        seen.add((name, revision))
        newest[name] = max(revision, newest.get(name, 0))
    verdict.keys = len(view.told)
    _compare(verdict, engine, view)
    return verdict


def read_all(settings: StreamSettings) -> list[tuple[bytes, bytes | None]]:
    """Every record that is committed, but those that are for the broker's sake."""
    with open_log(settings.kafka, settings.roster_topic, 1, COMMITTED) as log:
        begins, ends = log.bounds[0]
        return [
            (record.key, record.value)
            for batch in log.read(0, ends, begins)
            for record in batch
            if record.key != QUIET.encode()
        ]


def _compare(verdict: RosterVerdict, engine: Engine, view: RosterView) -> None:
    with queries.reading(engine) as connection:
        if outbox.pending(connection):
            verdict.differences.append("something waits still")
        roster, called = store.load(connection), all_called(connection)
        revisions = _revisions(verdict, connection)
    wanted: dict[str, Any] = {}
    for key, value in everything(roster, 0, called):
        if value is not None:
            wanted[key] = {**json.loads(value), "revision": revisions[key]}
    for key in sorted(wanted.keys() | view.told.keys()):
        if wanted.get(key) != view.told.get(key):
            verdict.differences.append(f"{key}: {wanted.get(key)} ≠ {view.told.get(key)}")
    verdict.differences += [f"unreadable: {key}" for key in view.unreadable]


def _revisions(verdict: RosterVerdict, connection: Any) -> dict[str, int]:
    """By the history: which change set touched each key last."""
    found: dict[str, int] = {}
    for one in store.change_sets(connection):
        verdict.change_sets += 1
        for change in store.changes_of(connection, one.number):
            found[f"{_TOLD_AS.get(change.kind, change.kind)}/{change.key[0]}"] = one.number
    return found
