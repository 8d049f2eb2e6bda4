"""`python -m tests.chaos`: a campaign, or one long outage, and what came of it.

Exit code 0 where the ledger is exact and nothing ended by itself, else 1.
"""

import argparse
import sys
from pathlib import Path

from tests.chaos.campaign import Orders, Report, run
from tests.chaos.carrying_out import carry_out
from tests.chaos.outages import run_outage
from tests.chaos.showing import progress, show


def main() -> int:
    """Run what the arguments say; the exit code."""
    given = _arguments().parse_args()

    def deed(seed: int, home: Path) -> Report:
        orders = Orders(seed, given.faults, given.workers, given.database, given.rate)
        with progress(orders.faults) as tell:
            if given.outage:
                return run_outage(given.outage, given.seconds, orders, home, tell)
            return run(orders, home, tell)

    return carry_out("chaos", given.seed, deed, show)


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
