"""What was signed, beside an archive of the log: with a public key, an auditor needs no more."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import make_url

from hours import showing
from hours.opened_ledger import reading_ledger
from hours.settings import Settings
from ledger.evidence import reading
from ledger.evidence.checkpoints import DISTRICT, shard_tree
from ledger.evidence.exporting import export_tree, write_checkpoint
from ledger.refusals import LedgerRefusal

EVIDENCE = "evidence"
Copy = Callable[[Path], int]
"""Copies it into an archive's folder; how many entries the district's log has there."""


@contextmanager
def evidence_as_it_stands(settings: Settings) -> Iterator[Copy]:
    """What is signed now, to be copied once the log is archived: which then covers all of it."""
    database = make_url(settings.url)
    if database.get_backend_name() == "sqlite" and not Path(database.database or "").exists():
        yield _none
        return
    with ExitStack() as stack:
        try:
            connection = stack.enter_context(reading_ledger(settings))
        except LedgerRefusal as refused:
            showing.say(f"签名未随存档。 What was signed is not in the archive: {refused}")
            yield _none
            return
        reading.latest_checkpoint(connection, DISTRICT)  # from here on it stands still

        def copy(folder: Path) -> int:
            kept = folder / EVIDENCE
            district = export_tree(connection, DISTRICT, kept, lambda done, total: None)
            for shard in range(settings.shards):
                write_checkpoint(connection, shard_tree(shard), kept)
            return district.size if district else 0

        yield copy


def _none(folder: Path) -> int:
    return 0
