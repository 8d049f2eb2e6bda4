"""The signer: it signs what grew and nothing else, whoever kills it, doubles it or lies to it."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, insert, select

from ledger import as_of, queries
from ledger.evidence import reading, sealing
from ledger.evidence.checkpoints import (
    DISTRICT,
    read_checkpoint,
    shard_tree,
    verified_checkpoint,
)
from ledger.evidence.memory import Memory
from ledger.evidence.moments import CertificateFate, Moment, SignedMoment, read_district_entry
from ledger.evidence.notes import read_note
from ledger.evidence.refusals import EvidenceRefusal, NotProven, SigningRefused
from ledger.evidence.tables import certificate_fates, checkpoints, district_entries
from ledger.evidence.volunteer_index import VolunteerIndex
from ledger.merkle import EMPTY_ROOT, Frontier, leaf_hash
from ledger.policy import microseconds_of
from ledger.roster.reports_history import history
from tests.evidence_world import LEDGER, POLICY, VOLUNTEERS, Evidence, evidence_at

DOUBLED = {
    "sqlite": "CAST(replace(CAST(body AS text), '3600', '7200') AS BLOB)",
    "postgresql": "convert_to(replace(convert_from(body, 'UTF8'), '3600', '7200'), 'UTF8')",
}


@pytest.fixture
def evidence(ledger_url: str, tmp_path: Path) -> Iterator[Evidence]:
    with evidence_at(ledger_url, tmp_path) as made:
        yield made


def signed(evidence: Evidence) -> dict[tuple[str, int], bytes]:
    """Every checkpoint in the ledger, each verified with the public key: tree and size to root."""
    found = {}
    with evidence.engine.connect() as connection:
        for row in connection.execute(select(checkpoints)):
            checkpoint = verified_checkpoint(row.note, [evidence.public]).checkpoint
            assert (checkpoint.size, checkpoint.root) == (row.size, row.root)
            found[row.tree, row.size] = row.root
    return found


def root_of(evidence: Evidence, tree: str, size: int) -> bytes:
    frontier = Frontier()
    with queries.reading(evidence.engine) as connection:
        for bodies in reading.bodies(connection, tree, 0, size):
            frontier.extend(map(leaf_hash, bodies))
    return frontier.root()


def test_each_turn_signs_what_grew_and_a_moment_that_pins_every_shard(evidence: Evidence) -> None:
    for sessions in (0, 30, 0, 700, 1):  # by the last, one volunteer's alone grew
        evidence.serve(sessions)
        evidence.seal()
    found = signed(evidence)
    assert {(shard_tree(shard), 1) for shard in range(4)} <= found.keys()
    assert all(root_of(evidence, tree, size) == root for (tree, size), root in found.items())
    assert max(size for tree, size in found if tree == DISTRICT) == 4  # nothing grew: no moment
    with evidence.engine.connect() as connection:
        bodies = connection.execute(
            select(district_entries.c.body).order_by(district_entries.c.seq)
        ).scalars()
        moments = [read_district_entry(body) for body in bodies]
        last = moments[-1]
        assert isinstance(last, Moment)
        for shard, pinned in enumerate(last.shards):
            assert found[shard_tree(shard), pinned.size].hex() == pinned.root
            index = VolunteerIndex(reading.indexed_volunteers(connection, shard))
            assert (index.size, index.root.hex()) == (pinned.volunteers, pinned.volunteers_root)
            counted = sum(one.entries for one in reading.indexed_volunteers(connection, shard))
            assert counted == pinned.size - 1  # all but the genesis are somebody's


class Killed(Exception):
    pass


@contextmanager
def killed_at_a_step(fatal: int, is_before: bool) -> Iterator[list[int]]:
    """Each write, on the signer's own disk or to the ledger, is a step it may end at.

    The list holds the step that it did end at, if there was such a step.
    """
    steps, ended = count(), list[int]()

    def mortal(real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*given: Any) -> Any:
            is_last = next(steps) == fatal
            done = None if is_last and is_before else real(*given)
            if is_last:
                ended.append(fatal)
                raise Killed
            return done

        return step

    with pytest.MonkeyPatch.context() as patched, suppress(Killed):
        for name in ("remember", "remember_tree"):
            patched.setattr(Memory, name, mortal(getattr(Memory, name)))
        for name in ("store_tree", "store_volunteers", "store_district"):
            patched.setattr(sealing, name, mortal(getattr(sealing, name)))
        yield ended


def test_killed_anywhere_it_goes_on_and_never_signs_two_trees_of_one_size(
    evidence: Evidence,
) -> None:
    chance, notes = random.Random(5), dict[tuple[str, int], str]()
    for number in count():
        step, is_before = divmod(number, 2)
        evidence.serve(chance.randrange(8, 40))
        with killed_at_a_step(step, bool(is_before)) as ended:
            evidence.seal()
        with evidence.engine.connect() as connection:
            for row in connection.execute(select(checkpoints)):
                assert notes.setdefault((row.tree, row.size), row.note) == row.note
        if not ended:
            break
    assert step > 10
    evidence.seal()
    found = signed(evidence)
    assert all(root_of(evidence, tree, size) == root for (tree, size), root in found.items())
    assert len(found) > 20


def test_a_second_signer_by_mistake_is_refused_and_the_first_goes_on(evidence: Evidence) -> None:
    evidence.serve(20)
    with evidence.sealing() as first, evidence.sealing("another") as second:
        first.seal()
        with pytest.raises(SigningRefused, match="another signer") as refused:
            second.seal()
        theirs = evidence.rows("SELECT body FROM district_entries WHERE seq = 0")[0][0]
        assert refused.value.evidence == {"seq": 0, "stored": bytes(theirs).decode()}
        evidence.serve(20)
        first.seal()
        evidence.serve(20)
        with pytest.raises(SigningRefused, match="another signer"):
            second.seal()
        first.seal()
    found = signed(evidence)
    assert all(root_of(evidence, tree, size) == root for (tree, size), root in found.items())


def test_two_signers_of_one_memory_are_refused_at_the_door(evidence: Evidence) -> None:
    with (
        evidence.sealing(),
        pytest.raises(EvidenceRefusal, match="Another signer"),
        evidence.sealing(),
    ):
        pass


@pytest.mark.parametrize(
    ("deed", "said"),
    [
        ("DELETE FROM entries WHERE shard = 0 AND seq = 20", "missing"),
        ("UPDATE entries SET body = {doubled} WHERE shard = 0 AND seq = 20", "don't give the root"),
        ("UPDATE shards SET next_seq = 3 WHERE shard = 0", "some are gone"),
        ("DELETE FROM shards WHERE shard = 2", "should have"),
    ],
)
def test_a_ledger_that_did_not_only_grow_is_not_signed(
    evidence: Evidence, deed: str, said: str
) -> None:
    evidence.serve(40)
    evidence.seal()
    before = signed(evidence)
    evidence.serve(100)
    evidence.sql(deed.format(doubled=DOUBLED[evidence.engine.dialect.name]))
    for _ in range(2):
        with pytest.raises(SigningRefused, match=said):
            evidence.seal()
    assert signed(evidence) == before


def test_a_checkpoint_that_was_replaced_is_noticed(evidence: Evidence) -> None:
    evidence.serve(20)
    evidence.seal()
    evidence.sql(
        "UPDATE checkpoints SET root = (SELECT root FROM checkpoints WHERE tree = 'shard-1') "
        "WHERE tree = 'shard-0'"
    )
    with pytest.raises(SigningRefused, match="two different trees"):
        evidence.seal()


def test_a_moment_that_was_rewritten_is_noticed(evidence: Evidence) -> None:
    evidence.serve(20)
    evidence.seal()
    evidence.sql("UPDATE district_entries SET body = leaf")
    with pytest.raises(SigningRefused, match="another signer is at"):
        evidence.seal()


def test_a_clock_that_was_set_back_signs_nothing(evidence: Evidence) -> None:
    evidence.serve(20)
    evidence.seal()
    before = signed(evidence)
    evidence.clock -= 3_600_000_000
    evidence.serve(20)
    with pytest.raises(SigningRefused, match="set it right"):
        evidence.seal()
    with queries.reading(evidence.engine) as connection:
        said = read_district_entry(reading.district_entries_from(connection, 0)[-1][1]).at
    evidence.clock = microseconds_of(said) - 1_000  # a turn's clock then says the same again
    with pytest.raises(SigningRefused, match="set it right") as refused:
        evidence.seal()
    assert refused.value.evidence == {"clock": said, "last": said}
    assert signed(evidence) == before
    evidence.clock += 7_200_000_000
    evidence.seal()
    assert len(signed(evidence)) > len(before)


def test_a_ledger_that_was_lost_gets_all_evidence_back_from_the_signer(
    evidence: Evidence,
) -> None:
    evidence.serve(700)
    evidence.seal()
    before = signed(evidence)
    for table in ("checkpoints", "district_entries", "tree_tiles", "volunteer_index"):
        evidence.sql(f"DELETE FROM {table}")
    evidence.seal()
    assert signed(evidence) == {
        (tree, size): root
        for (tree, size), root in before.items()
        if size == max(other for one, other in before if one == tree)
    }
    evidence.serve(10)
    evidence.seal()


def test_a_signer_whose_memory_is_lost_takes_up_a_checkpoint_that_is_known(
    evidence: Evidence,
) -> None:
    evidence.serve(700)
    known, size, root = known_checkpoint(evidence)
    evidence.serve(50)
    with evidence.sealing("fresh") as fresh:
        with pytest.raises(SigningRefused, match="does not give this checkpoint"):
            fresh.adopt(known, size, bytes(32), lambda entries: None)
        fresh.adopt(known, size, root, lambda entries: None)
        fresh.seal()
        evidence.serve(50)
        fresh.seal()
    found = signed(evidence)
    assert all(root_of(evidence, tree, size) == root for (tree, size), root in found.items())
    with queries.reading(evidence.engine) as connection:
        bodies = reading.district_entries_from(connection, 0)
    last = read_district_entry(bodies[-1][1])
    assert isinstance(last, Moment)
    assert sum(pinned.size for pinned in last.shards) == 4 + 800


def known_checkpoint(evidence: Evidence) -> tuple[str, int, bytes]:
    """The district's, signed now: as a note, its size and root."""
    known = evidence.seal().checkpoint
    assert known is not None
    _, size, root = read_checkpoint(read_note(known).text)
    return known, size, root


def test_what_was_signed_after_the_checkpoint_that_is_known_is_taken_up_too(
    evidence: Evidence,
) -> None:
    evidence.serve(40)
    known, size, root = known_checkpoint(evidence)
    evidence.serve(40)
    evidence.seal()
    before = signed(evidence)
    with evidence.sealing("fresh") as fresh:
        fresh.adopt(known, size, root, lambda entries: None)
        assert fresh.seal().entries == 0
        evidence.serve(3)
        assert fresh.seal().entries == 3
    found = signed(evidence)
    assert found.items() > before.items()
    assert all(root_of(evidence, tree, size) == root for (tree, size), root in found.items())


def test_a_ledger_that_does_not_give_the_checkpoint_that_is_known_tells_both_sides(
    evidence: Evidence,
) -> None:
    evidence.serve(20)
    known, size, root = known_checkpoint(evidence)
    evidence.sql("DELETE FROM district_entries")
    with (
        evidence.sealing("fresh") as fresh,
        pytest.raises(SigningRefused, match="does not give this checkpoint") as refused,
    ):
        fresh.adopt(known, size, root, lambda entries: None)
    assert refused.value.evidence == {"given": known, "entries": 0, "root": EMPTY_ROOT.hex()}


@pytest.mark.parametrize("spoiled", ["root", "size", "no checkpoint"])
def test_a_moment_that_says_other_than_the_shards_checkpoints_is_not_taken_up(
    evidence: Evidence, spoiled: str
) -> None:
    evidence.serve(40)
    known, size, root = known_checkpoint(evidence)
    with queries.reading(evidence.engine) as connection:
        last = read_district_entry(reading.district_entries_from(connection, 0)[-1][1])
        stored = reading.latest_checkpoint(connection, shard_tree(1))
    assert isinstance(last, Moment)
    assert stored is not None
    pinned = last.shards[1]
    if spoiled == "no checkpoint":
        evidence.sql("DELETE FROM checkpoints WHERE tree = 'shard-1'")
    else:
        other = {"root": "ab" * 32} if spoiled == "root" else {"size": pinned.size + 1}
        pinned = pinned.model_copy(update=other)
        forged = last.model_copy(
            update={"seq": size, "shards": [last.shards[0], pinned, *last.shards[2:]]}
        )
        row = {"seq": size, "kind": "moment", "body": forged.body, "leaf": leaf_hash(forged.body)}
        add_rows(evidence, district_entries, [row])
    before = signed(evidence)
    with evidence.sealing("fresh") as fresh:
        for _ in range(2):  # nothing of it was remembered
            with pytest.raises(SigningRefused, match="shard 1 is not what the last") as refused:
                fresh.adopt(known, size, root, lambda entries: None)
            assert refused.value.evidence == {
                "shard": 1,
                "pinned": pinned.model_dump(),
                "stored": None if spoiled == "no checkpoint" else stored.note,
            }
    assert signed(evidence) == before


def test_what_becomes_of_certificates_is_said_once_each_before_the_moment(
    evidence: Evidence,
) -> None:
    told = [
        ("2026-1", "issued", "1a" * 32, ""),
        ("2026-2", "issued", "2b" * 32, ""),
        ("2026-1", "replaced", "1a" * 32, "2026-2"),
        ("2026-2", "revoked", "2b" * 32, ""),
    ]
    evidence.serve(5)
    assert evidence.seal().entries == 4 + 5
    with evidence.sealing() as sealing_:
        for known, fates in ((0, told[:3]), (3, []), (3, told[3:]), (4, [])):
            add_fates(evidence, known, fates)
            assert sealing_.seal().entries == 0
    with queries.reading(evidence.engine) as connection:
        said = [
            read_district_entry(body) for _, body in reading.district_entries_from(connection, 0)
        ]
    assert [one.seq for one in said] == list(range(7))
    assert {one.ledger for one in said} == {LEDGER}
    assert [one.type for one in said] == [
        "moment",
        *["certificate"] * 3,
        *["moment", "certificate"],
        "moment",
    ]
    certified = [one for one in said if isinstance(one, CertificateFate)]
    assert [(one.number, one.status, one.statement, one.replaced_by) for one in certified] == told
    assert [one.at for one in said[1:4]] == [said[4].at] * 3
    assert said[0].at < said[1].at < said[5].at == said[6].at


def add_fates(evidence: Evidence, known: int, fates: list[tuple[str, str, str, str]]) -> None:
    rows = [
        {
            **{"fate": known + at, "number": number, "status": status, "statement": statement},
            **{"replaced_by": replaced_by, "at": evidence.clock, "by": "li", "reason": "补"},
        }
        for at, (number, status, statement, replaced_by) in enumerate(fates)
    ]
    if rows:
        add_rows(evidence, certificate_fates, rows)


def add_rows(evidence: Evidence, table: Table, rows: list[dict[str, Any]]) -> None:
    with evidence.engine.connect().execution_options(writes=True) as writing, writing.begin():
        writing.execute(insert(table), rows)


def test_any_figure_can_be_had_as_of_a_signed_moment(evidence: Evidence) -> None:
    evidence.serve(60)
    evidence.seal()
    evidence.void(VOLUNTEERS[1], "o1")
    evidence.serve(60)
    evidence.seal()
    with queries.reading(evidence.engine) as connection:
        for seq in (0, 1):
            body = reading.district_entries_from(connection, seq)[0][1]
            moment = read_district_entry(body)
            assert isinstance(moment, Moment)
            below = as_of.stands(connection, SignedMoment(seq), POLICY)
            assert below == dict(enumerate(pinned.size for pinned in moment.shards))
        served = history(connection, VOLUNTEERS[1], POLICY, SignedMoment(0))
        now = history(connection, VOLUNTEERS[1], POLICY, SignedMoment(1))
        assert (len(served), len(now)) == (2, 3)  # one was taken back, two came
        assert served != now
        with pytest.raises(NotProven, match="no moment"):
            as_of.stands(connection, SignedMoment(2), POLICY)
