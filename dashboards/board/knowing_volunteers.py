"""Who a volunteer is that wants to see their own page: a badge and the phone's last digits.

Invariant: from the outside a wrong badge, a wrong phone and no such volunteer can't be told apart;
and who has found a badge can't try its phone's digits one after the other.
"""

import hmac
import unicodedata
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Engine

from ledger.roster import disclosing, store
from ledger.roster.records import Person
from ledger.roster.store import Deed
from ledger.roster.vault import Vault
from producers.badges import Badge, read_badge
from producers.kiosk.limits import Tries

TAIL_DIGITS = 4


class TriedTooOften(Exception):
    """So many wrong digits came with one badge that no more are looked at for a time."""


def volunteer_by_badge(
    engine: Engine,
    vault: Vault,
    ledger_name: str,
    keys: Sequence[Ed25519PublicKey],
    badge_text: str,
    phone_tail: str,
    at: int,
    tries: Tries,
) -> str | None:
    """The volunteer whose newest badge it is and whose phone ends so; None for any other reason.

    That the phone was looked at is kept, as every look is. TriedTooOften, by `tries` of volunteers.
    """
    badge = read_badge(badge_text, ledger_name, keys)
    digits = _digits(phone_tail)
    if not isinstance(badge, Badge) or len(digits) != TAIL_DIGITS:
        return None
    with store.changing(engine) as connection:
        person = store.load(connection, (Person,)).get(Person, badge.volunteer)
        if person is None or person.status != "active" or not _is_newest(badge, person):
            return None
        if not tries.allow(badge.volunteer):  # counted first: guesses may come all at once
            raise TriedTooOften
        deed = Deed("board", "志愿者登录：核对手机尾号 a volunteer signs in", at)
        found = disclosing.disclose(connection, vault, [badge.volunteer], deed)
    who = found.get(badge.volunteer)
    phone = _digits((who.phone or "") if who else "")
    is_right = len(phone) >= TAIL_DIGITS and hmac.compare_digest(phone[-TAIL_DIGITS:], digits)
    if not is_right:
        return None
    tries.forgive(badge.volunteer)
    return badge.volunteer


def _digits(text: str) -> str:
    """The digits in it; those of a Chinese keyboard, of full width, are as good."""
    return "".join(one for one in unicodedata.normalize("NFKC", text) if one in "0123456789")


def _is_newest(badge: Badge, person: Person) -> bool:
    return (badge.serial, badge.generation) == (person.badge_serial, person.badge_generation)
