"""`hours audit`: the ledger against its log, or all of it against what was signed."""

from pathlib import Path

import click

from hours import showing
from hours.settings import Settings
from producers.kafka_access import KafkaAccess
from streams.audit import AuditSource
from streams.audit import audit as run_audit


@click.command()
@click.option(
    "--log",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="An archive made by `hours dump`, instead of Kafka.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    help="Shards at a time, each in a process of its own; unless told, as many as there are cores, "
    "or one where there is little to do.",
)
@click.option(
    "--key",
    metavar="KEY",
    help="A public key: audit --log or --tiles against what was signed, with no ledger at all.",
)
@click.option(
    "--tiles",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="What `hours export` wrote; with --key.",
)
@click.option(
    "--against",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Tiles that somebody else was shown: is it one ledger? With --tiles and --key.",
)
@click.option(
    "--state",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file of what is done so far: stopped, the audit goes on with the next shard.",
)
@click.option(
    "--sample", type=click.IntRange(1), help="Draw so many volunteers only; --log, --tiles, --key."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed, others drawn.")
@click.option(
    "--report", type=click.Path(dir_okay=False, path_type=Path), help="HTML or JSON file."
)
@click.option("--json", "as_json", is_flag=True, help="The result as one JSON object.")
@click.pass_obj
def audit(
    settings: Settings,
    folder: Path | None,
    workers: int | None,
    key: str | None,
    tiles: Path | None,
    against: Path | None,
    state: Path | None,
    sample: int | None,
    seed: int,
    report: Path | None,
    as_json: bool,
) -> None:
    """用日志重算账本并比较。 Recompute the ledger from the log, and compare every byte.

    Exit code 0: all is equal; 1: it isn't, and the first difference is named. From an archive
    that ends before the ledger does, 2: what it covers is equal, the rest remains to be seen.

    With --key no ledger and no Kafka is asked: --log ARCHIVE is settled again, --tiles DIR is read,
    and both must give what the district signed.
    """
    if sample is not None:
        from hours.evidence_audit import run_spot_audit  # noqa: PLC0415 - auditors alone

        run_spot_audit(settings, folder, key, tiles, sample, seed, as_json)
        return
    if key is not None or tiles is not None or against is not None:
        from hours.evidence_audit import run_evidence_audit  # noqa: PLC0415 - auditors alone

        run_evidence_audit(settings, folder, workers, key, tiles, against, state, report, as_json)
        return
    source = AuditSource(
        settings.url, settings.ledger_name, settings.policy, _log(settings, folder)
    )
    with showing.counting("审计 auditing") as moved:
        audited = run_audit(source, moved, workers)
    if as_json:
        findings = [finding._asdict() for finding in audited.findings]
        showing.print_json([{**audited._asdict(), "findings": findings}])
    else:
        showing.tell_audit(audited)
    if audited.findings or audited.uncovered:
        raise click.exceptions.Exit(1 if audited.findings else 2)


def _log(settings: Settings, folder: Path | None) -> Path | tuple[KafkaAccess, str]:
    if folder is not None:
        return folder
    streams = settings.streams()
    return streams.kafka, streams.taps_topic
