"""The `hours` command for a ledger that takes taps half a year old: its horizon is 200 days.

For measuring alone. Kafka stamps a simulated half-year as it arrives, which is now, so that the
product's own fortnight would reject nearly all of it. Nothing else of the product is changed.
"""

from dataclasses import replace

from hours import cli
from hours.settings import Settings
from ledger.policy import Policy

_HORIZON_SECONDS = 200 * 86_400
_POLICY = Settings.policy


def _patient(settings: Settings) -> Policy:
    assert _POLICY.fget is not None
    usual: Policy = _POLICY.fget(settings)
    return replace(usual, horizon_seconds=_HORIZON_SECONDS)


if __name__ == "__main__":
    Settings.policy = property(_patient)  # type: ignore[assignment, method-assign]
    cli.main()
