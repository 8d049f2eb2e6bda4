"""What a person sees of a campaign: how far it is, and at the end a table of what was done."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.chaos.campaign import Report, Tell

_LINE_SECONDS = 30.0


@contextmanager
def progress(faults: int) -> Iterator[Tell]:
    """A bar on a terminal, elsewhere a line now and then; on stderr."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines(console, faults)
        return
    columns = (TextColumn("{task.description:40}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bar:
        task = bar.add_task("", total=faults)
        yield lambda report, doing: bar.update(
            task, completed=report.struck.total(), description=doing
        )


def _lines(console: Console, faults: int) -> Tell:
    told = time.monotonic()

    def tell(report: Report, doing: str) -> None:
        nonlocal told
        if time.monotonic() - told > _LINE_SECONDS:
            told = time.monotonic()
            console.print(f"{report.struck.total()} of {faults} faults; {doing}", highlight=False)

    return tell


def show(report: Report, seconds: float) -> None:
    """Counts by fault, how the records ended, and the verdict."""
    console = Console(highlight=False, soft_wrap=True)
    orders, verdict = report.orders, report.verdict
    table = Table("fault", "struck", "seconds", "left out", box=None, pad_edge=False)
    for name in sorted({*report.struck, *report.left_out}):
        table.add_row(
            name,
            str(report.struck[name]),
            f"{report.seconds[name]:.1f}",
            str(report.left_out[name] or ""),
        )
    console.print(table)
    ends = ", ".join(f"{count} {end}" for end, count in verdict.ends.most_common())
    console.print(
        f"seed {orders.seed}: {report.struck.total()} faults in {seconds:.0f} s, "
        f"{orders.workers} workers, {orders.database}; "
        f"{verdict.records} records: {ends}; {verdict.sessions} sessions"
    )
    console.print("; ".join(f"{name}: {count}" for name, count in report.notes.items()))
    for wrong in (*report.failed, *verdict.differences):
        console.print(f"WRONG: {wrong}", markup=False)
    console.print(f"lost {verdict.lost}, doubled {verdict.doubled}")
