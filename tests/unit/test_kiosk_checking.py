"""What a kiosk's taps become: events in its own name, or refusals that say why."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from producers.badges import Badge, sign_badge
from producers.events import CheckedIn, CheckedOut, TapVoided
from producers.kiosk.checking import Known, Refusal, check
from producers.kiosk.kiosk import Kiosk
from producers.kiosk.messages import Tap
from producers.kiosk.roster_slice import RosterIndex
from producers.kiosk.tap_reading import Read, Unread, read_taps
from producers.roster_view import RosterView
from producers.times import rfc_3339_of
from producers.writing import write_line

NOW = 1_764_000_000_000_000
HOUR = 3_600_000_000
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
KIOSK = Kiosk("point-1", "kiosk", "point", (), 0, "operator")
ID = "01KAVQ8M4Z0000000000000001"


def volunteer(status: str = "active", generation: int = 1, *teams: str) -> dict[str, Any]:
    return {
        "revision": 1,
        "status": status,
        "badge": {"serial": "B", "generation": generation},
        "teams": [{"team": team, "since": "2020-01-01", "until": None} for team in teams],
    }


@dataclass
class Roster:
    """A choir at the point, a clinic elsewhere; since an hour ago V2's badge is new, V3 left."""

    people: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {
            "V1": volunteer("active", 1, "choir"),
            "V2": volunteer("active", 2, "clinic"),
            "V3": volunteer("left", 1, "choir"),
        }
    )

    def known(self) -> Known:
        view = RosterView()
        for team, unit in (("choir", "point"), ("clinic", "station")):
            row = {"code": team, "name_zh": team, "unit": unit}
            view.told[f"team/{team}"] = {"revision": 1, "rows": [row]}
        for name, value in self.people.items():
            view.told[f"volunteer/{name}"] = {**value, "volunteer": name}
            view.since[f"volunteer/{name}"] = dict.fromkeys(value, NOW - HOUR)
        index = RosterIndex(view, "2025-11-24")
        return Known(index, view.since, "ledger.example", [KEY.public_key()])


KNOWN = Roster().known()
EMPTY = Known(RosterIndex(RosterView(), "2025-11-24"), {}, "ledger.example", [])


def said(kind: str = "in", who: str = "V1", **more: Any) -> dict[str, Any]:
    time = rfc_3339_of(more.pop("at", NOW))
    made = {
        "id": ID,
        "kind": kind,
        "volunteer": who,
        "team": "choir" if kind == "in" else None,
        "of": ID if kind == "void" else None,
        "how": "number",
        "time": time,
        "clock": time,
        **more,
    }
    return {name: value for name, value in made.items() if value is not None}


def tap(kind: str = "in", who: str = "V1", **more: Any) -> Tap:
    return Tap.model_validate_json(json.dumps(said(kind, who, **more)))


def badge(who: str, generation: int = 1) -> dict[str, str]:
    return {"how": "badge", "badge": sign_badge(Badge(who, "B", generation), "ledger.example", KEY)}


def reason(made: Tap, known: Known = KNOWN, now: int = NOW) -> str | None:
    found = check(made, KIOSK, known, now)
    return found.reason if isinstance(found, Refusal) else None


def test_a_tap_in_is_an_event_of_the_kiosk_at_its_place() -> None:
    event = check(tap(activity="concert"), KIOSK, KNOWN, NOW)
    assert isinstance(event, CheckedIn)
    assert (event.source, event.id, event.subject) == ("/kiosks/point-1", ID, "V1")
    assert (event.data.team, event.data.place, event.data.activity) == ("choir", "point", "concert")
    assert (event.time, event.kioskclock, event.identifiedby) == (NOW, NOW, "number")


def test_a_tap_out_says_the_place_and_a_void_says_whose_tap() -> None:
    out, void = check(tap("out"), KIOSK, KNOWN, NOW), check(tap("void"), KIOSK, KNOWN, NOW)
    assert isinstance(out, CheckedOut)
    assert out.data.place == "point"
    assert isinstance(void, TapVoided)
    assert (void.data.tap_source, void.data.tap_id) == ("/kiosks/point-1", ID)


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (tap(at=NOW + 301_000_000), "from-the-future"),
        (tap(at=NOW + 299_000_000), None),
        (tap(team="nobody"), "unknown-team"),
        (tap(team="clinic"), None),
        (tap(**badge("V1")), None),
        (tap(who="V1", **badge("V2", 2)), "anothers-badge"),
        (tap(who="V2", **badge("V2", 1)), "replaced-badge"),
        (tap(who="V2", **badge("V2", 3)), None),
        (tap(who="V2", at=NOW - 2 * HOUR, **badge("V2", 1)), None),
        (tap(who="V3", **badge("V3")), "inactive"),
        (tap(who="V3"), "inactive"),
        (tap("void", "V3"), None),
        (tap(who="V3", at=NOW - 2 * HOUR, **badge("V3")), None),
        (tap(how="badge", badge="HOURS1"), "not-a-badge"),
        (tap(how="list"), None),
        (tap(who="V2", how="list"), "not-listed"),
        (tap(who="V9", how="list"), "not-listed"),
        (tap(who="V9"), None),
    ],
)
def test_a_tap_is_taken_or_refused_by_what_the_roster_said_at_its_time(
    made: Tap, why: str | None
) -> None:
    assert reason(made) == why


def test_where_the_gateways_clock_was_never_measured_no_tap_is_from_the_future() -> None:
    ahead = tap(at=NOW + 24 * HOUR)
    assert isinstance(check(ahead, KIOSK, KNOWN, NOW, is_measured=True), Refusal)
    assert isinstance(check(ahead, KIOSK, KNOWN, NOW, is_measured=False), CheckedIn)


def test_a_gateway_that_never_read_the_roster_refuses_nothing_for_it() -> None:
    assert reason(tap(team="nobody", how="list"), EMPTY) is None


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
TAPS = st.builds(
    lambda base, changed: {**base, **changed},
    st.sampled_from([said(), said("out"), said("void"), said(**badge("V1"))]),
    st.dictionaries(
        st.sampled_from(
            ["id", "kind", "volunteer", "team", "of", "how", "badge", "time", "source"]
        ),
        ANYTHING | st.sampled_from(["V2", "clinic", "list", "badge", rfc_3339_of(1)]),
        max_size=3,
    ),
)


@given(st.lists(TAPS, max_size=4), ANYTHING)
def test_whatever_comes_in_nothing_raises_and_every_event_is_the_kiosks(
    taps: list[Any], report: Any
) -> None:
    body = json.dumps({"taps": taps, "report": report}).encode(errors="surrogatepass")
    read = read_taps(body)
    if isinstance(read, str):
        assert read.isprintable()
        return
    assert len(read.taps) == len(taps)
    for one in read.taps:
        found = None if isinstance(one, Unread) else check(one, KIOSK, KNOWN, NOW)
        if found is not None and not isinstance(found, Refusal):
            assert found.source == "/kiosks/point-1"
            assert b'"source":"/kiosks/point-1"' in write_line(found)


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_are_taps_or_a_line_that_says_why_not(body: bytes) -> None:
    assert isinstance(read_taps(body), Read | str)


def test_a_report_that_cant_be_read_hinders_no_tap() -> None:
    body = json.dumps({"taps": [said()], "report": {"queued": "many"}}).encode()
    read = read_taps(body)
    assert isinstance(read, Read)
    assert (read.report, len(read.taps)) == (None, 1)


def test_a_badge_that_was_replaced_is_refused_since_then_whatever_changed_later() -> None:
    since = {**KNOWN.since["volunteer/V2"], "teams": NOW}
    known = KNOWN._replace(since={"volunteer/V2": since})
    assert reason(tap(who="V2", at=NOW - 1, **badge("V2", 1)), known) == "replaced-badge"
