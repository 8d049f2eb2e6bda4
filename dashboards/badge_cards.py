"""From who was chosen to the cards that are printed: each badge signed, with its name.

Not the drawing: that is `badge_sheets`. Invariant: nobody is printed without a badge of their own.
"""

from collections.abc import Iterator, Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dashboards.badge_sheets import BadgeCard, TeamCards
from ledger.roster.badging import Chosen, TeamBadges
from ledger.roster.vault import PrivateData
from producers.badges import Badge, sign_badge


def cards_of(
    chosen: Chosen, who: Mapping[str, PrivateData], ledger_name: str, key: Ed25519PrivateKey
) -> Iterator[TeamCards]:
    """The cards of all teams; `who` names each of those chosen."""
    for team in chosen.teams:
        yield TeamCards(team.name, list(_team_cards(team, who, ledger_name, key)))


def _team_cards(
    team: TeamBadges, who: Mapping[str, PrivateData], ledger_name: str, key: Ed25519PrivateKey
) -> Iterator[BadgeCard]:
    for person in team.people:
        assert person.badge_serial is not None
        badge = Badge(person.volunteer, person.badge_serial, person.badge_generation)
        name, code = who[badge.volunteer].name, sign_badge(badge, ledger_name, key)
        yield BadgeCard(badge.volunteer, name, badge.serial, badge.generation, code)
