"""What the ledger refuses its callers, each with one line for people: what happened, what to do.

Chinese first, English second. Not the rejections of records: those are values (`taps.Refusal`).
"""


class LedgerRefusal(Exception):
    """The ledger can't serve this program as it stands; the message says why and what to do."""


class NoDatabase(LedgerRefusal):
    """The database does not answer."""


class NotPermitted(LedgerRefusal):
    """The database user may not do what was asked of it."""


class NotInitialised(LedgerRefusal):
    """The database holds no ledger yet, or an older one that must be migrated."""


class NewerSchema(LedgerRefusal):
    """The database was made by a newer version of this program."""


class OtherGenesis(LedgerRefusal):
    """The ledger began under another name or policy."""


class SecondWorker(LedgerRefusal):
    """A SQLite ledger is being written by another worker."""


class Altered(LedgerRefusal):
    """The database holds what no worker writes."""


class Fenced(Exception):
    """A later claim of the shard exists, or the batch doesn't begin where the shard ends."""
