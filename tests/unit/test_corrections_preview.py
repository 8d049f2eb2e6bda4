"""What a preview says is what settling then does, whatever was tapped before."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ledger.corrections.preview import Known, preview
from ledger.corrections.values import Proposal, fact_of
from ledger.entries import genesis
from ledger.policy import SECOND, Policy
from ledger.shard import Head, Shard
from ledger.taps import Fact, Record, Tap, Void
from ledger.window import Accepted

POLICY = Policy()
NOW = 1_795_000_000 * SECOND
HOUR = 3_600 * SECOND
HEAD = Head.after(genesis(0, "ledger.example", POLICY))

moments = st.integers(-15 * 24, 1).map(lambda hours: NOW + hours * HOUR)
taps = st.builds(
    lambda kind, at, minute, number: Tap.of(
        "V1",
        kind,
        at + minute * 60 * SECOND,
        "/kiosks/1",
        f"t{number}",
        team="choir" if kind == "in" else None,
        place="station",
    ),
    st.sampled_from(["in", "out"]),
    moments,
    st.integers(0, 2),
    st.integers(0, 99),
)
voids = st.builds(
    lambda number, at: Void(
        "V1", at, "/desks/a", f"v{number}", "/kiosks/1", f"t{number}", "a", "b"
    ),
    st.integers(0, 99),
    moments,
)


def proposals(ids: list[str]) -> st.SearchStrategy[Proposal]:
    named = st.sampled_from(ids or ["t1"])
    return st.one_of(
        st.builds(
            lambda at: Proposal(kind="check-out", volunteer="V1", occurred_at=at, reason="忘了"),
            moments,
        ),
        st.builds(
            lambda at: Proposal(
                kind="check-in",
                volunteer="V1",
                team="choir",
                place="station",
                occurred_at=at,
                reason="忘了",
            ),
            moments,
        ),
        st.builds(
            lambda id: Proposal(
                kind="void", volunteer="V1", tap_source="/kiosks/1", tap_id=id, reason="按错"
            ),
            named,
        ),
        st.just(
            Proposal(
                kind="adjustment",
                volunteer="V1",
                team="choir",
                day="2026-11-01",
                seconds=-600,
                reason="多算",
            )
        ),
    )


@given(st.data(), st.lists(st.one_of(taps, voids), max_size=12))
def test_a_preview_is_what_the_next_record_of_the_log_does(
    data: st.DataObject, facts: list[Fact]
) -> None:
    shard = Shard(0, POLICY, HEAD)
    records = [Record(offset, NOW - 1, fact) for offset, fact in enumerate(facts)]
    before = shard.fold(records)
    accepted: list[Accepted] = list(before.accepted)
    asked = data.draw(proposals([fact.id for _, fact in accepted if isinstance(fact, Tap)]))
    fact = fact_of(asked, "/desks/a", "new", "a", "b", NOW)

    seen = preview(Known(0, before.head, accepted), [fact], POLICY, NOW)

    done = shard.fold([Record(before.head.next_offset, NOW, fact)])
    entries = [(one.type, one.seconds) for one in done.entries]
    assert [(one.type, one.seconds) for one in seen.entries] == entries
    assert seen.seconds == sum(seconds for _, seconds in entries)
    assert seen.healed == len(done.halves_gone)
    assert list(seen.halves) == done.halves_come
    refused = [(one.reason, one.detail) for one in done.rejections]
    assert [seen.refusal] * bool(seen.refusal) == refused


def test_what_was_forgotten_is_shown_as_what_it_credits() -> None:
    here = Tap.of("V1", "in", NOW - 3 * HOUR, "/kiosks/1", "t1", team="choir", place="station")
    known = Known(0, replace(HEAD, next_offset=1), [(0, here)])
    asked = Proposal(
        kind="check-out",
        volunteer="V1",
        tap_source="/kiosks/1",
        tap_id="t1",
        occurred_at=NOW - HOUR,
        reason="忘记签退",
    )
    seen = preview(known, [fact_of(asked, "/desks/a", "n", "a", "b", NOW)], POLICY, NOW)
    assert [(one.type, one.team, one.seconds) for one in seen.entries] == [
        ("credit", "choir", 7_200)
    ]
    assert (seen.healed, seen.seconds, seen.refusal) == (1, 7_200, None)


def test_what_is_too_old_is_refused_as_the_ledger_would() -> None:
    asked = Proposal(
        kind="check-out", volunteer="V1", occurred_at=NOW - 15 * 24 * HOUR, reason="忘了"
    )
    seen = preview(Known(0, HEAD, []), [fact_of(asked, "/d", "n", "a", "b", NOW)], POLICY, NOW)
    assert seen.refusal is not None
    assert seen.refusal[0] == "too-late"
