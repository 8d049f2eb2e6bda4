"""The `hours` command: one door, and what every subcommand has in common.

A command's module is imported when the command is run, for none needs what all of them need. Exit
codes: 0 done, 1 the answer is no, 2 wrong use or a missing service.
"""

import atexit
import gc
import logging
import os
import sys
from importlib import import_module

import click

from hours.settings import read_settings

COMMANDS = {
    "services": "commands_run",
    "init": "commands_run",
    "worker": "commands_run",
    "publish": "commands_run",
    "dump": "commands_run",
    "restore": "commands_run",
    "demo": "commands_run",
    "simulate": "commands_simulate:simulate_",
    "settle": "commands_settle",
    "status": "commands_read",
    "totals": "commands_read",
    "entries": "commands_read",
    "exceptions": "commands_read",
    "rejections": "commands_read",
    "audit": "commands_audit",
    "import": "commands_import:import_",
    "import-hours": "commands_past_hours:import_hours",
    "report": "commands_report",
    "roster": "commands_roster",
    "badges": "commands_badges",
    "desk": "commands_desk",
    "kiosk": "commands_kiosk",
    "kiosks": "commands_kiosks",
    "board": "commands_board",
    "accounts": "commands_accounts",
    "sign": "commands_sign",
    "checkpoint": "commands_sign",
    "prove": "commands_prove",
    "verify": "commands_verify",
    "export": "commands_sign",
    "certificate": "commands_certificate",
}
"""Each command's module, and its name there where it isn't the command's own."""


class _Door(click.Group):
    """Finds commands in their modules."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command = getattr(import_module(f"hours.{module}"), name or cmd_name)
        _collect_garbage()
        assert isinstance(command, click.Command)
        return command


def main() -> None:
    """Run the command; expected trouble is one line and exit code 2."""
    # A third of a second: what is loaded stays, and is not looked through for garbage, now or last.
    gc.disable()
    atexit.register(gc.freeze)
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
    except Exception as trouble:
        from hours.expected import EXPECTED  # noqa: PLC0415 - it imports every room

        if not isinstance(trouble, EXPECTED):
            raise
        click.echo(str(trouble), err=True)
        sys.exit(2)


def _collect_garbage() -> None:
    """From here on, as usual: but for all that was loaded before."""
    gc.freeze()
    gc.enable()


@click.group(
    cls=_Door, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="volunteer-hours-ledger", prog_name="hours")
@click.pass_context
def cli(context: click.Context) -> None:
    """志愿服务时长账本。 The ledger of volunteer hours.

    Kiosks publish events, team leaders see live totals, auditors replay the ledger.

    \b
    HOURS_KAFKA         bootstrap servers of Kafka
    HOURS_KAFKA_USER    who asks Kafka, with HOURS_KAFKA_PASSWORD_FILE
    HOURS_LEDGER_URL    the ledger's database (default: SQLite in HOURS_HOME)
    HOURS_HOME          data folder (default: .hours)
    HOURS_LEDGER_NAME   the ledger's name (default: tongzhou.hours.example)
    HOURS_TIMEZONE      whose days are counted (default: Asia/Shanghai)
    HOURS_SHARDS        partitions of the log (default: 4)
    HOURS_TOPIC_PREFIX  first part of the topics' names (default: hours)
    """
    context.obj = read_settings(os.environ)
