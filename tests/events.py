"""Events for tests: any well-formed one, as hypothesis draws it, and good JSON spoilt."""

import copy
import json
from datetime import date
from typing import Any

from hypothesis import strategies as st

from producers.events import (
    CODE,
    REASON,
    Adjusted,
    AdjustedData,
    CheckedIn,
    CheckedInData,
    CheckedOut,
    CheckedOutData,
    Event,
    TapVoided,
    TapVoidedData,
)
from producers.examples import EXAMPLES
from producers.times import EARLIEST, LATEST
from producers.writing import write_line

GOOD: dict[str, dict[str, Any]] = {
    example.type: json.loads(write_line(example)) for example in EXAMPLES
}
CHECKED_IN, ADJUSTED = GOOD["hours.checked-in.v1"], GOOD["hours.adjusted.v1"]
GONE = object()

identifiers = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=9)
codes = st.from_regex(CODE, fullmatch=True).filter(lambda text: len(text) <= 128)
reasons = st.from_regex(REASON, fullmatch=True).filter(lambda text: len(text) <= 1_000)
_who = {
    "id": identifiers,
    "source": identifiers,
    "subject": identifiers,
    "time": st.integers(EARLIEST, LATEST),
}
_how = {
    "kioskclock": st.none() | st.integers(EARLIEST, LATEST),
    "identifiedby": st.sampled_from([None, "badge", "number", "list"]),
    "approvedby": st.none() | codes,
}


def _data(model: Any, **fields: Any) -> Any:
    return st.builds(model, **fields)


def _desk_or_kiosk(model: Any, **fields: Any) -> Any:
    kiosk = _data(model, supplied_by=st.none(), reason=st.none(), **fields)
    return kiosk | _data(model, supplied_by=codes, reason=reasons, **fields)


events: st.SearchStrategy[Event] = st.one_of(
    st.builds(
        CheckedIn,
        data=_desk_or_kiosk(CheckedInData, team=codes, place=codes, activity=st.none() | codes),
        **_who,
        **_how,
    ),
    st.builds(CheckedOut, data=_desk_or_kiosk(CheckedOutData, place=st.none() | codes), **_who),
    st.builds(
        TapVoided,
        data=_data(
            TapVoidedData, tap_source=identifiers, tap_id=identifiers, by=codes, reason=reasons
        ),
        **_who,
        **_how,
    ),
    st.builds(
        Adjusted,
        data=st.tuples(codes, codes)
        .filter(lambda two: two[0] != two[1])
        .flatmap(
            lambda two: _data(
                AdjustedData,
                team=codes,
                activity=st.none() | codes,
                day=st.dates(date.min, date.max).map(date.isoformat),
                seconds=st.integers(1, 86_400) | st.integers(-86_400, -1),
                by=st.just(two[0]),
                approved_by=st.just(two[1]),
                reason=reasons,
            )
        ),
        importedfrom=st.none() | codes,
        **_who,
    ),
)

_scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9)
    | st.sampled_from(["", " ", "\x00", "a\n", "中", "2026-02-30T00:00:00Z", "0001-01-01", "1.0"])
)
json_values = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def spoilt(draw: st.DrawFn) -> dict[str, Any]:
    """A good event with one to three of its members replaced, removed or added."""
    event = copy.deepcopy(draw(st.sampled_from(list(GOOD.values()))))
    for _ in range(draw(st.integers(1, 3))):
        inside = event if draw(st.booleans()) or "data" not in event else event["data"]
        if not isinstance(inside, dict):
            break
        known = st.sampled_from([*inside, "reason", "data_base64", "datacontenttype"])
        name = draw(known | st.text(max_size=4))
        if draw(st.booleans()):
            inside.pop(name, None)
        else:
            inside[name] = draw(json_values | st.just(inside.get(name)))
    return event


def changed(event: dict[str, Any], **members: Any) -> dict[str, Any]:
    """The event with members of it, or else of its data, set; GONE takes one away."""
    fresh = copy.deepcopy(event)
    for name, value in members.items():
        inside = fresh["data"] if name in _DATA_FIELDS else fresh
        if value is GONE:
            del inside[name]
        else:
            inside[name] = value
    return fresh


_DATA_FIELDS = {name for event in GOOD.values() for name in event["data"]} | {"activity"}
