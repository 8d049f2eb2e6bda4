"""A healed world, judged: its whole log by the oracle, and its ledger against that."""

from typing import NamedTuple

from sqlalchemy import create_engine

from tests.chaos.oracle import PARTITIONS, Truth, truth_of
from tests.chaos.reading import Logged
from tests.chaos.tables import read_ledger
from tests.chaos.verdict import Verdict, judge
from tests.chaos.world import World
from tests.topic_records import records_of


class Judged(NamedTuple):
    """The log, what it comes to, and how the ledger differs from that."""

    log: list[Logged]
    truth: Truth
    verdict: Verdict


def judge_world(it: World) -> Judged:
    """Once nobody publishes or settles any more."""
    log = [
        Logged(
            record.partition, record.offset, record.timestamp * 1_000, record.value,
            tuple((name, bytes(content)) for name, content in record.headers),
        )
        for record in records_of(it.bootstrap, it.hours.taps_topic, PARTITIONS)
    ]  # fmt: skip
    truth = truth_of(log)
    engine = create_engine(it.direct_url)
    try:
        return Judged(log, truth, judge(truth, read_ledger(engine, truth.watermark)))
    finally:
        engine.dispose()
