"""The ledger that the settings name, opened for a command, checked, and let go of at its end."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy import Connection

from hours.settings import Settings
from ledger import queries
from ledger.store import Store, checked_store
from streams.collecting import collecting_rarely


def opened_store(settings: Settings) -> AbstractContextManager[Store]:
    """The store. WrongUse, LedgerRefusal."""
    return checked_store(settings.url, settings.ledger_name, settings.policy)


@contextmanager
def reading_ledger(settings: Settings) -> Iterator[Connection]:
    """One snapshot to read. WrongUse, LedgerRefusal."""
    with (
        collecting_rarely(),
        opened_store(settings) as store,
        queries.reading(store.engine) as connection,
    ):
        yield connection
