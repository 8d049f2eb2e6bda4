"""`hours settle`: a file of events, settled by the same code with no services at all."""

import time
from typing import BinaryIO

import click

from hours import offline, showing
from hours.settings import Settings
from ledger.policy import Policy


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def settle(settings: Settings, file: BinaryIO, as_json: bool) -> None:
    """结算一个事件文件（不需要服务）。 Settle a file of events, with no services.

    Each line is a CloudEvent; its `recordedat`, or else its `time`, is when it reached the log.
    """
    policy = Policy(shard_count=1, timezone=settings.timezone)
    settled = offline.settle(file, settings.ledger_name, policy)
    # A file may be ahead of the clock here.
    now = max(time.time_ns() // 1_000, settled.head.watermark)
    items = [
        showing.half_item(half)
        for half in settled.halves
        if half.status != "open" or half.tap.occurred_at < now - policy.cap
    ]
    if as_json:
        for entry in settled.entries:
            click.echo(b'{"entry":' + entry.body + b"}")
        showing.print_json({"exception": showing.exception_json(item)} for item in items)
        showing.print_json(
            {"rejection": showing.rejection_json(0, rejection)} for rejection in settled.rejections
        )
        return
    showing.print_entries(entry.body for entry in settled.entries)
    showing.print_exceptions(items)
    showing.print_rejections((0, rejection) for rejection in settled.rejections)
