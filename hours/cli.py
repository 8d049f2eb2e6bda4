"""The `hours` command: one door, and what every subcommand has in common.

Exit codes: 0 done, 1 the answer is no, 2 wrong use or a missing service.
"""

import logging
import os
import sys

import click

from hours import commands_read, commands_roster, commands_run, commands_simulate
from hours.services import ServiceUnavailable
from hours.settings import WrongUse, read_settings
from ledger.refusals import LedgerRefusal
from producers.publishing import NoBroker, NotAcknowledged
from producers.simulated_run import AnotherPlan
from streams.segments import ArchiveRefusal
from streams.topics import TopicRefusal

EXPECTED = (
    *(AnotherPlan, ArchiveRefusal, LedgerRefusal, NoBroker, NotAcknowledged),
    *(ServiceUnavailable, TopicRefusal, WrongUse),
)


def main() -> None:
    """Run the command; expected trouble is one line and exit code 2."""
    for client in ("kafka", "aiokafka"):
        logging.getLogger(client).addHandler(logging.NullHandler())
    try:
        sys.exit(cli.main(standalone_mode=False))  # it returns what an Exit within it said
    except (click.exceptions.Abort, KeyboardInterrupt):
        sys.exit(130)
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except EXPECTED as refusal:
        click.echo(str(refusal), err=True)
        sys.exit(2)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="volunteer-hours-ledger", prog_name="hours")
@click.pass_context
def cli(context: click.Context) -> None:
    """志愿服务时长账本。 The ledger of volunteer hours.

    Kiosks publish events, team leaders see live totals, auditors replay the ledger.

    \b
    HOURS_KAFKA         bootstrap servers of Kafka
    HOURS_LEDGER_URL    the ledger's database (default: SQLite in HOURS_HOME)
    HOURS_HOME          data folder (default: .hours)
    HOURS_LEDGER_NAME   the ledger's name (default: tongzhou.hours.example)
    HOURS_TIMEZONE      whose days are counted (default: Asia/Shanghai)
    HOURS_SHARDS        partitions of the log (default: 4)
    HOURS_TOPIC_PREFIX  first part of the topics' names (default: hours)
    """
    context.obj = read_settings(os.environ)


for command in (
    *commands_run.COMMANDS,
    *commands_simulate.COMMANDS,
    *commands_read.COMMANDS,
    *commands_roster.COMMANDS,
):
    cli.add_command(command)
