"""`python -m tests.chaos`: a campaign, or one long outage, and what came of it.

Exit code 0 where the ledger is exact and nothing ended by itself, else 1.
"""

import argparse
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.campaign import Orders, run
from tests.chaos.outages import run_outage
from tests.chaos.showing import progress, show


def main() -> int:
    """Run what the arguments say; the exit code."""
    given = _arguments().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that everything is stopped
    seed = random.randrange(1 << 32) if given.seed is None else given.seed
    orders = Orders(seed, given.faults, given.workers, given.database, given.rate)
    home = Path(tempfile.mkdtemp(prefix="hours-chaos-"))
    print(f"seed {seed}", flush=True)
    begun = time.monotonic()
    with progress(orders.faults) as tell:
        report = (
            run_outage(given.outage, given.seconds, orders, home, tell)
            if given.outage
            else run(orders, home, tell)
        )
    show(report, time.monotonic() - begun)
    if report.is_good:
        shutil.rmtree(home)
    else:
        print(f"logs: {home / 'logs'}")
    print(f"seed {seed}")
    return 0 if report.is_good else 1


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--faults", type=int, default=1_000)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--database", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--rate", type=int, default=100, help="records a second")
    parser.add_argument("--seed", type=int, help="another seed, another plan; else by chance")
    parser.add_argument("--outage", choices=("database", "broker", "disk"))
    parser.add_argument("--seconds", type=float, default=600, help="how long the outage lasts")
    return parser


if __name__ == "__main__":
    sys.exit(main())
