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
            "账本还没有创世条目：请运行 hours init。 The ledger has no genesis: run hours init."
        )
    here = {"ledger": name, **policy.as_dict()}
    differences = sorted({text for body in bodies for text in _differences(body, here)})
    if differences:
        listed = "; ".join(differences)
        raise OtherGenesis(
            f"账本创世时的设置不同（账本 ≠ 现在）：{listed}。 "
            f"This ledger began with other settings (ledger ≠ now): {listed}; "
            "set them back, or use another ledger."
        )


def _differences(body: bytes, here: dict[str, Any]) -> list[str]:
    try:
        genesis = json.loads(body)
        there = {"ledger": genesis["ledger"], **genesis["policy"]}
    except (ValueError, KeyError, TypeError):  # somebody's hand: no program of ours wrote it
        there = {}
    return [
        f"{key}: {_shown(there.get(key))} ≠ {_shown(here.get(key))}"
        for key in here.keys() | there.keys()
        if here.get(key) != there.get(key)
    ]


def _shown(value: Any) -> str:
    return "–" if value is None else str(value)
