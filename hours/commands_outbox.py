"""`hours roster publish-again`: all that is to be known of the roster, for a topic that lost it.

It only writes to the outbox, as every change of the roster does; a worker publishes.
"""

import getpass
import time

import click

from hours import showing
from hours.opened_ledger import opened_store
from hours.settings import Settings
from ledger.roster import distribution
from ledger.roster.calling import all_called, call_everybody
from ledger.roster.store import Deed, begin_change_set, changing, enqueue, load


@click.command("publish-again")
@click.option("--by", default=getpass.getuser, help="Who asks for it; else your login name.")
@click.option("--why", default="publish again", show_default=True, help="Why; it is kept.")
@click.pass_obj
def publish_again(settings: Settings, by: str, why: str) -> None:
    """重新发布整个名册。 Publish the whole roster anew.

    For a topic that was lost and made anew by `hours init`, or a database that was restored: what
    the topic says and the roster doesn't is taken back. With the roster's key it also notes what
    people are called at kiosks, of whom it isn't known yet.
    """
    from streams.roster_topic import read_roster  # noqa: PLC0415 - Kafka's client loads slowly

    view = read_roster(settings.streams())
    deed = Deed(by, why, time.time_ns() // 1_000)
    vault = None if settings.roster_key_file is None else settings.vault()
    with opened_store(settings) as store, changing(store.engine) as connection:
        noted = call_everybody(connection, vault) if vault is not None else 0
        number = begin_change_set(connection, deed)
        roster, called = load(connection), all_called(connection)
        messages = distribution.anew(roster, number, view.revisions, called)
        enqueue(connection, number, messages)
    showing.say(
        f"{len(messages)} 条消息等待 worker 发布。 "
        f"{len(messages)} messages wait for a worker to publish them."
    )
    if noted:
        showing.say(
            f"补上了 {noted} 份签到机上的称呼（如 王*）。 "
            f"What to call people at kiosks, as 王*, was noted of {noted} that had none."
        )
    unnamed = sum(one.private_version > 0 for one in roster.people.values()) - len(called)
    if unnamed:
        showing.say(
            f"{unnamed} 人在签到机上只显示编号：设置 HOURS_ROSTER_KEY_FILE，再发布一次。 "
            f"{unnamed} people are shown at kiosks by their number alone: set "
            "HOURS_ROSTER_KEY_FILE, and publish again."
        )
