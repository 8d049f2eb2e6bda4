"""The roster in the database: change sets, their history, and what waits to be published."""

import json
from collections.abc import Iterator

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Engine, delete, select, update
from sqlalchemy.exc import DBAPIError

from ledger import migrating, queries
from ledger.engine import open_engine
from ledger.roster import store, tables
from ledger.roster.disclosing import who
from ledger.roster.planning import plan
from ledger.roster.records import Activity, Membership, Person, Platform, Record, Team, Unit
from ledger.roster.roster import Change, Roster
from ledger.roster.store import ChangedSince, Deed
from ledger.roster.vault import PrivateData, Vault, WrongKey

CENTRE = Unit(code="centre", kind="centre", name_zh="通州区实践中心")
OFFICE = Unit(code="office-01", kind="office", name_zh="金沙街道实践所", parent="centre")
CULTURE = Platform(code="culture", name_zh="文化服务", position=3)
TEAM = Team(
    code="choir", kind="professional", name_zh="合唱队", unit="office-01", platforms=("culture",)
)
PERSON = Person(volunteer="V1", unit="office-01", private_version=1)
MEMBER = Membership(volunteer="V1", team="choir", since="2026-01-01")
ACTIVITY = Activity(code="a-1", title="合唱排练", unit="office-01", teams=("choir",))
ALL = (CENTRE, OFFICE, CULTURE, TEAM, PERSON, MEMBER, ACTIVITY)
DEED = Deed(by="registrar", why="建名册", at=1_790_000_000_000_000)
WANG = PrivateData(name="王小明", phone="13800000000", document_type="passport", document="G123456")


@pytest.fixture
def engine(ledger_url: str) -> Iterator[Engine]:
    engine = open_engine(ledger_url)
    migrating.upgrade(engine)
    yield engine
    engine.dispose()


def change(
    engine: Engine, *wanted: Record, sealed: dict[tuple[str, int], bytes] | None = None
) -> int:
    with store.changing(engine) as connection:
        before = store.load(connection)
        planned = plan(before, wanted)
        assert planned.flaws == ()
        return store.apply(connection, before, planned.changes, DEED, sealed or {})


def loaded(engine: Engine) -> Roster:
    with queries.reading(engine) as connection:
        return store.load(connection)


def test_what_was_applied_is_loaded_again(engine: Engine) -> None:
    change(engine, *ALL)
    assert loaded(engine) == Roster.of(ALL)


def test_a_second_plan_of_the_same_records_has_nothing_to_change(engine: Engine) -> None:
    change(engine, *ALL)
    assert plan(loaded(engine), ALL).changes == []


def test_every_change_set_keeps_who_when_why_and_what_became_of_what(engine: Engine) -> None:
    change(engine, *ALL)
    renamed = TEAM.model_copy(update={"name_zh": "老年合唱队"})
    number = change(engine, renamed)
    with queries.reading(engine) as connection:
        sets = store.change_sets(connection, "team", TEAM.key)
        assert [(one.number, one.deed) for one in sets] == [(1, DEED), (2, DEED)]
        assert store.changes_of(connection, number) == [Change(TEAM, renamed)]


def test_the_history_made_again_from_nothing_gives_the_roster(engine: Engine) -> None:
    change(engine, *ALL)
    change(engine, TEAM.model_copy(update={"name_zh": "老年合唱队"}))
    with queries.reading(engine) as connection:
        again = Roster.of(())
        for one in store.change_sets(connection):
            again = again.after(store.changes_of(connection, one.number))
    assert again == loaded(engine)


def test_a_change_made_from_what_no_longer_is_changes_nothing(engine: Engine) -> None:
    change(engine, *ALL)
    stale = Change(TEAM.model_copy(update={"name_zh": "旧名"}), None)
    with pytest.raises(ChangedSince, match="choir"), store.changing(engine) as connection:
        store.apply(connection, store.load(connection), [stale], DEED)
    assert loaded(engine) == Roster.of(ALL)


@pytest.mark.parametrize("table", ["change_sets", "changes"])
def test_the_database_refuses_to_change_history(engine: Engine, table: str) -> None:
    change(engine, *ALL)
    kept = getattr(tables, table)
    first = next(iter(kept.c))
    for statement in (delete(kept), update(kept).values({first.name: 99})):
        with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
            connection.execute(statement)


def test_each_change_set_leaves_the_newest_state_of_each_thing_to_be_published(
    engine: Engine,
) -> None:
    change(engine, *ALL)
    number = change(engine, TEAM.model_copy(update={"name_zh": "老年合唱队"}))
    with engine.connect() as connection:
        table = tables.outbox
        rows = connection.execute(
            select(table.c.key, table.c.value).order_by(table.c.change_set, table.c.position)
        ).all()
    assert {row.key for row in rows} == {
        *("unit/centre", "unit/office-01", "platform/culture", "team/choir", "volunteer/V1"),
        "activity/a-1",
    }
    key, value = rows[-1]
    said = json.loads(value)
    assert (key, said["revision"], said["rows"][0]["name_zh"]) == (
        "team/choir",
        number,
        "老年合唱队",
    )


def test_private_data_is_sealed_in_the_database_and_opened_by_its_key_alone(
    engine: Engine,
) -> None:
    vault = Vault([Fernet.generate_key().decode()])
    change(engine, *ALL, sealed={("V1", 1): vault.seal("V1", WANG)})
    with queries.reading(engine) as connection:
        sealed = connection.execute(select(tables.private.c.sealed)).scalar_one()
        assert WANG.name.encode() not in bytes(sealed)
        assert store.load_private(connection, vault) == {"V1": WANG}
        assert who(connection, vault, ["V1"]) == {"V1": WANG}
        with pytest.raises(WrongKey):
            store.load_private(connection, Vault([Fernet.generate_key().decode()]))


def test_sealed_data_moved_to_another_volunteer_is_not_opened() -> None:
    vault = Vault([Fernet.generate_key().decode()])
    with pytest.raises(WrongKey):
        vault.open("V2", vault.seal("V1", WANG).content)
