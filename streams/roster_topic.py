"""Reading `hours.roster` once, from its beginning to its end, for who compares or repairs it."""

from producers.roster_view import COMMITTED, RosterView
from streams.log import open_log
from streams.settings import StreamSettings


def read_roster(settings: StreamSettings) -> RosterView:
    """The topic as it stands now. TopicRefusal."""
    view = RosterView()
    with open_log(settings.kafka, settings.roster_topic, 1, COMMITTED) as log:
        begins, ends = log.bounds[0]
        for batch in log.read(0, ends, begins):
            for record in batch:
                view.take(record.key, record.value, record.timestamp * 1_000)
    return view
