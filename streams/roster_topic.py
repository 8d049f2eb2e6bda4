"""Reading `hours.roster`: what the topic says of the roster, the newest of each thing.

For whoever has no business with the database, as kiosks and boards. Not the roster itself, which
is the database's. Invariant: of a thing's values, one of an older revision never replaces a newer.
"""

import sys
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from streams.log import open_log
from streams.settings import StreamSettings

QUIET = "_/quiet"
"""The key of a tombstone for nothing: a record for the broker's sake, that readers pass over."""

COMMITTED = "read_committed"
"""How the topic is to be read: what a publisher gave up, or was fenced at, is not there."""


class Told(BaseModel):
    """A value on the topic: the change set it is as of, and whatever `distribution` tells."""

    model_config = ConfigDict(extra="allow", frozen=True)

    revision: int = Field(ge=1, strict=True)


class RosterView:
    """What the records taken so far come to.

    `told` is each thing's value by its key (`team/choir`), `unreadable` why a key's last record
    could not be read: it isn't the ledger's.
    """

    def __init__(self) -> None:
        self.told: dict[str, dict[str, Any]] = {}
        self.unreadable: dict[str, str] = {}

    @property
    def revisions(self) -> dict[str, int]:
        """Each key's revision; of what can't be read, later than any."""
        known = {key: int(value["revision"]) for key, value in self.told.items()}
        return {**known, **dict.fromkeys(self.unreadable, sys.maxsize)}

    def take(self, key: bytes | None, value: bytes | None) -> None:
        """One record, in the order of the topic.

        A value that is older than what is known is a repetition and is dropped. A tombstone says no
        revision: what comes after it is new.
        """
        name = (key or b"").decode(errors="replace")
        self.unreadable.pop(name, None)
        if value is None:
            self.told.pop(name, None)
            return
        try:
            told = Told.model_validate_json(value)
        except ValidationError as error:
            self.unreadable[name] = error.errors(include_url=False)[0]["msg"]
            return
        if name not in self.told or told.revision >= self.told[name]["revision"]:
            self.told[name] = told.model_dump()


def read_roster(settings: StreamSettings) -> RosterView:
    """The topic as it stands now, read from its beginning to its end. TopicRefusal."""
    view = RosterView()
    with open_log(settings.bootstrap, settings.roster_topic, 1, COMMITTED) as log:
        begins, ends = log.bounds[0]
        for batch in log.read(0, ends, begins):
            for record in batch:
                view.take(record.key, record.value)
    return view
