"""`python -m tests.fuzz`: a million records through a worker of its own, or through the decoder."""

import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import click

from hours.services import run_services
from producers.reading import read_record
from producers.refusals import Refusal
from tests.fuzz import campaign, corpus
from tests.fuzz.judging import complaints
from tests.fuzz.records import RawRecord, records
from tests.running import Hours, environment


@click.command()
@click.option("--records", "count", default=1_000_000, show_default=True)
@click.option("--seed", type=int, help="Another seed, other records; else one by the clock.")
@click.option("--postgres", is_flag=True, help="The ledger in PostgreSQL, not in SQLite.")
@click.option("--decoder", is_flag=True, help="The decoder alone, within this process.")
@click.option("--schema-every", default=20, show_default=True, help="With --decoder: how often.")
def main(count: int, seed: int | None, postgres: bool, decoder: bool, schema_every: int) -> None:
    """Fuzz the decoder, or a whole worker, and account for every record."""
    seed = time.time_ns() % 1_000_000 if seed is None else seed
    say(f"seed {seed}")
    if decoder:
        fuzz_decoder(count, seed, schema_every)
    else:
        fuzz_worker(count, seed, postgres)


def fuzz_worker(count: int, seed: int, postgres: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="hours-fuzz-") as folder:
        home = Path(folder)
        home.chmod(0o755)  # PostgreSQL runs as nobody where we are root
        with run_services(home / "services", postgres=postgres, say=say) as services:
            url = services.ledger_url or f"sqlite:///{home / 'ledger.db'}"
            hours = Hours(environment(home, kafka=services.kafka, ledger_url=url))
            hours.environment.setdefault("HOURS_TOPIC_PREFIX", "hours")
            try:
                hours.ok("init")
                report = campaign.run(hours, count, seed, say)
            finally:
                hours.end()
    for name, number in (*report.ends.items(), *report.reasons.most_common()):
        click.echo(f"{number:>9} {name}")
    click.echo(f"{sum(report.sent.values()):>9} sent, and all accounted for by one worker")
    if report.findings:
        click.echo(f"but the audit finds {report.findings[0]}")
        sys.exit(1)


def fuzz_decoder(count: int, seed: int, schema_every: int) -> None:
    """Until the first complaint, which is kept in the corpus as small as it can be made."""
    now, ends = datetime(2026, 11, 25, tzinfo=UTC), Counter[str]()
    for number, record in enumerate(islice(records(seed, now, 4), count)):
        with_schema = number % schema_every == 0
        if complaints(record, with_schema):
            tell(record, with_schema)
            sys.exit(1)
        read = read_record(record.value, record.headers)
        ends[str(read.reason) if isinstance(read, Refusal) else "accepted"] += 1
        if number % 50_000 == 0:
            say(f"{number} records")
    for name, found in ends.most_common():
        click.echo(f"{found:>9} {name}")


def tell(record: RawRecord, with_schema: bool) -> None:
    small = corpus.minimised(record, lambda one: complaints(one, with_schema))
    click.echo(f"{complaints(small, with_schema)}\nkept as {corpus.keep(small)}")


def say(line: str) -> None:
    click.echo(line, err=True)


main()
