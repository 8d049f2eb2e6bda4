"""A short campaign of chaos on each database; `make chaos` is the long one."""

import random
from pathlib import Path

import pytest

from tests.chaos.campaign import Orders, run
from tests.chaos.plan import Database

FAULTS = 12


@pytest.mark.parametrize(("database", "workers"), [("postgresql", 2), ("sqlite", 1)])
def test_a_world_that_breaks_in_every_way_at_once_loses_and_doubles_nothing(
    database: Database, workers: int, tmp_path: Path
) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    report = run(Orders(seed, FAULTS, workers, database, rate=60), tmp_path, lambda *_: None)
    assert report.failed == []
    assert report.verdict.differences == []
    assert (report.verdict.lost, report.verdict.doubled) == (0, 0)
    assert report.struck.total() + report.left_out.total() == FAULTS
    assert report.verdict.ends["accepted"] > 500
