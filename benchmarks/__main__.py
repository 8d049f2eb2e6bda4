"""`python -m benchmarks`: measure, print a table, write JSON."""

import json
import logging
import shutil
import sys
import time
from pathlib import Path

import click
from rich.console import Console

from benchmarks.arena import open_arena
from benchmarks.report import Report
from benchmarks.run import DISTRICT, MEASURED, Sizes, run
from benchmarks.watching import Stalled
from hours.services import ServiceUnavailable

_PAGE = 130  # columns, where no terminal says


@click.command()
@click.option("--taps", default=1_000_000, show_default=True, help="Events on the main log.")
@click.option("--faust-taps", default=20_000, show_default=True, help="Those for plain Faust.")
@click.option("--growth-taps", default=100_000, show_default=True, help="Settled at each size.")
@click.option("--seconds", default=60, show_default=True, help="How long taps come evenly.")
@click.option("--rate", default=1_000, show_default=True, help="Taps a second meanwhile.")
@click.option("--large", is_flag=True, help="Grow a ledger to 10^7 entries too: some 10 GB.")
@click.option(
    "--only", multiple=True, type=click.Choice((*MEASURED, *DISTRICT)), help="Just these."
)
@click.option("--seed", default=1, show_default=True)
@click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write the figures; else beside the ledgers.",
)  # fmt: skip
@click.option(
    "--home", type=click.Path(file_okay=False, path_type=Path), default=".hours",
    show_default=True, help="Its folder `bench` is emptied, and holds services and ledgers.",
)  # fmt: skip
@click.option("--hours-python", default=sys.executable, help="Interpreter of the product's venv.")
def main(
    taps: int,
    faust_taps: int,
    growth_taps: int,
    seconds: int,
    rate: int,
    large: bool,
    only: tuple[str, ...],
    seed: int,
    json_file: Path | None,
    home: Path,
    hours_python: str,
) -> None:
    """性能测试。 Measure the product beside its peers, on one Kafka and one PostgreSQL."""
    home = home.absolute() / "bench"
    shutil.rmtree(home, ignore_errors=True)
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    sizes = Sizes(taps, min(faust_taps, taps), growth_taps, seconds, rate, large)
    report = Report(seed, sizes._asdict())
    progress = Console(stderr=True)
    python = str(Path(hours_python).absolute())
    started = time.monotonic()
    try:
        with open_arena(home, python, sys.executable, progress) as arena:
            run(arena, report, sizes, only or (*MEASURED, *DISTRICT))
    except (Stalled, ServiceUnavailable) as trouble:
        raise click.ClickException(str(trouble)) from trouble
    finally:
        report.show(Console(width=None if sys.stdout.isatty() else _PAGE))
        json_file = json_file or home / "figures.json"
        json_file.write_text(json.dumps(report.as_dict(), ensure_ascii=False, indent=2) + "\n")
    progress.print(f"{time.monotonic() - started:.0f} s; {json_file}")


if __name__ == "__main__":
    click.ClickException.exit_code = 2
    main()
