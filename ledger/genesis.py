"""Comparing a ledger's genesis entries with the name and policy a program would settle by."""

import json
from collections.abc import Sequence
from typing import Any

from ledger.policy import Policy
from ledger.refusals import NotInitialised, OtherGenesis


def refuse_other(bodies: Sequence[bytes], name: str, policy: Policy) -> None:
    """OtherGenesis, naming each difference, unless every shard began with `name` and `policy`."""
    if not bodies:
        raise NotInitialised(
            "账本还没有创世条目:请运行 hours init。 The ledger has no genesis: run hours init."
        )
    found = json.loads(bodies[0])
    here = {"ledger": name, **policy.as_dict()}
    there = {"ledger": found["ledger"], **found["policy"]}
    differences = [
        f"{key}: {_shown(there.get(key))} ≠ {_shown(here.get(key))}"
        for key in sorted(here.keys() | there.keys())
        if here.get(key) != there.get(key)
    ]
    if differences:
        raise OtherGenesis(
            f"账本创世时的设置不同(账本 ≠ 现在):{'; '.join(differences)}。 "
            f"This ledger began with other settings (ledger ≠ now): {'; '.join(differences)}; "
            "set them back, or use another ledger."
        )


def _shown(value: Any) -> str:
    return "–" if value is None else str(value)
