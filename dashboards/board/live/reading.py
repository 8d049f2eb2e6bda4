"""Reading the ledger for the live state: the counters once, then the entries behind them.

Plain SELECTs within `queries.reading`. Invariant: a `Reader` never adds an entry twice, nor passes
one over: it goes by each shard's seq, which has no gaps.
"""

import json
from collections import deque
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, and_, case, func, or_, select

from dashboards.board.directory import Directory, DirectoryCache
from dashboards.board.live.figures import Figures, Served
from dashboards.board.live.state import Came, Here, State, Waiting
from ledger import queries, tables
from ledger.policy import SECOND, Policy
from ledger.queries import Filters
from ledger.roster.calling import all_called
from producers.times import microseconds_of

_NEWS = 200
_RECENT = 15 * 60 * SECOND


class Reader:
    """Keeps the figures of one ledger; for one thread."""

    def __init__(self, policy: Policy, directories: DirectoryCache) -> None:
        self._policy, self._directories = policy, directories
        self._figures: Figures | None = None
        self._directory: Directory | None = None
        self._seqs: dict[int, int] = {}
        self._heads: tuple[Any, ...] = ()
        self._news: deque[Came] = deque(maxlen=_NEWS)
        self._called: dict[str, str] = {}
        self._version = 0

    def read(self, connection: Connection, now: int, before: State | None) -> State:
        """The state in the connection's snapshot; the one before, but for its time, if it stands.

        Presence and exceptions change by the passing of time too, so they are read anew after a
        minute at the latest.
        """
        statuses = queries.status(connection)
        offsets = {one.shard: one.head.next_offset for one in statuses}
        seqs = {one.shard: one.head.next_seq for one in statuses}
        today = self._policy.civil_day(now)
        directory = self._directories.current(connection, today)
        heads = (offsets, seqs, directory.version, today, now // (60 * SECOND))
        if before is not None and heads == self._heads:
            return before._replace(read_at=now)
        if directory is not self._directory or self._figures is None:
            self._begin(connection, directory, today)
        else:
            self._go_on(connection, seqs)
        self._seqs, self._heads = seqs, heads
        self._version += 1
        assert self._figures is not None
        return State(
            self._version,
            now,
            today,
            directory,
            offsets,
            seqs,
            self._figures.snapshot(),
            self._here(connection, now),
            [one for one in reversed(self._news) if one.at >= now - _RECENT],
            _waiting(connection, self._policy, now),
        )

    def _begin(self, connection: Connection, directory: Directory, today: str) -> None:
        """From the counters, which are of the same snapshot."""
        self._directory = directory
        self._called = all_called(connection)
        self._figures = Figures(today, directory.unit_line, directory.team_line)
        table = tables.day_totals.c
        columns = (table.team, table.place, table.day)
        sums = (func.sum(table.sessions), func.sum(table.seconds))
        rows = connection.execute(
            select(*columns, *sums).where(table.day >= self._figures.first).group_by(*columns)
        )
        for team, place, day, sessions, seconds in rows:
            self._figures.add(Served(team, place, day, int(sessions), int(seconds)))

    def _go_on(self, connection: Connection, seqs: Mapping[int, int]) -> None:
        table = tables.entries.c
        behind = [
            and_(table.shard == shard, table.seq >= self._seqs[shard], table.seq < seq)
            for shard, seq in seqs.items()
            if seq > self._seqs[shard]
        ]
        if not behind:
            return
        columns = (table.team, table.place, table.day, table.sessions, table.seconds)
        rows = connection.execute(
            select(*columns, table.type, table.volunteer, table.body)
            .where(or_(*behind))
            .order_by(table.shard, table.seq)
        )
        assert self._figures is not None
        for row in rows:
            served = Served(row.team or "", row.place or "", row.day, row.sessions, row.seconds)
            self._figures.add(served)
            self._tell(row, served)

    def _tell(self, row: Any, served: Served) -> None:
        at = microseconds_of(json.loads(bytes(row.body))["recorded_at"])
        called = self._called.get(row.volunteer, "")
        came = Came(at, row.type, called, served.team, served.place, served.seconds)
        self._news.append(came)

    def _here(self, connection: Connection, now: int) -> dict[tuple[str, str], list[Here]]:
        found: dict[tuple[str, str], list[Here]] = {}
        for one in queries.present(connection, Filters(), self._policy, now):
            called = self._called.get(one.volunteer, "")
            here = Here(one.volunteer, called, one.team, one.place, one.since)
            found.setdefault((one.team, one.place), []).append(here)
        return found


def _waiting(connection: Connection, policy: Policy, now: int) -> list[Waiting]:
    table = tables.halves.c
    whose = case((table.team == "", table.volunteer), else_="")
    rows = connection.execute(
        select(table.team, table.place, whose, func.count())
        .where(or_(table.status != "open", table.occurred_at < now - policy.cap))
        .group_by(table.team, table.place, whose)
    )
    return [Waiting(team, place, who, int(count)) for team, place, who, count in rows]
